"""Which event loop a program gets when it asks for a new one."""

from __future__ import annotations

import asyncio

from lkgate.harness.time import real
from lkgate.harness.time.clock import NS, Clock
from lkgate.harness.time.loop import VirtualLoop

# A program may run a loop while it is loaded. It is not to spin there for ever.
_LONGEST_NS = 24 * 3600 * NS


class _RealLoop(asyncio.SelectorEventLoop):
    """For a thread that takes no turns: the machine's pace, by the machine's clock."""

    def time(self) -> float:
        return real.monotonic()


class VirtualPolicy(asyncio.DefaultEventLoopPolicy):
    """Gives a :class:`VirtualLoop` to the main thread and to threads that the program started."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._virtual = clock

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        scheduler = self._virtual.scheduler
        if scheduler.current() is None:
            return _RealLoop()
        if scheduler.horizon_ns is None:
            scheduler.horizon_ns = self._virtual.now_ns + _LONGEST_NS
        return VirtualLoop(self._virtual)
