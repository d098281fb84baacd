"""The virtual clock: integer nanoseconds that move only when they are moved."""

from __future__ import annotations

import threading

from lkgate.harness.time import real

NS = 1_000_000_000
START_NS = 1_000 * NS
TICK_NS = 1_000


class Clock:
    """Time of the whole process.

    A read on the loop's thread adds a microsecond, so that reads strictly increase: LiveKit breaks
    ties by ``perf_counter_ns``. The loop's own ``peek`` adds nothing.

    Attributes:
        now_ns: monotonic time, without the reads since the last move.
        wall_ns: what has to be added to it for the time of day.
    """

    __slots__ = ("_anchor", "_reads_ns", "now_ns", "thread", "wall_ns")

    def __init__(self, *, started_at_unix_us: int) -> None:
        self.thread = threading.get_ident()
        self.set(started_at_unix_us)

    def set(self, started_at_unix_us: int) -> None:
        """Go back to the beginning, at this time of day."""
        self.now_ns = START_NS
        self.wall_ns = started_at_unix_us * 1_000 - START_NS
        self._reads_ns = 0
        self._anchor: tuple[int, int] | None = None

    def peek(self) -> int:
        """Monotonic nanoseconds; the read leaves no trace."""
        return self.now_ns + self._reads_ns

    def read(self) -> int:
        """Monotonic nanoseconds, strictly greater than the last read on the loop's thread."""
        if threading.get_ident() == self.thread:
            if self._anchor is not None:
                self.sync()
            self._reads_ns += TICK_NS
        return self.now_ns + self._reads_ns

    def advance_to(self, ns: int) -> None:
        """Move to ``ns``, never backwards."""
        now = self.now_ns + self._reads_ns
        self.now_ns = ns if ns > now else now
        self._reads_ns = 0

    def anchor(self) -> None:
        """From now on the clock runs at the machine's pace."""
        self._anchor = (real.monotonic_ns(), self.peek())

    def release(self) -> None:
        """The clock stands still again, where it is."""
        self.sync()
        self._anchor = None

    @property
    def anchored(self) -> bool:
        return self._anchor is not None

    def sync(self) -> None:
        """Catch up with the machine's clock while anchored."""
        if self._anchor is not None:
            self.advance_to(self._anchor[1] + real.monotonic_ns() - self._anchor[0])
