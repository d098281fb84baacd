"""Threads as coroutines: exactly one of the program's threads runs at any moment.

A thread that waits (a lock, a queue, a sleep, a join) parks and gives the turn back to the main
thread; whoever wakes it only puts it in line. The main thread lets the line move when it has
nothing else to do, or waits itself, so the order is the program's own, not the machine's.
"""

from __future__ import annotations

import asyncio
import collections
import heapq
import itertools
import threading
from typing import TYPE_CHECKING, Protocol

from lkgate.harness.time import real
from lkgate.harness.time.waiting import DeadlockError, HorizonError, WorkerStuckError, describe

if TYPE_CHECKING:
    from lkgate.harness.time.clock import Clock

# Real seconds that a thread may run without waiting for anything before the call is given up.
PATIENCE_S = 60.0
# Real seconds after which a thread is left to run beside the loop, where real requests may be out.
LOOSE_AFTER_S = 0.005
# Real seconds without anything to do before the program counts as stuck: an unknown thread (native
# code, the machine's own) may still call back.
GRACE_S = 2.0
_POLL_S = 0.001


class Ringable(Protocol):
    """The loop of the main thread, as far as the scheduler knows it."""

    def ring(self) -> None:
        """Make it look around, from any thread."""

    def as_loop(self) -> asyncio.AbstractEventLoop: ...


class Strand:
    """One thread that takes turns. ``gate`` is closed while it is parked.

    Attributes:
        parks: how often it has parked; a timer for an earlier wait is void.
        unscheduled: it waits for the machine at this moment, not for the program.
        loose: it ran too long and now runs beside the loop, at real pace.
        waiting: strands that wait for its end.
    """

    __slots__ = (
        "expired",
        "finished",
        "gate",
        "ident",
        "loose",
        "name",
        "parks",
        "thread",
        "unscheduled",
        "waiting",
        "woken",
    )

    def __init__(self, name: str, thread: threading.Thread | None = None) -> None:
        self.name = name
        self.thread = thread
        self.gate = real.Lock()
        self.gate.acquire()
        self.ident = 0
        self.parks = 0
        self.woken = self.expired = self.finished = self.loose = self.unscheduled = False
        self.waiting: list[Strand] = []


