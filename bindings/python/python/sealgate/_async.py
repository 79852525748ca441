"""The calls that may be awaited: answered at once where the keys are there, else when a refresh has
settled, or an authorization server has answered.

Under asyncio and trio, neither of which is imported: whoever runs one has done so. While a call
waits it holds an entry in a set and no thread; a refresh that settles wakes all, and each judges
again. A server that is asked about a proof, or a token that is good once, wakes whoever waits for
its answer.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _answers
from ._errors import UnavailableError, UsageError
from ._native import Inquiry

if TYPE_CHECKING:
    from ._native import Gate, RawRevocations, Verdict, VerifiedToken, Verifier

    # What a question has come to: its answer, or whom a server is to be asked about.
    _Begun: TypeAlias = Verdict[Any] | Inquiry


class Waiters:
    """Those who wait for news of one verifier's keys and stores."""

    def __init__(self) -> None:
        self._wakes: set[Callable[[], None]] = set()
        self._closed = False

    def wake(self) -> None:
        """Wakes them all. From any thread."""
        for wake in self._wakes.copy():  # whole, whatever other threads do to it
            wake()

    def close(self) -> None:
        """Nothing is fetched any more: whoever waits asks once again, and goes."""
        self._closed = True
        self.wake()

    async def until(self, settled: Callable[[], bool], seconds: float) -> None:
        """Waits until it is settled or closed, for so long at most; asks at once, after each piece
        of news, and at the end. Under neither asyncio nor trio it waits not at all."""

        def over() -> bool:
            closed = self._closed  # before it is asked, so that the answer is one of afterwards
            return settled() or closed

        trio, asyncio = _running()
        if trio is not None:
            await self._trio(trio, over, seconds)
        elif asyncio is not None:
            await self._asyncio(asyncio, over, seconds)

    async def _asyncio(self, asyncio: Any, over: Callable[[], bool], seconds: float) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        late = False

        def expire() -> None:
            nonlocal late
            late = True
            news.set()

        timer = loop.call_later(seconds, expire)
        with self._listening(loop.call_soon_threadsafe, news.set):
            try:
                while not over() and not late:
                    await news.wait()
                    news.clear()
            finally:
                timer.cancel()

    async def _trio(self, trio: Any, over: Callable[[], bool], seconds: float) -> None:
        news = trio.Event()

        def ring() -> None:
            news.set()

        with self._listening(trio.lowlevel.current_trio_token().run_sync_soon, ring):
            with trio.move_on_after(seconds):
                while not over():
                    await news.wait()
                    news = trio.Event()
                return
            over()

    @contextlib.contextmanager
    def _listening(
        self, soon: Callable[[Callable[[], None]], object], ring: Callable[[], None]
    ) -> Iterator[None]:
        process = os.getpid()

        def wake() -> None:
            # A forked child has those who wait in its parent, and must not touch their loop.
            if os.getpid() == process:
                with contextlib.suppress(RuntimeError):  # the loop is over
                    soon(ring)

        self._wakes.add(wake)
        try:
            yield
        finally:
            self._wakes.discard(wake)


def _running() -> tuple[Any, Any]:
    """trio or asyncio, whichever runs this task; neither of them where it is somebody else."""
    trio, asyncio = sys.modules.get("trio"), sys.modules.get("asyncio")
    if trio is not None and _runs(trio.lowlevel.current_task):
        return trio, None
    if asyncio is not None and _runs(asyncio.get_running_loop):
        return None, asyncio
    return None, None


def runs() -> bool:
    """Whether this thread runs an event loop."""
    return _running() != (None, None)


def _runs(current: Callable[[], object]) -> bool:
    try:
        current()
    except RuntimeError:
        return False
    return True


def judge(
    door: Gate | Verifier,
    waiters: Waiters,
    token: Any,
    needs: dict[str, Any],
    wait: float,
) -> Coroutine[Any, Any, Verdict[Any]]:
    return _judge(lambda: door._begin(token, **needs), waiters, wait)


def verify(
    door: Gate | Verifier,
    waiters: Waiters,
    token: Any,
    needs: dict[str, Any],
    wait: float,
) -> Coroutine[Any, Any, VerifiedToken[Any]]:
    return _verify(lambda: door._begin(token, **needs), waiters, wait)


def judge_request(
    door: Gate | Verifier, waiters: Waiters, arguments: dict[str, Any], wait: float
) -> Coroutine[Any, Any, Verdict[Any]]:
    return _judge(lambda: door._begin_request(**arguments), waiters, wait)


def verify_request(
    door: Gate | Verifier, waiters: Waiters, arguments: dict[str, Any], wait: float
) -> Coroutine[Any, Any, VerifiedToken[Any]]:
    return _verify(lambda: door._begin_request(**arguments), waiters, wait)


# No coroutine within a coroutine where nothing has to be waited for: it costs as much as the call.
async def _judge(begin: Callable[[], _Begun], waiters: Waiters, wait: float) -> Verdict[Any]:
    begun = begin()
    if isinstance(begun, Inquiry) or begun._is_pending():
        begun = await _answered(begun, begin, waiters, wait)
    return begun


async def _verify(begin: Callable[[], _Begun], waiters: Waiters, wait: float) -> VerifiedToken[Any]:
    begun = begin()
    if isinstance(begun, Inquiry) or begun._is_pending():
        begun = await _answered(begun, begin, waiters, wait)
    return begun.unwrap()


async def _settled(
    verdict: _Begun, ask: Callable[[], _Begun], waiters: Waiters, wait: float
) -> _Begun:
    """What is answered once nothing on its way can change it in time any more, or at the end."""

    def may_settle() -> bool:
        return not isinstance(verdict, Inquiry) and verdict._may_settle(wait)

    def settled() -> bool:
        nonlocal verdict
        hopeful = may_settle()  # before it is asked, too: one of the two sees what comes in between
        verdict = ask()
        return isinstance(verdict, Inquiry) or not (
            verdict._is_pending() and (hopeful or may_settle())
        )

    await waiters.until(settled, wait)
    return verdict


async def _answered(
    begun: _Begun,
    begin: Callable[[], _Begun],
    waiters: Waiters,
    wait: float,
) -> Verdict[Any]:
    """The verdict, of a server too, which answers within seconds or is taken to be away."""
    if not isinstance(begun, Inquiry):
        begun = await _settled(begun, begin, waiters, wait)
    if not isinstance(begun, Inquiry):
        return begun
    inquiry, verdict = begun, None
    if not runs():  # nor would anybody wake this task
        raise UsageError("neither asyncio nor trio runs this task: call what blocks in a thread")

    def told() -> bool:
        nonlocal verdict
        verdict = inquiry.verdict()
        return verdict is not None

    news = Waiters()
    inquiry.ask(_answers.put(), news.wake)
    await news.until(told, math.inf)
    assert verdict is not None
    return verdict


async def ready(verifier: Verifier, waiters: Waiters, timeout: float) -> None:
    missing: UnavailableError | None = None

    def settled() -> bool:
        nonlocal missing
        try:
            verifier.wait_ready("0s")
            missing = None
        except UnavailableError as error:  # keys, or a store's first news
            missing = error
        return missing is None

    if not settled():
        await waiters.until(settled, timeout)
    if missing is not None:
        raise missing


async def flushed(revocations: RawRevocations, waiters: Waiters, timeout: float) -> bool:
    done = False

    def settled() -> bool:
        nonlocal done
        done = revocations.flush("0s")
        return done

    if not settled():
        await waiters.until(settled, timeout)
    return done
