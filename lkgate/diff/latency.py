"""Where a change of response latency comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lkgate.measure.latency import part_of
from lkgate.model.difference import Difference, LatencyPart
from lkgate.model.measurement import Layer, Sample
from lkgate.model.turn import Turn

# Smaller changes of a latency are told by the statistics, not turn by turn.
LATENCY_US = 100_000

_LAYER_OF_PART: Mapping[LatencyPart, Layer] = {
    "end_of_turn": "turn_taking",
    "llm": "llm",
    "tool": "tool",
    "tts": "tts",
    "unexplained": "media",
}


@dataclass(frozen=True, slots=True)
class Waited:
    """Response latencies of one session, by the caller turn that waited."""

    samples: Mapping[int, Sample]

    def us(self, turn: Turn) -> int | None:
        sample = self.samples.get(turn.index)
        return None if sample is None or sample.value is None else int(sample.value)


def latency_difference(
    old: tuple[Turn, Turn | None], new: tuple[Turn, Turn | None], was: Waited, now: Waited
) -> Iterator[Difference]:
    """The change of one response latency, and the part that explains most of it.

    Args:
        old, new: the caller turn that waited, and the agent turn that answered.
    """
    before, after = was.us(old[0]), now.us(new[0])
    if before is None or after is None or abs(after - before) < LATENCY_US:
        return
    change = after - before
    part = _part(old, new, change)
    sample = now.samples[new[0].index]
    yield Difference(
        kind="latency",
        layer=_LAYER_OF_PART[part],
        semantic=False,
        t_us=sample.span.end_us,
        baseline_turn=old[0].index,
        candidate_turn=new[0].index,
        baseline_span=was.samples[old[0].index].span,
        candidate_span=sample.span,
        tool=None,
        path=None,
        old=before,
        new=after,
        part=part,
        detail=f"answered {abs(change) // 1000} ms {'later' if change > 0 else 'sooner'} ({part})",
    )


def parts_of(
    old: tuple[Turn, Turn | None], new: tuple[Turn, Turn | None]
) -> dict[LatencyPart, int]:
    """How much longer each part of a response took that LiveKit measured; us.

    Args:
        old, new: the caller turn that waited, and the agent turn that answered.
    """

    def rose(before: int | None, after: int | None) -> int:
        return 0 if before is None or after is None else after - before

    deltas: dict[LatencyPart, int] = {
        "end_of_turn": rose(
            part_of(old[0], lambda m: m.end_of_turn_delay_us, last=True),
            part_of(new[0], lambda m: m.end_of_turn_delay_us, last=True),
        )
    }
    if old[1] is not None and new[1] is not None:
        deltas["llm"] = rose(
            part_of(old[1], lambda m: m.llm_ttft_us, last=False),
            part_of(new[1], lambda m: m.llm_ttft_us, last=False),
        )
        deltas["tts"] = rose(
            part_of(old[1], lambda m: m.tts_ttfb_us, last=False),
            part_of(new[1], lambda m: m.tts_ttfb_us, last=False),
        )
        deltas["tool"] = _tool_time(new[1]) - _tool_time(old[1])
    return deltas


def _part(old: tuple[Turn, Turn | None], new: tuple[Turn, Turn | None], change: int) -> LatencyPart:
    deltas = parts_of(old, new)
    sign = 1 if change > 0 else -1
    part = max(deltas, key=lambda name: sign * deltas[name])
    return part if sign * deltas[part] * 2 >= sign * change else "unexplained"


def _tool_time(turn: Turn) -> int:
    """Time that tools took before the turn's first sound."""
    first = turn.spans[0].start_us if turn.spans else turn.span.end_us
    return sum((c.ended_us or c.t_us) - c.t_us for c in turn.tools if (c.ended_us or 0) <= first)
