"""Threads as coroutines: exactly one of the loop and its worker threads runs at any moment.

A worker that waits (a condition, a queue, a sleep, a join) parks and gives the turn back; whoever
wakes it only puts it in line. The loop lets the line move when it has nothing else to do, so the
order is the program's own, not the machine's.
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import contextlib
import heapq
import itertools
import selectors
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from lkgate.harness.time import real
from lkgate.harness.time.clock import NS, Clock

# Real seconds that a worker may run without waiting for anything before the call is given up.
PATIENCE_S = 120.0


class WorkerStuckError(RuntimeError):
    """A thread of the program neither ended nor waited for anything that lkgate can see."""


class _Worker:
    """One thread under control. ``gate`` is held closed while it is parked."""

    __slots__ = ("gate", "job", "name", "thread")

    def __init__(self, name: str) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.name = name
        self.thread = 0
        self.job: Callable[[], None] | None = None


class Workers:
    """The line of threads that wait for their turn, and their timers."""

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self.reset()

    def reset(self) -> None:
        """Forget every thread: after a fork none of them exists."""
        self._line: collections.deque[_Worker] = collections.deque()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._by_thread: dict[int, _Worker] = {}
        self._back = threading.Lock()
        self._back.acquire()
        self._idle: list[_Worker] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._chains: dict[int, collections.deque[Callable[[], None]]] = {}

    @contextlib.contextmanager
    def driven_by(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """While this lasts, threads that the program starts are under control."""
        before, self._loop = self._loop, loop
        try:
            yield
        finally:
            self._loop = before

    # -- who runs

    def current(self) -> _Worker | None:
        """The worker of the calling thread, ``None`` on the loop's and on unknown threads."""
        return self._by_thread.get(threading.get_ident())

    def on_loop(self) -> bool:
        """Whether the calling thread drives a running virtual loop."""
        return (
            self._loop is not None
            and self.clock is not None
            and threading.get_ident() == self.clock.thread
        )

    def controls(self) -> bool:
        return self.on_loop() or self.current() is not None

    def wake(self, worker: _Worker) -> None:
        """Put a parked worker in line."""
        self._line.append(worker)

    def at(self, ns: int, callback: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (ns, next(self._order), callback))

    def next_ns(self) -> int | None:
        return self._timers[0][0] if self._timers else None

    def fire(self, now_ns: int) -> bool:
        """Run the workers' timers that are due; whether there was one."""
        fired = False
        while self._timers and self._timers[0][0] <= now_ns:
            heapq.heappop(self._timers)[2]()
            fired = True
        return fired

    def step(self) -> bool:
        """Let the first worker in line run until it parks or ends; ``False`` if none waits."""
        if not self._line:
            return False
        worker = self._line.popleft()
        worker.gate.release()
        if not self._back.acquire(timeout=PATIENCE_S):
            raise WorkerStuckError(_where_stuck(worker))
        return True

    def park(self, worker: _Worker) -> None:
        """Give the turn back and wait for the next one; called on the worker's own thread."""
        self._back.release()
        worker.gate.acquire()

    def block(self, until: Callable[[], bool], deadline_ns: int | None) -> bool:
        """Wait on the loop's own thread: workers go on, the loop's timers do not.

        Returns:
            Whether ``until`` came true before the deadline.
        """
        assert self.clock is not None
        while not until():
            if self.step():
                continue
            upcoming = self.next_ns()
            if deadline_ns is not None and (upcoming is None or upcoming > deadline_ns):
                self.clock.advance_to(deadline_ns)
                return until()
            if upcoming is None:
                # Only a thread that is not ours can end this wait.
                real.sleep(0.001)
                continue
            self.clock.advance_to(upcoming)
            self.fire(upcoming)
        return True

    # -- jobs

    def spawn(
        self, work: Callable[[], Any], done: Callable[[Any], object], *, executor: Any = None
    ) -> None:
        """Run ``work`` on a worker in its turn and hand its value to ``done`` there.

        Jobs of an executor with a single thread run one after the other, as they would on it.
        """

        def job() -> None:
            done(work())

        if getattr(executor, "_max_workers", None) != 1:
            self._begin(job)
            return
        chain = self._chains.get(id(executor))
        if chain is not None:
            chain.append(job)
            return
        chain = self._chains[id(executor)] = collections.deque([job])
        self._begin(lambda: self._drain(id(executor), chain))

    def _drain(self, key: int, chain: collections.deque[Callable[[], None]]) -> None:
        while chain:
            chain.popleft()()
        del self._chains[key]

    def _begin(self, job: Callable[[], None]) -> None:
        if self._idle:
            worker = self._idle.pop()
            worker.job = job
        else:
            worker = _Worker("executor")
            worker.job = job
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            thread._lkgate_real = True  # type: ignore[attr-defined]
            real.thread_start(thread)
        self.wake(worker)

    def _serve(self, worker: _Worker) -> None:
        worker.thread = threading.get_ident()
        self._by_thread[worker.thread] = worker
        while True:
            worker.gate.acquire()
            assert worker.job is not None
            worker.job()
            worker.job = None
            self._idle.append(worker)
            self._back.release()

    def adopt(self, thread: threading.Thread) -> None:
        """Start a thread of the program's own under control."""
        worker = _Worker(thread.name)
        run = thread.run
        ended: list[bool] = []
        thread._lkgate_ended = ended  # type: ignore[attr-defined]

        def controlled() -> None:
            worker.thread = threading.get_ident()
            self._by_thread[worker.thread] = worker
            worker.gate.acquire()
            try:
                run()
            finally:
                del self._by_thread[worker.thread]
                ended.append(True)
                self._back.release()

        thread.run = controlled  # type: ignore[method-assign]
        real.thread_start(thread)
        self.wake(worker)


