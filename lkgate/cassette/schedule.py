"""Speech recognition follows the caller: what was heard belongs to what was said.

In a replay the caller's utterances begin at other times than in the recording. An event of the
recogniser moves with the utterance during or after which it came; those before the first utterance
stay where they were.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An event and when it is due.

    Attributes:
        utterance: index of the planned utterance that it follows, ``None`` for the session's
            start.
        offset_us: from the utterance's first sound, as heard in the room.
        recorded_us: from the session's start, in the recording.
        event: as recorded.
    """

    utterance: int | None
    offset_us: int
    recorded_us: int
    event: Mapping[str, Json]


def stt_schedule(
    events: Sequence[Mapping[str, Json]], plan: CallerPlan | None
) -> tuple[Scheduled, ...]:
    """Tie events, each with its recorded session time ``t_us``, to the plan's utterances."""
    said = () if plan is None else plan.utterances
    starts = [utterance.span.start_us for utterance in said]
    made: list[Scheduled] = []
    for event in sorted(events, key=time_of):
        t_us = time_of(event)
        place = bisect_right(starts, t_us) - 1
        if place < 0:
            made.append(Scheduled(None, t_us, t_us, event))
        else:
            made.append(Scheduled(said[place].index, t_us - starts[place], t_us, event))
    return tuple(made)


def utterance_at(start_us: int, end_us: int, spans: Sequence[tuple[int, int, int]]) -> int | None:
    """The utterance that most of a stretch of audio belongs to.

    Args:
        start_us, end_us: the stretch.
        spans: ``(index, start_us, end_us)`` of the utterances, in order.

    Returns:
        Its index; without any overlap that of the last one before the stretch's end, else
        ``None``.
    """
    best: int | None = None
    best_us = 0
    for index, first_us, last_us in spans:
        overlap_us = min(end_us, last_us) - max(start_us, first_us)
        if overlap_us > best_us or (best_us <= 0 and first_us <= end_us):
            best, best_us = index, max(0, overlap_us)
    return best


def time_of(event: Mapping[str, Json]) -> int:
    """When an event came, session time."""
    t_us = event["t_us"]
    assert isinstance(t_us, int)  # checked when the cassette was opened
    return t_us
