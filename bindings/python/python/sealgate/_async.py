"""The calls that may be awaited: answered at once where the keys are there, else when a refresh has
settled.

Under asyncio and trio, neither of which is imported: whoever runs one has done so. While a call
waits it holds an entry in a set and no thread; a refresh that settles wakes all, and each judges
again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from ._errors import KeysUnavailableError

if TYPE_CHECKING:
    from ._native import Gate, RawRevocations, Verdict, VerifiedToken, Verifier

_REFRESHING = "keys_refreshing"
# Seconds between two looks whether a store has everything: nobody tells when it has.


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

        trio, asyncio = sys.modules.get("trio"), sys.modules.get("asyncio")
        if trio is not None and _runs(trio.lowlevel.current_task):
            await self._trio(trio, over, seconds)
        elif asyncio is not None and _runs(asyncio.get_running_loop):
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
    scopes: tuple[str, ...],
    into: Any,
    wait: float,
) -> Coroutine[Any, Any, Verdict[Any]]:
    return _judge(lambda: door.judge(token, required_scopes=scopes, into=into), waiters, wait)


def verify(
    door: Gate | Verifier,
    waiters: Waiters,
    token: Any,
    scopes: tuple[str, ...],
    into: Any,
    wait: float,
) -> Coroutine[Any, Any, VerifiedToken[Any]]:
    return _verify(lambda: door.judge(token, required_scopes=scopes, into=into), waiters, wait)


def judge_request(
    door: Gate | Verifier, waiters: Waiters, arguments: dict[str, Any], wait: float
) -> Coroutine[Any, Any, Verdict[Any]]:
    return _judge(lambda: door.judge_request(**arguments), waiters, wait)


def verify_request(
    door: Gate | Verifier, waiters: Waiters, arguments: dict[str, Any], wait: float
) -> Coroutine[Any, Any, VerifiedToken[Any]]:
    return _verify(lambda: door.judge_request(**arguments), waiters, wait)


# No coroutine within a coroutine where nothing has to be waited for: it costs as much as the call.
async def _judge(ask: Callable[[], Verdict[Any]], waiters: Waiters, wait: float) -> Verdict[Any]:
    verdict = ask()
    if verdict.code == _REFRESHING:
        verdict = await _settled(verdict, ask, waiters, wait)
    return verdict


async def _verify(
    ask: Callable[[], Verdict[Any]], waiters: Waiters, wait: float
) -> VerifiedToken[Any]:
    verdict = ask()
    if verdict.code == _REFRESHING:
        verdict = await _settled(verdict, ask, waiters, wait)
    return verdict.unwrap()


async def _settled(
    verdict: Verdict[Any], ask: Callable[[], Verdict[Any]], waiters: Waiters, wait: float
) -> Verdict[Any]:
    """What is answered once no fetch can change it in time any more, or at the end."""

    def settled() -> bool:
        nonlocal verdict
        verdict = ask()
        return not verdict._may_settle(wait)

    await waiters.until(settled, wait)
    return verdict


async def ready(verifier: Verifier, waiters: Waiters, timeout: float) -> None:
    missing: KeysUnavailableError | None = None

    def settled() -> bool:
        nonlocal missing
        try:
            verifier.wait_ready("0s")
            missing = None
        except KeysUnavailableError as error:
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