WORKERS = Workers()


def _where_stuck(worker: _Worker) -> str:
    frame = sys._current_frames().get(worker.thread)
    place = traceback.extract_stack(frame)[-1] if frame else None
    where = f" at {place.filename}:{place.lineno} in {place.name}" if place else ""
    return f"thread {worker.name!r} ran for {PATIENCE_S:.0f} s of real time without waiting{where}"


# -- what replaces the standard library's own waits


def install(clock: Clock) -> None:
    """Replace sleeps, conditions, thread starts and joins, and executors' submit."""
    WORKERS.clock = clock
    threading.Condition.wait = _wait  # type: ignore[method-assign]
    threading.Condition.notify = _notify  # type: ignore[method-assign]
    threading.Thread.start = _start  # type: ignore[method-assign]
    threading.Thread.join = _join  # type: ignore[method-assign]
    concurrent.futures.ThreadPoolExecutor.submit = _submit  # type: ignore[assignment, method-assign]


def blocking_clock(clock: Clock) -> Callable[[], float]:
    """Seconds for timeouts of blocking calls: virtual where the wait is, real elsewhere."""

    def now() -> float:
        return clock.peek() / NS if WORKERS.controls() else real.monotonic()

    return now


def sleep(seconds: float) -> None:
    """``time.sleep`` on the virtual clock; real on threads that are not under control."""
    clock = WORKERS.clock
    assert clock is not None
    worker = WORKERS.current()
    ns = clock.peek() + max(0, round(seconds * NS))
    if worker is not None:
        WORKERS.at(ns, lambda: WORKERS.wake(worker))
        WORKERS.park(worker)
    elif WORKERS.on_loop():
        WORKERS.block(lambda: False, ns)
    elif threading.get_ident() == clock.thread:
        clock.advance_to(ns)  # before any loop runs: a program's own start-up
    else:
        real.sleep(seconds)


class _Waiter:
    """Stands in a condition's line of locks; to release it is to wake whoever waits."""

    __slots__ = ("released", "worker")

    def __init__(self, worker: _Worker | None) -> None:
        self.worker = worker
        self.released = False

    def release(self) -> None:
        if not self.released:
            self.released = True
            if self.worker is not None:
                WORKERS.wake(self.worker)


