"""The virtual clock: integer nanoseconds that move only when they are moved."""

from __future__ import annotations

from lkgate.harness.time import real
from lkgate.harness.time.scheduler import Scheduler

NS = 1_000_000_000
START_NS = 1_000 * NS
TICK_NS = 1_000


class Clock:
    """Time of the whole process.

    A read by the program adds a microsecond, so that reads strictly increase: LiveKit breaks ties
    by ``perf_counter_ns``. The loop's own ``peek`` adds nothing. While a real request is out the
    clock follows the machine's.

    Attributes:
        now_ns: monotonic time.
        wall_ns: what has to be added to it for the time of day.
        thread: the main thread's identifier: the one that runs the loop.
        requests: real requests that are out.
        scheduler: of the program's threads.
    """

    __slots__ = (
        "_anchor",
        "_lock",
        "began_ns",
        "now_ns",
        "requests",
        "scheduler",
        "thread",
        "wall_ns",
    )

    def __init__(self, *, started_at_unix_us: int) -> None:
        self.thread = real.get_ident()
        self.scheduler = Scheduler(self)
        self._lock = real.Lock()
        self.set(started_at_unix_us)

    def set(self, started_at_unix_us: int) -> None:
        """Go back to the beginning, at this time of day."""
        self._begin(START_NS, started_at_unix_us)

    def restart(self, started_at_unix_us: int) -> None:
        """Begin a new session at this time of day.

        Monotonic time goes on from the next round number of seconds: never backwards, and the
        same whatever was read before.
        """
        self._begin((self.now_ns // START_NS + 1) * START_NS, started_at_unix_us)

    def _begin(self, ns: int, started_at_unix_us: int) -> None:
        self.now_ns = self.began_ns = ns
        self.wall_ns = started_at_unix_us * 1_000 - ns
        self.requests = 0
        self._anchor: tuple[int, int] | None = None

    def now_us(self) -> int:
        """Microseconds since the session began; the read leaves no trace."""
        return (self.peek() - self.began_ns) // 1_000

    def peek(self) -> int:
        """Monotonic nanoseconds; the read leaves no trace."""
        if self._anchor is not None:
            self.sync()
        return self.now_ns

    def read(self) -> int:
        """Monotonic nanoseconds, strictly greater than the program's last read."""
        if self._anchor is not None:
            self.sync()
        ident = real.get_ident()
        if ident == self.thread or ident in self.scheduler.strands:
            self.now_ns += TICK_NS
        return self.now_ns

    def advance_to(self, ns: int) -> None:
        """Move to ``ns``, never backwards."""
        if ns > self.now_ns:
            self.now_ns = ns

    # -- real pace

    def real_begin(self) -> None:
        """A real request is out: until :meth:`real_end` the clock runs at the machine's pace."""
        with self._lock:
            self.requests += 1
            if self._anchor is None:
                self._anchor = (real.monotonic_ns(), self.now_ns)

    def real_end(self) -> None:
        """The request came back.

        Raises:
            RuntimeError: none was out.
        """
        with self._lock:
            if self.requests == 0:
                raise RuntimeError("real_end() without real_begin()")
            self.requests -= 1
            if self.requests == 0:
                self.sync()
                self._anchor = None

    def sync(self) -> None:
        """Catch up with the machine's clock, if it is followed."""
        anchor = self._anchor
        if anchor is not None:
            self.advance_to(anchor[1] + real.monotonic_ns() - anchor[0])
