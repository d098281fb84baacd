"""The event loop that jumps from timer to timer."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import gc
from asyncio import Handle
from collections.abc import Callable
from contextvars import Context
from heapq import heappop
from typing import Any, TypeVar

from lkgate.harness.time import jobs
from lkgate.harness.time.clock import NS, Clock
from lkgate.harness.time.handles import Soon, fail
from lkgate.harness.time.order import NEVER_NS, OrderedLoop
from lkgate.harness.time.scheduler import GRACE_S, Strand

T = TypeVar("T")

# Iterations at one instant after which a program counts as polling: time goes on without it.
_SPIN = 1_000
_SPIN_AGAIN = 100
# A busy loop looks at its sockets every so many iterations. They are the machine's, never exact.
_POLL_EVERY = 16
# A loop on a thread of the program's own looks at its sockets this often in virtual time.
_POLL_NS = 10_000_000
COLLECT_NS = 60 * NS
# Threads of the default executor: not by the number of this machine's cores.
_THREADS = 32


class VirtualLoop(OrderedLoop):
    """Runs what is ready; when nothing is, moves the clock to the next timer.

    The order of everything is a function of the program alone. When the loop has nothing ready, it
    does the first of these that there is: take callbacks from unknown threads; let one waiting
    thread of the program run until it waits again; take events of real sockets; wait at real pace
    while a real request is out; jump to the next timer; raise :class:`DeadlockError`.

    Child processes run at their own pace: while one that this loop started lives, so does the
    clock, in real time. Two timers of one instant fire in the order in which they were set.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        # One entry is the loop's own bell; more are real sockets.
        self._fds: dict[int, object] = self._selector._fd_to_key  # type: ignore[attr-defined]
        self._inbox: collections.deque[Handle] = collections.deque()
        self._strand: Strand | None = None  # whose loop it is, if not the main thread's
        self._parked: Strand | None = None
        self._requests = 0
        self._busy = 0
        self._busy_limit = _SPIN
        self.collect_at_ns = NEVER_NS  # for run(), which turns the collector off
        self.set_default_executor(
            concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="asyncio")
        )

    # -- real requests

    def real_begin(self) -> None:
        """A real request is out: until :meth:`real_end` the clock runs at the machine's pace."""
        self._clock.real_begin()
        self._requests += 1

    def real_end(self) -> None:
        """The request came back.

        Raises:
            RuntimeError: none was out.
        """
        self._clock.real_end()
        self._requests -= 1

    # -- threads

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        strand = self._scheduler.current()
        if strand is not None and not strand.loose:
            # Nobody else runs at this moment: its place in line is exact.
            handle = self.call_soon(callback, *args, context=context)
        else:
            if self._closed:
                self._check_closed()  # type: ignore[attr-defined]
            handle = Soon(callback, args, self, context)
            self._inbox.append(handle)
            self.ring()
        if self._parked is not None:
            self._scheduler.wake(self._parked)
        return handle

    def ring(self) -> None:
        """Make the loop look around if it waits for the machine. Thread-safe."""
        self._write_to_self()  # type: ignore[attr-defined]

    def as_loop(self) -> asyncio.AbstractEventLoop:
        return self

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        if jobs.is_pure(func):
            self._check_closed()  # type: ignore[attr-defined]
            future = self.create_future()
            self.call_soon(jobs.settle, future, *jobs.outcome(func, args))
            return future
        pending: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        if jobs.is_processes(executor):
            self.real_begin()
            pending.add_done_callback(lambda _: self.real_end())
        return pending

    # -- child processes

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        self.real_begin()
        watched = False
        try:
            transport = await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
            watched = True
        finally:
            if not watched:
                self.real_end()
        return transport

    def _child_watcher_callback(self, pid: int, returncode: int, transport: Any) -> None:
        super()._child_watcher_callback(pid, returncode, transport)  # type: ignore[misc]
        self.call_soon_threadsafe(self.real_end)

    # -- the heart

    def close(self) -> None:
        super().close()
        while self._requests:  # a child process that outlives the loop: nobody waits for it
            self.real_end()

    def run_forever(self) -> None:
        scheduler = self._scheduler
        strand = scheduler.current()
        if strand is not scheduler.main:
            self._strand = strand
            super().run_forever()
            return
        before, scheduler.loop = scheduler.loop, self
        try:
            super().run_forever()
        finally:
            scheduler.loop = before

    def _run_once(self) -> None:
        ready = self._ready
        clock = self._clock
        if not ready and not self._stopping:
            self._busy = 0
            self._busy_limit = _SPIN
            self._wait()
        else:
            self._busy += 1
            if clock.requests:
                clock.sync()
                self._poll(0)
            elif len(self._fds) > 1 and not self._busy % _POLL_EVERY:
                self._poll(0)
            if self._inbox:
                self._take_inbox()
            if self._busy >= self._busy_limit:
                self._unspin()
        timers = self._scheduled
        now = clock.now_ns
        while timers and timers[0][0] <= now:
            timer = heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as Handle._run does
                fail(handle, error)

    def _wait(self) -> None:
        """Nothing is ready: bring about the next thing."""
        scheduler = self._scheduler
        if scheduler.failure is not None:
            raise scheduler.failure
        if self._strand is not None:
            self._wait_on(self._strand)
            return
        ready = self._ready
        while not ready:
            if self._inbox:
                self._take_inbox()
            elif scheduler.ready:
                scheduler.turn()
            elif len(self._fds) > 1 and self._poll(0):
                continue
            else:
                when = self._next_ns()
                if self._clock.requests:
                    if self._wait_really(when):
                        return
                elif when is not None:
                    scheduler.advance(when)
                    if when >= self.collect_at_ns:
                        self.collect_at_ns = when + COLLECT_NS
                        gc.collect(1)
                    if self._scheduled and self._scheduled[0][0] <= self._clock.now_ns:
                        return
                elif not self._poll(GRACE_S) and not self._inbox and not scheduler.ready:
                    raise scheduler.deadlock()

    def _wait_on(self, strand: Strand) -> None:
        """The wait of a loop on a thread of the program's own: it parks."""
        if self._inbox:
            self._take_inbox()
            return
        if len(self._fds) > 1 and self._poll(0):
            return
        when = self._next_own_ns()
        if len(self._fds) > 1:
            soon = self._clock.peek() + _POLL_NS
            when = soon if when is None else min(when, soon)
        self._scheduler.prepare(strand)
        self._parked = strand
        try:
            self._scheduler.park(strand, when)
        finally:
            self._parked = None

    def _wait_really(self, when_ns: int | None) -> bool:
        """Wait at the machine's pace; whether a timer of this loop is due."""
        now = self._clock.peek()
        if when_ns is None or when_ns > now:
            self._poll(None if when_ns is None else (when_ns - now) / NS)
            self._clock.sync()
        self._scheduler.fire()
        own = self._next_own_ns()
        return own is not None and own <= self._clock.now_ns

    def _unspin(self) -> None:
        """The program polls: let threads and time go on, which wait for it to be quiet."""
        self._busy = 0
        self._busy_limit = _SPIN_AGAIN
        if self._strand is not None:
            return
        scheduler = self._scheduler
        if scheduler.ready:
            scheduler.turn()
        elif not self._clock.requests and (when := self._next_ns()) is not None:
            scheduler.advance(when)

    def _poll(self, timeout: float | None) -> bool:
        """Take the events of real sockets; whether there were any."""
        events = self._selector.select(timeout)  # type: ignore[attr-defined]
        if events:
            self._process_events(events)  # type: ignore[attr-defined]
        return bool(self._ready)

    def _take_inbox(self) -> None:
        while self._inbox:
            self._ready.append(self._inbox.popleft())

    def _next_ns(self) -> int | None:
        """When the next thing happens: a timer of this loop, or a sleeping thread wakes."""
        own = self._next_own_ns()
        other = self._scheduler.next_ns()
        if own is None or other is None:
            return own if other is None else other
        return min(own, other)
