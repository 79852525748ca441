"""The log `sealgate`: what happens to keys, never a token; handlers may do as they please."""

from __future__ import annotations

import asyncio
import collections
import logging
import os
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from test_processes import python

import sealgate
from sealgate import Verifier, _log, testing

from conftest import AUDIENCE
from loopback import Server, fetching

FIELDS = {
    "keys_refreshed": {"keys", "generation", "changed"},
    "keys_refresh_failed": {"reason"},
    "key_withdrawn": {"kid", "thumbprint"},
    "introspected": set(),
    "introspection_failed": {"reason"},
}


class Kept(logging.Handler):
    """Hands what it is given to the test."""

    def __init__(self) -> None:
        super().__init__()
        self.records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(record)

    def next(self) -> Any:
        return self.records.get(timeout=60)


@pytest.fixture
def log() -> Iterator[Kept]:
    logger, handler = logging.getLogger("sealgate"), Kept()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_what_happens_to_keys(log: Kept, server: Server) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    fetched = fetching(server, fake)
    jwt = fake.token(aud=AUDIENCE)
    fetched.wait_ready("60s")
    first = log.next()
    assert (first.event, first.issuer_name) == ("keys_refreshed", "corp")
    assert (first.keys, first.generation, first.changed) == (1, 1, True)
    assert first.levelno == logging.INFO and first.name == "sealgate"
    assert first.getMessage() == "keys_refreshed: corp has 1 keys"
    assert first.threadName == "sealgate-log"
    old = fake.kid
    fake.rotate(keep=0)
    server.serve(fake)
    fetched.keys.refresh("corp")
    withdrawn, refreshed = log.next(), log.next()
    assert (withdrawn.event, withdrawn.kid) == ("key_withdrawn", old)
    assert withdrawn.getMessage() == f"key_withdrawn: corp no longer has {old!r}"
    assert (refreshed.event, refreshed.generation) == ("keys_refreshed", 2)
    server.status = 500
    fetched.keys.refresh("corp")
    failed = log.next()
    assert (failed.event, failed.levelno) == ("keys_refresh_failed", logging.WARNING)
    assert "500" in failed.reason
    for record in (first, withdrawn, refreshed, failed):
        extra = FIELDS[record.event] | {"event", "issuer_name"}
        plain = vars(logging.makeLogRecord({})).keys() | {"message", "taskName"}
        assert vars(record).keys() - plain == extra
        assert not any(part in str(vars(record)) for part in jwt.split("."))
    fetched.close()


def test_an_issuer_that_is_away_is_told_of_once(log: Kept) -> None:
    events = [
        f"introspect{end}"
        for end in ("ed", "ion_failed", "ion_failed", "ed", "ed", "ion_failed", "ed")
    ]
    for event in events:
        _log._log({"event": event, "issuer_name": "away", "reason": "503"})
    assert [log.next().levelno for _ in events] == [10, 30, 10, 20, 10, 30, 20]


def test_nothing_per_token(log: Kept, verifier: Verifier, jwt: str) -> None:
    while log.next().event != "keys_refreshed":
        pass
    for token in (jwt, "x.y.z", jwt[:-4] + "AAAA"):
        verifier.judge(token)
        verifier.verify_batch([token])
        verifier.explain(token)
    verifier.keys.publish("silent", testing.FakeIssuer("https://silent.example", seed=9).jwks())
    assert log.next().issuer_name == "silent", "nothing came before"


