"""Whether this machine kept time: how late the event loop that plays and captures was called.

Caller, recorder and pulse share one loop. A pulse that comes late by D means that a caller's
chunk was written late by up to D, and that what arrived was noticed as late. The caller keeps
``CUSHION_MS`` of audio ahead, so that shorter delays are heard by nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lkgate.model.event import Json

# Audio that the caller keeps ahead.
CUSHION_MS = 150
# A longer delay tears a hole into an utterance, and an answer that was in time comes too late.
WORST_US = CUSHION_MS * 1000
# Delays above this are counted, and may be no more than that share of the pulses: what is that
# busy all the time makes the agent late as well.
SLOW_US = 20_000
SLOW_SHARE = 0.02
# Of the caller's own audio that did not arrive in time at the recorder, in one call.
LOST_US = 200_000

_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How the pulses of one call came.

    Attributes:
        pulses: how many there were.
        slow: how many came more than ``SLOW_US`` late.
        worst_us: the longest delay.
    """

    pulses: int
    slow: int
    worst_us: int

    @property
    def slow_ratio(self) -> float:
        return self.slow / self.pulses if self.pulses else 0.0

    def as_json(self) -> dict[str, Json]:
        """For the bundle's events."""
        return {"pulses": self.pulses, "slow": self.slow, "worst_us": self.worst_us}


def lateness(timeliness: Timeliness, *, lost_us: int, cut_off: bool) -> str | None:
    """Why a call says nothing about the agent; ``None`` if it was played and captured in time.

    Args:
        lost_us: of the caller's audio that was late or lost on its way to the recorder.
        cut_off: the recorder lost its connection to the server meanwhile.
    """
    worst_ms, bound_ms = timeliness.worst_us // 1000, WORST_US // 1000
    if timeliness.pulses == 0:
        return "this machine never came to measure whether it keeps time"
    if timeliness.worst_us > WORST_US:
        return f"this machine stood still for {worst_ms} ms, allowed are {bound_ms} ms"
    if timeliness.slow_ratio > SLOW_SHARE:
        return (
            f"this machine was more than {SLOW_US // 1000} ms late in "
            f"{timeliness.slow_ratio:.1%} of the call, allowed are {SLOW_SHARE:.0%}"
        )
    if cut_off:
        return "the connection to the server was lost in the middle of the call"
    if lost_us > LOST_US:
        return (
            f"{lost_us // 1000} ms of the caller's audio came late or not at all, allowed are "
            f"{LOST_US // 1000} ms"
        )
    return None


class Pulse:
    """Beats while its ``run`` does.

    Args:
        now_ns: a monotonic clock.
        sleep: of the loop that is measured.
    """

    def __init__(
        self,
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        self._now_ns = now_ns
        self._sleep = sleep
        self._pulses = self._slow = self._worst_us = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due_ns = self._now_ns() + round(_EVERY_S * 1e9)
            await self._sleep(_EVERY_S)
            late_us = max(0, (self._now_ns() - due_ns) // 1000)
            self._pulses += 1
            self._slow += late_us > SLOW_US
            self._worst_us = max(self._worst_us, late_us)

    @property
    def timeliness(self) -> Timeliness:
        """Until now."""
        return Timeliness(self._pulses, self._slow, self._worst_us)


class Pace:
    """How many calls at once this machine is trusted with: as many as it was seen to carry.

    Begins with one; doubles, up to ``most``, while calls are in time with half of every bound to
    spare; halves when one is late.
    """

    def __init__(self, most: int):
        self._most = most
        self.at_once = 1
        self.reached = 1

    def after(self, together: Sequence[Timeliness], *, late: bool) -> None:
        """Take note of calls that were placed together, and whether one of them was late."""
        if late:
            self.at_once = max(1, self.at_once // 2)
        elif all(_with_room(one) for one in together):
            self.at_once = min(self._most, 2 * self.at_once)
        self.reached = max(self.reached, self.at_once)


def _with_room(timeliness: Timeliness) -> bool:
    return timeliness.worst_us <= WORST_US // 2 and timeliness.slow_ratio <= SLOW_SHARE / 2
