"""What begins anew in a forked child, which has all that its parent had, but none of the threads;
and what ends with a process."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING

from . import _answers, _log

if TYPE_CHECKING:
    from ._native import RawRevocations

# Of every verifier there is. Those without a shared store have nothing to resume.
living: weakref.WeakSet[RawRevocations] = weakref.WeakSet()


def _begin_anew() -> None:
    # The log first: threads that start will write to it.
    _log.begin_anew()
    _answers.begin_anew()
    for revocations in tuple(living):
        revocations.resume()


def _end() -> None:
    """At exit: revocations that no store has are lost, and nobody may have closed their verifier."""
    for revocations in tuple(living):
        revocations.close()


atexit.register(_end)  # after the log has, and so before it ends
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
