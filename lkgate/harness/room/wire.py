"""The network between the virtual server and its clients: things arrive later, in order."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """How long things take on their way. Measured against a server on the same machine.

    Attributes:
        latency_us: from one client to another, for audio, data and signalling.
        connect_us: from ``Room.connect`` until it returns.
        publish_us: from ``publish_track`` until it returns.
        subscribe_us: from then until the other clients are subscribed.
    """

    latency_us: int = 45_000
    connect_us: int = 100_000
    publish_us: int = 50_000
    subscribe_us: int = 350_000


class Wire:
    """Calls back after a delay; what is due at the same time comes in the order it was sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sent = 0
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._delivering = False

    def send(self, delay_us: int, arrive: Callable[[], None]) -> None:
        """Call ``arrive`` after ``delay_us``."""
        due = self._loop.time() + delay_us / 1_000_000
        self._sent += 1
        heapq.heappush(self._waiting, (due, self._sent, arrive))
        if not self._delivering and (self._timer is None or due < self._timer_due):
            self._arm(due)

    def close(self) -> None:
        """Drop what is on its way."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        self._delivering = True
        due = max(self._loop.time(), self._timer_due)
        try:
            while self._waiting and self._waiting[0][0] <= due:
                heapq.heappop(self._waiting)[2]()
        finally:
            self._delivering = False
            if self._waiting:
                self._arm(self._waiting[0][0])
