"""The line of callbacks, timers and tasks of an event loop, in exact order."""

from __future__ import annotations

import asyncio
import collections
import heapq
from asyncio import Handle, TimerHandle
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, TypeVar

from lkgate.harness.time.clock import NS, Clock
from lkgate.harness.time.handles import Soon, Timer
from lkgate.harness.time.tasks import VirtualFuture, VirtualTask

T = TypeVar("T")

# Timers beyond this are never.
NEVER_NS = 1 << 62


class OrderedLoop(asyncio.SelectorEventLoop):
    """Keeps time in nanoseconds of the virtual clock; its heap is ordered by time, then by turn.

    Two timers of one instant fire in the order in which they were set, and a set of its tasks or
    futures has the same order in every run.
    """

    # Of the base class, private, and watched by tests/harness/time/test_cpython.py.
    _ready: collections.deque[Handle]
    _scheduled: list[tuple[int, int, TimerHandle]]
    _stopping: bool
    _closed: bool
    _debug: bool
    _timer_cancelled_count: int

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._scheduler = clock.scheduler
        self._turn = clock.scheduler.order

    def time(self) -> float:
        return self._clock.peek() / NS

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        if self._closed:
            self._check_closed()  # type: ignore[attr-defined]
        timer = Timer(when, callback, args, self, context)
        ns = int(when * NS + 0.5) if when < 4e9 else NEVER_NS
        heappush(self._scheduled, (ns, next(self._turn), timer))
        return timer

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        if self._closed:
            self._check_closed()  # type: ignore[attr-defined]
        clock = self._clock
        now = clock.peek() if clock.requests else clock.now_ns
        when = now / NS + delay
        timer = Timer(when, callback, args, self, context)
        ns = int(when * NS + 0.5) if when < 4e9 else NEVER_NS
        heappush(self._scheduled, (ns, next(self._turn), timer))
        return timer

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        if self._closed:
            self._check_closed()  # type: ignore[attr-defined]
        handle = Soon(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return VirtualFuture(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **more: Any,
    ) -> asyncio.Task[T]:
        if self.get_task_factory() is not None:  # the program's own
            return super().create_task(coro, name=name, context=context, **more)
        if self._closed:
            self._check_closed()  # type: ignore[attr-defined]
        task: asyncio.Task[T] = VirtualTask(coro, loop=self, name=name, context=context, **more)
        return task

    def _next_own_ns(self) -> int | None:
        timers = self._scheduled
        while timers and timers[0][2]._cancelled:
            heappop(timers)[2]._scheduled = False  # type: ignore[attr-defined]
            self._timer_cancelled_count -= 1
        return timers[0][0] if timers else None

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        if not handle._scheduled:  # type: ignore[attr-defined]
            return
        self._timer_cancelled_count += 1
        if self._timer_cancelled_count > 100 and (
            self._timer_cancelled_count * 2 > len(self._scheduled)
        ):
            # The handle that is being cancelled does not say so yet.
            self._scheduled = [
                entry
                for entry in self._scheduled
                if not (entry[2]._cancelled or entry[2] is handle)
            ]
            handle._scheduled = False  # type: ignore[attr-defined]
            heapq.heapify(self._scheduled)
            self._timer_cancelled_count = 0
