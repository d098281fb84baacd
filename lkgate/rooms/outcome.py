"""What calls over rooms gave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lkgate.model.bundle import BuildIdentity, Bundle
from lkgate.replay.recordings import Recording
from lkgate.rooms.pulse import Timeliness


@dataclass(frozen=True, slots=True)
class Take:
    """One call as it was placed to one build, once.

    Attributes:
        bundle: what the hidden recorder wrote; kept even if it is late, to listen to.
        path: where it lies.
        timeliness: how well this machine kept time meanwhile.
        late: why it says nothing about the agent; ``None`` if it was played and captured in time.
    """

    bundle: Bundle
    path: Path
    timeliness: Timeliness
    late: str | None


@dataclass(frozen=True, slots=True)
class Played:
    """One repeat of one call.

    Attributes:
        repeat: 1-based.
        baseline: the take of the build that it is held to, of the same minutes; ``None`` if none
            is interleaved.
    """

    recording: Recording
    repeat: int
    candidate: Take
    baseline: Take | None


@dataclass(frozen=True, slots=True)
class RoomSet:
    """All repeats of all calls of one run, by call and then by repeat.

    Attributes:
        baseline: the interleaved build, ``None`` without one.
        repeats: of each call.
        at_once: the most calls that this machine was trusted with at a time.
    """

    build: BuildIdentity
    baseline: BuildIdentity | None
    calls: tuple[Played, ...]
    repeats: int
    at_once: int
