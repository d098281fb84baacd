"""The two clocks of a machine, to be replaced in tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Nanoseconds: ``monotonic_ns`` measures a recording, ``wall_ns`` (of the epoch) dates it."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    wall_ns: Callable[[], int] = time.time_ns


SYSTEM = Clock()

# By how much the wall clock may leave the monotonic one before that is an event: slewing stays
# below, for it takes half an hour for a second.
STEP_US = 500_000


class Steps:
    """Notices when the wall clock is set: its distance to session time changes at once."""

    def __init__(self, started_at_unix_us: int):
        self._origin_us = started_at_unix_us

    def by_us(self, unix_us: int, session_us: int) -> int | None:
        """By how much it was set since the last step, ``None`` if it was not."""
        moved_us = unix_us - session_us - self._origin_us
        if abs(moved_us) < STEP_US:
            return None
        self._origin_us += moved_us
        return moved_us
