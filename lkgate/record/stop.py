"""How a recording is told to end."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from lkgate.errors import RecordError

T = TypeVar("T")


class StoppedError(RecordError):
    """The recording of a room was stopped before there was anything to record."""

    def __init__(self, room: str):
        super().__init__(f"room {room!r}: stopped before there was anything to record")


class NoPlaceError(RecordError):
    """As many rooms are being recorded as may be."""

    def __init__(self, room: str):
        super().__init__(f"room {room!r}: as many rooms are being recorded as may be")


@asynccontextmanager
async def stops(given: asyncio.Event | None) -> AsyncIterator[asyncio.Event]:
    """An event of one recording alone: set with ``given`` or, without it, by a signal."""
    own = asyncio.Event()
    if given is None:
        with signals(own):
            yield own
        return

    async def follow(event: asyncio.Event) -> None:
        await event.wait()
        own.set()

    following = asyncio.create_task(follow(given))
    try:
        yield own
    finally:
        following.cancel()


@contextmanager
def signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM sets ``stop``; the next one does what it always does.

    Off the main thread, where Python has no signals, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def unless(stop: asyncio.Event, work: Coroutine[None, None, T]) -> T | None:
    """What ``work`` returns or raises; ``None`` if ``stop`` is set before: it is cancelled then."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