def _wait(self: threading.Condition, timeout: float | None = None) -> bool:
    if not WORKERS.controls() or getattr(threading.current_thread(), "_lkgate_starting", False):
        return real.condition_wait(self, timeout)
    if not self._is_owned():  # type: ignore[attr-defined]
        raise RuntimeError("cannot wait on un-acquired lock")
    clock = WORKERS.clock
    assert clock is not None
    waiter = _Waiter(WORKERS.current())
    line: collections.deque[Any] = self._waiters  # type: ignore[attr-defined]
    line.append(waiter)
    deadline = None if timeout is None else clock.peek() + max(0, round(timeout * NS))
    state = self._release_save()  # type: ignore[attr-defined]
    try:
        if waiter.worker is None:
            got = WORKERS.block(lambda: waiter.released, deadline)
        else:
            got = _park_waiter(waiter, deadline)
    finally:
        self._acquire_restore(state)  # type: ignore[attr-defined]
    if not got:
        with contextlib.suppress(ValueError):
            line.remove(waiter)
    return got


def _park_waiter(waiter: _Waiter, deadline_ns: int | None) -> bool:
    worker = waiter.worker
    assert worker is not None
    timed_out: list[bool] = []
    if deadline_ns is not None:

        def expire() -> None:
            if not waiter.released:
                timed_out.append(True)
                waiter.release()

        WORKERS.at(deadline_ns, expire)
    WORKERS.park(worker)
    return not timed_out


def _notify(self: threading.Condition, n: int = 1) -> None:
    if not self._is_owned():  # type: ignore[attr-defined]
        raise RuntimeError("cannot notify on un-acquired lock")
    line: collections.deque[Any] = self._waiters  # type: ignore[attr-defined]
    while line and n > 0:
        waiter = line.popleft()
        # A lock that timed out meanwhile is released already (as the original does, go on).
        with contextlib.suppress(RuntimeError):
            waiter.release()
        n -= 1


def _start(self: threading.Thread) -> None:
    target = getattr(self, "_target", None)
    pooled = target is not None and getattr(target, "__name__", "") == "_worker"
    if not WORKERS.controls() or pooled:
        real.thread_start(self)
        return
    starter: Any = threading.current_thread()
    starter._lkgate_starting = True  # the new thread's "I run" is real, not the program's
    try:
        WORKERS.adopt(self)
    finally:
        starter._lkgate_starting = False


def _join(self: threading.Thread, timeout: float | None = None) -> None:
    ended: list[bool] | None = getattr(self, "_lkgate_ended", None)
    if ended is None or not WORKERS.controls():
        real.thread_join(self, timeout)
        return
    clock = WORKERS.clock
    assert clock is not None
    deadline = None if timeout is None else clock.peek() + max(0, round(timeout * NS))
    if WORKERS.current() is None:
        WORKERS.block(lambda: bool(ended), deadline)
    else:
        while not ended and (deadline is None or clock.peek() < deadline):
            sleep(0.001)
    if ended:
        real.thread_join(self)


def _submit(
    self: concurrent.futures.ThreadPoolExecutor,
    fn: Callable[..., Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> concurrent.futures.Future[Any]:
    if not WORKERS.controls():
        return _real_submit(self, fn, *args, **kwargs)
    if self._shutdown:
        raise RuntimeError("cannot schedule new futures after shutdown")
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def work() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks the future
            future.set_exception(error)

    WORKERS.spawn(work, lambda _: None, executor=self)
    return future


_real_submit = concurrent.futures.ThreadPoolExecutor.submit


class _ParkingSelector(selectors.DefaultSelector):
    """A selector whose wait is a worker's wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waiter: _Waiter | None = None

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        worker = WORKERS.current()
        if events or timeout == 0 or worker is None:
            return events or (super().select(timeout) if worker is None else [])
        clock = WORKERS.clock
        assert clock is not None
        self.waiter = _Waiter(worker)
        _park_waiter(
            self.waiter, None if timeout is None else clock.peek() + max(0, round(timeout * NS))
        )
        self.waiter = None
        return super().select(0)


class WorkerLoop(asyncio.SelectorEventLoop):
    """An event loop on a thread of the program's own, on the same virtual clock."""

    def __init__(self) -> None:
        self._parking = _ParkingSelector()
        super().__init__(self._parking)

    def time(self) -> float:
        clock = WORKERS.clock
        assert clock is not None
        return clock.peek() / NS

    def _write_to_self(self) -> None:
        super()._write_to_self()  # type: ignore[misc]
        if self._parking.waiter is not None:
            self._parking.waiter.release()
