"""The standard library's locks, threads and sleeps, on the virtual clock.

Everything that blocks in ``threading``, ``queue`` and ``concurrent.futures`` stands on one
primitive, the lock. It is replaced by one that knows whose turn it is; what is built upon it,
conditions, events, semaphores, queues, pools and futures, is the standard library's own code.
"""

from __future__ import annotations

import collections
import queue
import sys
import threading
from types import TracebackType
from typing import Any

from lkgate.harness.time import real
from lkgate.harness.time.scheduler import Scheduler, Strand
from lkgate.harness.time.waiting import WorkerStuckError

# Threads of these modules wait for the machine (a child process), never for the program.
_MACHINES = ("asyncio.unix_events", "concurrent.futures.process", "multiprocessing", "subprocess")
_NS = 1_000_000_000

_scheduler: Scheduler | None = None


class Lock:
    """``threading.Lock`` whose waiters give their turn away instead of stopping the program."""

    __slots__ = ("__weakref__", "_lock", "_waiters")

    def __init__(self) -> None:
        self._lock = real.Lock()
        self._waiters: collections.deque[Strand] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(False) or self._wait(blocking, timeout)

    def release(self) -> None:
        self._lock.release()
        if self._waiters:
            assert _scheduler is not None
            _scheduler.wake(self._waiters.popleft())

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self._lock.acquire(False) or self._wait(True, -1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._lock = real.Lock()
        self._waiters = None

    def __repr__(self) -> str:
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} lkgate lock at {id(self):#x}>"

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _wait(self, blocking: bool, timeout: float) -> bool:
        if not blocking or timeout < 0:
            if timeout != -1:
                # Words and error are the original's.
                return self._lock.acquire(blocking, timeout)
            if not blocking:
                return False
        scheduler = _scheduler
        strand = None if scheduler is None else scheduler.current()
        if scheduler is None or strand is None or strand.unscheduled:
            return self._lock.acquire(True, timeout)
        deadline = None if timeout < 0 else scheduler.clock.peek() + round(timeout * _NS)
        waiters = self._waiters
        if waiters is None:
            waiters = self._waiters = collections.deque()
        while True:
            scheduler.prepare(strand)
            waiters.append(strand)
            try:
                # A thread that takes no turns may have let go in between.
                if self._lock.acquire(False):
                    return True
                woken = scheduler.park(strand, deadline)
                if self._lock.acquire(False):
                    return True
                if not woken:
                    return False
            finally:
                if strand in waiters:
                    waiters.remove(strand)


def install(scheduler: Scheduler) -> None:
    """Replace locks, simple queues, thread starts and joins in this process, for good."""
    global _scheduler
    _scheduler = scheduler
    library: Any = threading
    library._allocate_lock = Lock
    library.Lock = Lock
    library._CRLock = None  # RLock() then makes the one that is written in Python, upon our lock
    library.RLock = library._PyRLock
    library.Thread.start = _start
    library.Thread.join = _join
    simple: Any = queue
    simple.SimpleQueue = simple._PySimpleQueue


def sleep(seconds: float) -> None:
    """``time.sleep`` on the virtual clock; real on threads that take no turns."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    scheduler = _scheduler
    strand = None if scheduler is None else scheduler.current()
    if scheduler is None or strand is None:
        real.sleep(seconds)
        return
    deadline = scheduler.clock.peek() + round(seconds * _NS)
    while True:  # once; but a late word to an earlier wait must not cut this one short
        scheduler.prepare(strand)
        if not scheduler.park(strand, deadline):
            return


def monotonic() -> float:
    """What ``threading`` and ``queue`` measure timeouts with: the clock that the wait is on."""
    scheduler = _scheduler
    if scheduler is None or scheduler.current() is None:
        return real.monotonic()
    return scheduler.clock.peek() / _NS


def _start(self: threading.Thread) -> None:
    scheduler = _scheduler
    starter = None if scheduler is None else scheduler.current()
    if scheduler is None or starter is None or _is_machines(self) or self.ident is not None:
        real.thread_start(self)
        return
    strand = Strand(self.name, self)
    body = self.run

    def run() -> None:
        strand.gate.acquire()
        try:
            body()
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001 - as the thread's own bootstrap does, in its turn
            threading.excepthook(threading.ExceptHookArgs([*sys.exc_info(), self]))
        finally:
            vars(self).pop("run", None)
            scheduler.leave(strand)

    thread: Any = self
    thread.run = run
    thread._lkgate_strand = strand
    # Its "I am alive" comes from the machine. What it runs waits for its first turn.
    starter.unscheduled = True
    try:
        real.thread_start(self)
    finally:
        starter.unscheduled = False
    scheduler.enter(strand, thread.ident)


def _join(self: threading.Thread, timeout: float | None = None) -> None:
    scheduler = _scheduler
    joiner = None if scheduler is None else scheduler.current()
    strand: Strand | None = getattr(self, "_lkgate_strand", None)
    if scheduler is None or joiner is None or strand is None or not scheduler.knows(strand):
        real.thread_join(self, timeout)  # takes no turns, has ended, or was lost in a fork
        return
    deadline = None if timeout is None else scheduler.clock.peek() + round(timeout * _NS)
    while not strand.finished:
        scheduler.prepare(joiner)
        strand.waiting.append(joiner)
        if not scheduler.park(joiner, deadline):
            strand.waiting.remove(joiner)
            return
    real.thread_join(self)


def _is_machines(thread: threading.Thread) -> bool:
    work = getattr(thread, "_target", None) or type(thread).run
    return str(getattr(work, "__module__", "")).startswith(_MACHINES)


__all__ = ["Lock", "WorkerStuckError", "install", "monotonic", "sleep"]
