"""The log `sealgate`: what happens to issuers' keys and shared stores in the background. Never a
token, and nothing per token.

Handlers are the application's: they may raise, be slow, or call the verifier. So they run on a
thread that nobody waits for, which lives while there is something to write.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import logging
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._async import Waiters

_logger = logging.getLogger("sealgate")
# What is still to be written, in order; of a flood behind a handler that hangs, the newest.
pending: collections.deque[dict[str, Any]] = collections.deque(maxlen=1000)
_writing = threading.Lock()
# By issuer, why it could not be asked about a token since it last could. Whoever writes changes it.
_silent: dict[str, set[str]] = {}
# Reasons of an issuer that are told apart. A server that says something new each time is one more.
_MOST_REASONS = 16


def tell(waiters: Waiters) -> None:
    """Wakes those who wait, and has the log written."""
    waiters.wake()
    with contextlib.suppress(RuntimeError):  # there is no room for a thread, or no time any more
        threading.Thread(target=_write, name="sealgate-log", daemon=True).start()


def _write() -> None:
    # Whoever finds another at work leaves the rest to it, and that one looks again when it is done.
    while pending and _writing.acquire(blocking=False):
        try:
            while _log_next():
                pass
        finally:
            _writing.release()


def _log_next() -> bool:
    try:
        fields = pending.popleft()
    except IndexError:  # also where somebody has thrown the rest away meanwhile
        return False
    _log(fields)
    return True


def _log(fields: dict[str, Any]) -> None:
    event = fields["event"]
    name: str = fields.get("issuer_name") or fields.get("store") or ""
    try:
        if event == "keys_refreshed":
            level = logging.INFO if fields["changed"] else logging.DEBUG
            _logger.log(level, "%s: %s has %d keys", event, name, fields["keys"], extra=fields)
        elif event == "introspected":
            level = logging.INFO if _silent.pop(name, None) else logging.DEBUG
            _logger.log(level, "%s: %s", event, name, extra=fields)
        elif event == "introspection_failed":  # one of many alike, when a server is away
            known = _silent.setdefault(name, set())
            is_news = fields["reason"] not in known and len(known) < _MOST_REASONS
            level = logging.WARNING if is_news else logging.DEBUG
            if is_news:
                known.add(fields["reason"])
            _logger.log(level, "%s: %s: %s", event, name, fields["reason"], extra=fields)
        elif event == "status_list_fetched":
            _logger.debug("%s: %s", event, name, extra=fields)
        elif event in ("keys_refresh_failed", "status_list_failed"):
            _logger.warning("%s: %s: %s", event, name, fields["reason"], extra=fields)
        elif event == "key_withdrawn":
            key = fields["kid"] or fields["thumbprint"]
            _logger.info("%s: %s no longer has %r", event, name, key, extra=fields)
        elif event == "revocations_loaded":
            _logger.info("%s: %s has %d handles", event, name, fields["entries"], extra=fields)
        elif event == "revocations_interrupted":
            _logger.warning("%s: %s: %s", event, name, fields["reason"], extra=fields)
        elif event == "revocations_delivered":
            _logger.debug("%s: %s has everything", event, name, extra=fields)
        elif event == "revocations_undelivered":
            text = "%s: %s is not known to have %d of this process's changes, in force in it alone"
            _logger.warning(text, event, name, fields["changes"], extra=fields)
    except Exception:  # a handler's own
        if logging.raiseExceptions:
            traceback.print_exc()


def begin_anew() -> None:
    """In a forked child, where the thread that was writing is no more."""
    global _writing
    _writing = threading.Lock()
    pending.clear()


def _end() -> None:
    """At exit: what is queued is written, for a second; then the line being written may come to its
    end, and the rest is thrown away. What comes later is told to nobody."""
    end = time.monotonic() + 1
    if _writing.acquire(timeout=1):  # and kept: nobody else begins a line any more
        while time.monotonic() < end and _log_next():
            pass
        pending.clear()
    else:
        pending.clear()
        _writing.acquire(timeout=1)


atexit.register(_end)
