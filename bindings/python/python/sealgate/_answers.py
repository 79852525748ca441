"""Wakes whoever waits for a server's answer.

Answers come on threads of the core, where no Python code of ours runs (`src/events.rs` says why).
They are put into a queue there, and one thread of Python's takes them out.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from typing import TypeAlias

_Wake: TypeAlias = Callable[[], None]

_wakes: queue.SimpleQueue[_Wake] | None = None
_beginning = threading.Lock()


def put() -> Callable[[_Wake], None]:
    """Where to put what wakes somebody."""
    global _wakes
    if _wakes is None:
        with _beginning:
            if _wakes is None:
                wakes: queue.SimpleQueue[_Wake] = queue.SimpleQueue()
                tell = threading.Thread(target=_tell, args=(wakes,), name="sealgate-answers")
                tell.daemon = True
                tell.start()
                _wakes = wakes
    return _wakes.put


def _tell(wakes: queue.SimpleQueue[_Wake]) -> None:
    while True:
        wake = wakes.get()
        try:
            wake()
        except Exception:  # of one who waits: the others are waiting, too
            traceback.print_exc()


def begin_anew() -> None:
    """In a forked child, where that thread is no more."""
    global _wakes, _beginning
    _wakes, _beginning = None, threading.Lock()