class Trouble(logging.Handler):
    """Raises, and calls the verifier it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.about: Verifier | None = None
        self.verdicts: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        if self.about is not None:
            self.about.wait_ready("0s")
            self.about.keys.state("corp")
            self.about.reload(self.about.policy)
            self.about.close()
            self.verdicts.put(self.about.judge("x").code)
        raise ZeroDivisionError("a handler's own mistake")


def test_handlers_that_raise_and_call_back(
    server: Server,
    capfd: pytest.CaptureFixture[str],
) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    logger, trouble, kept = logging.getLogger("sealgate"), Trouble(), Kept()
    logger.setLevel(logging.DEBUG)
    logger.addHandler(kept)
    logger.addHandler(trouble)
    try:
        fetched = fetching(server, fake)
        trouble.about = fetched
        fetched.wait_ready("60s")
        assert trouble.verdicts.get(timeout=60) == "malformed_token"
        trouble.about = None
        assert kept.next().event == "keys_refreshed"
        again = fetching(server, fake)
        again.wait_ready("60s")
        assert kept.next().event == "keys_refreshed", "what raised once is told the next thing too"
        assert again.judge(fake.token(aud=AUDIENCE)).ok
        again.close()
    finally:
        logger.removeHandler(trouble)
        logger.removeHandler(kept)
        logger.setLevel(logging.NOTSET)
    assert "a handler's own mistake" in capfd.readouterr().err


def test_a_handler_that_hangs_holds_up_nobody(server: Server) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    inside, leave = threading.Event(), threading.Event()

    class Hanging(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            inside.set()
            assert leave.wait(60)

    logger, hanging, kept = logging.getLogger("sealgate"), Hanging(), Kept()
    logger.setLevel(logging.INFO)
    logger.addHandler(hanging)
    try:
        fetched = fetching(server, fake)
        fetched.wait_ready("60s")
        assert inside.wait(60)
        other = testing.FakeIssuer("https://login.example.com", seed=2)
        server.serve(other)
        fetched.keys.refresh("corp")

        async def wait() -> bool:
            # Unknown to the keys that are there: it waits for those that come.
            while True:
                verdict = await fetched.judge_async(other.token(aud=AUDIENCE), wait="60s")
                if verdict.ok:
                    return True
                await asyncio.sleep(0)

        assert asyncio.run(wait())
        fetched.close()
        logger.addHandler(kept)
        leave.set()
        assert kept.next().event in ("key_withdrawn", "keys_refreshed")
    finally:
        leave.set()
        logger.removeHandler(hanging)
        logger.removeHandler(kept)
        logger.setLevel(logging.NOTSET)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_ends_while_it_is_told() -> None:
    """At exit handlers are let finish; what comes later is told to nobody; forked children log."""
    done = python(
        """
        import logging, os, sys, threading
        from sealgate import testing
        inside, leave = threading.Event(), threading.Event()
        class Slow(logging.Handler):
            def emit(self, record):
                inside.set()
                leave.wait()
                print(record.event, flush=True)
        logger = logging.getLogger("sealgate")
        logger.addHandler(Slow())
        logger.setLevel(logging.INFO)
        issuer = testing.FakeIssuer("https://i.example", seed=1)
        policy = {"version": 1, "issuers": {"i": {"issuer": "https://i.example",
                  "discovery": "oauth", "algorithms": ["ES256"]}},
                  "gates": {"g": {"profile": "access_token", "audience": "a", "issuers": ["i"]}}}
        verifier = testing.open(policy, issuers={"i": issuer})
        inside.wait()
        child = os.fork()
        if child == 0:
            leave.set()
            inside.clear()
            issuer.rotate()
            inside.wait()
            sys.exit()
        os.waitpid(child, 0)
        threading.Timer(0, leave.set).start()
        import atexit
        atexit.register(lambda: [issuer.rotate() for _ in range(100)])
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "keys_refreshed" in done.stdout


def test_what_is_queued_at_exit_is_written() -> None:
    done = python(
        """
        import logging
        from sealgate import _log
        logging.basicConfig(format="%(message)s")
        failed = {"event": "keys_refresh_failed", "issuer_name": "corp"}
        for reason in ("first", "second"):  # and no thread has begun to write it
            _log.pending.append(failed | {"reason": reason})
        """
    )
    written = [f"keys_refresh_failed: corp: {reason}" for reason in ("first", "second")]
    assert (done.returncode, done.stderr.splitlines()) == (0, written)


def test_what_is_thrown_away_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thrown(collections.deque[dict[str, Any]]):
        def __bool__(self) -> bool:
            some = len(self) > 0
            if _log._writing.locked():
                self.clear()
            return some

    monkeypatch.setattr(_log, "pending", Thrown([{"event": "none", "issuer_name": "corp"}]))
    _log._write()
    assert not _log._writing.locked()


def test_it_has_no_handler_of_its_own() -> None:
    assert logging.getLogger(sealgate.__name__).handlers == []


def test_why_an_issuer_cannot_be_asked_is_told_once_for_each_reason(log: Kept) -> None:
    answered = {"event": "introspected", "issuer_name": "corp"}
    failed = answered | {"event": "introspection_failed"}
    reasons = ["no JSON", "401", "no JSON", "401"]
    for fields in [*(failed | {"reason": reason} for reason in reasons), answered, answered]:
        _log._log(fields)
    _log._log(failed | {"reason": "401"})
    _log._log(answered)
    levels = [log.next().levelname for _ in range(8)]
    news = ["WARNING", "WARNING", "DEBUG", "DEBUG", "INFO", "DEBUG", "WARNING", "INFO"]
    assert levels == news