class Scheduler:
    """The line of threads that wait for their turn, and their timers.

    Attributes:
        main: the strand of the main thread; it holds the line, and runs when nobody in it does.
        loop: what runs on the main thread.
        horizon_ns: where time ends.
        hybrid: the program's threads may wait for the real world.
        failure: why the program cannot go on, if that was found while it held the main thread.
        collect_ns: how often garbage is collected, in virtual time; ``None`` for never.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.order = itertools.count()
        self.forget()

    def forget(self) -> None:
        """After a fork none of the threads exists."""
        self.main = Strand("main")
        self.main.ident = self.clock.thread
        self.strands: dict[int, Strand] = {}
        self.ready: collections.deque[Strand] = collections.deque()
        self._sleepers: list[tuple[int, int, Strand, int]] = []
        self._back = real.Lock()
        self._back.acquire()
        self._handing_over = real.Lock()
        self.loop: Ringable | None = None
        self.horizon_ns: int | None = None
        self.hybrid = False
        self.failure: Exception | None = None

    def current(self) -> Strand | None:
        """The strand of the calling thread; ``None`` for one that does not take turns."""
        ident = real.get_ident()
        if ident == self.clock.thread:
            return self.main
        return self.strands.get(ident)

    def knows(self, strand: Strand) -> bool:
        """Whether the strand's thread lives, and is not the calling one."""
        ident = strand.ident
        return ident != real.get_ident() and self.strands.get(ident) is strand

    # -- waiting and waking

    def prepare(self, strand: Strand) -> None:
        """Before a strand says what it waits for: from here on it can be woken."""
        strand.parks += 1
        strand.woken = strand.expired = False

    def park(self, strand: Strand, deadline_ns: int | None) -> bool:
        """Give the turn away until woken or until the deadline; whether it was woken.

        Raises:
            DeadlockError, HorizonError, WorkerStuckError: on the main thread only.
        """
        if deadline_ns is not None:
            heapq.heappush(self._sleepers, (deadline_ns, next(self.order), strand, strand.parks))
        if strand is self.main:
            self._drive(strand)
        else:
            self._give_back(strand)
            strand.gate.acquire()
        return strand.woken

    def wake(self, strand: Strand) -> None:
        """Put a strand in line. Thread-safe; a strand is woken once."""
        if strand.woken or strand.expired:
            return
        strand.woken = True
        if strand is not self.main:
            self.ready.append(strand)
        by = self.current()
        if (by is None or by.loose) and self.loop is not None:
            self.loop.ring()

    def next_ns(self) -> int | None:
        """When the first sleeper wakes."""
        sleepers = self._sleepers
        while sleepers:
            when, _, strand, parks = sleepers[0]
            if strand.parks == parks and not strand.woken and not strand.finished:
                return when
            heapq.heappop(sleepers)
        return None

    def fire(self) -> None:
        """Put the sleepers that are due in line."""
        now = self.clock.now_ns
        while (when := self.next_ns()) is not None and when <= now:
            strand = heapq.heappop(self._sleepers)[2]
            strand.expired = True
            if strand is not self.main:
                self.ready.append(strand)

    def advance(self, when_ns: int) -> None:
        """Move time to the next event and put in line who sleeps until then.

        Raises:
            HorizonError: time ends before.
        """
        if self.horizon_ns is not None and when_ns > self.horizon_ns:
            raise HorizonError("still running at the limit:\n" + self._who_waits())
        self.clock.advance_to(when_ns)
        if self._sleepers:
            self.fire()

    # -- turns

    def turn(self) -> None:
        """Let the first strand in line run until it parks or ends; on the main thread.

        Raises:
            WorkerStuckError: it did neither.
        """
        strand = self.ready.popleft()
        beside = self.hybrid or self.clock.requests > 0
        strand.gate.release()
        if not self._back.acquire(timeout=LOOSE_AFTER_S if beside else PATIENCE_S):
            with self._handing_over:
                if not self._back.acquire(blocking=False):
                    strand.loose = True
                    self.clock.real_begin()
                    if beside:
                        return
            where = describe(None, [(strand.name, strand.ident)])
            raise WorkerStuckError(f"ran for {PATIENCE_S:.0f} s without waiting: {where}")
        if strand.finished and strand.thread is not None:
            real.thread_join(strand.thread)  # is_alive() must not depend on the machine

    def enter(self, strand: Strand, ident: int) -> None:
        """A thread was started, and waits for its first turn."""
        strand.ident = ident
        self.strands[ident] = strand
        self.ready.append(strand)

    def leave(self, strand: Strand) -> None:
        """The thread of this strand ends; called on it."""
        strand.finished = True
        del self.strands[strand.ident]
        for other in strand.waiting:
            self.wake(other)
        self._give_back(strand)

    def _give_back(self, strand: Strand) -> None:
        with self._handing_over:
            if not strand.loose:
                self._back.release()
                return
            strand.loose = False
        self.clock.real_end()
        if self.loop is not None:
            self.loop.ring()

    def _drive(self, strand: Strand) -> None:
        """The main thread waits inside the program: threads go on, the loop's timers do not."""
        try:
            idle_since: int | None = None
            while not strand.woken and not strand.expired:
                if self.ready:
                    self.turn()
                    idle_since = None
                    continue
                when = self.next_ns()
                if self.clock.requests:
                    real.sleep(_POLL_S)
                    self.clock.sync()
                    self.fire()
                elif when is not None:
                    self.advance(when)
                else:
                    now = real.monotonic_ns()
                    idle_since = idle_since or now
                    if now - idle_since > GRACE_S * 1e9:
                        raise self.deadlock()
                    real.sleep(_POLL_S)
        except (DeadlockError, HorizonError, WorkerStuckError) as error:
            self.failure = error  # the program may swallow it; the loop will not
            raise

    def deadlock(self) -> DeadlockError:
        return DeadlockError(
            "everything waits for something that can never come:\n" + self._who_waits()
        )

    def _who_waits(self) -> str:
        threads = [(strand.name, strand.ident) for strand in self.strands.values()]
        if self.loop is None:
            threads.insert(0, (self.main.name, self.main.ident))
        return describe(None if self.loop is None else self.loop.as_loop(), threads)
