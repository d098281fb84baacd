"""The calls of a verdict as a page shows them, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lkgate.model.turn import Turn
from lkgate.model.verdict import JudgedCall, Verdict
from lkgate.report import words
from lkgate.report.html.reasons import MOST_PLACES, Place, place_of
from lkgate.report.html.rows import Row, rows_of
from lkgate.report.html.sound import SILENT, Heard, Side
from lkgate.report.html.timeline import Timeline, draw, scaled

SIDES: tuple[Side, ...] = ("recording", "baseline", "candidate")
_MUTE: Mapping[Side, str] = {
    "recording": "no audio kept",
    "baseline": "only its events are kept: git holds no audio of a baseline.",
    "candidate": "no audio kept",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """What a call can show beside its verdict.

    Attributes:
        heard: of each side that can be listened to.
        recorded: the recording's turns.
        durations_us: of each session that there is.
        commands: that make a side heard of which no sound is kept.
    """

    heard: Mapping[Side, Heard] = field(default_factory=dict)
    recorded: tuple[Turn, ...] = ()
    durations_us: Mapping[Side, int] = field(default_factory=dict)
    commands: Mapping[Side, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One session on the call's time axis.

    Attributes:
        heard: whether it can be played.
        note: why not.
        command: that makes it heard, empty if there is none.
        events: that can be stepped through.
    """

    side: Side
    name: str
    timeline: Timeline
    heard: bool
    note: str
    command: str
    events: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        broken: why there is no replay, else empty.
        rules: that it breaks, error rules first.
        length_us: of the time axis.
        ticks: positions on the time axis, of 1000, and what stands there.
    """

    name: str
    broken: str
    rules: tuple[str, ...]
    warnings: tuple[str, ...]
    layers: tuple[str, ...]
    cohort: Mapping[str, str]
    divergence: str
    drawn: tuple[Drawn, ...]
    rows: tuple[Row, ...]
    places: tuple[Place, ...]
    length_us: int
    ticks: tuple[tuple[float, str], ...]


def calls_of(verdict: Verdict, build: str, sources: Mapping[str, Sources]) -> tuple[Call, ...]:
    """Every call that was judged, the one with the most broken rules first."""
    found = [_call(one, verdict, build, sources.get(one.call, Sources())) for one in verdict.calls]
    return tuple(
        sorted(
            found,
            key=lambda one: (
                not one.broken, -len(one.rules), -len(one.warnings), not one.divergence, one.name,
            ),
        )
    )  # fmt: skip


def _call(one: JudgedCall, verdict: Verdict, build: str, sources: Sources) -> Call:
    broken = [
        found
        for found in verdict.with_status("fail")
        if any(place.call == one.call for place in found.evidence)
    ]
    errors = tuple(found.rule.label for found in broken if found.rule.severity == "error")
    mild = tuple(found.rule.label for found in broken if found.rule.severity != "error")
    layers = {found.spec.layer for found in broken if found.spec.layer}
    first = one.difference.first_divergence if one.difference else None
    if first is not None:
        layers.add(first.layer)
    length_us = max([1, *sources.durations_us.values()])
    return Call(
        name=one.call,
        broken=one.failure.message if one.failure else "",
        rules=errors,
        warnings=mild,
        layers=tuple(sorted(layers)),
        cohort=dict(one.labels.cohort) if one.labels else {},
        divergence=(
            f"{words.clock(first.difference.t_us)}, layer {first.layer}: {first.reason}"
            if first
            else ""
        ),
        drawn=tuple(_drawn(side, one, build, sources, length_us) for side in SIDES
                    if _turns(side, one, sources)),
        rows=rows_of(one),
        places=tuple(
            place_of(place, found)
            for found in broken
            for place in found.evidence
            if place.call == one.call
        )[:MOST_PLACES],
        length_us=length_us,
        ticks=_ticks(length_us),
    )  # fmt: skip


def _turns(side: Side, one: JudgedCall, sources: Sources) -> Sequence[Turn]:
    if side == "recording":
        return sources.recorded
    return one.turns if side == "candidate" else one.baseline_turns


def _drawn(side: Side, one: JudgedCall, build: str, sources: Sources, length_us: int) -> Drawn:
    heard = sources.heard.get(side, SILENT)
    lost = None
    first = one.difference.first_divergence if one.difference else None
    pairs = one.difference.pairs if one.difference else ()
    if side != "recording":
        after = [pair for pair in pairs if pair.after_divergence]
        turns = [pair.candidate if side == "candidate" else pair.baseline for pair in after]
        lost = min((turn.span.start_us for turn in turns if turn), default=None)
    timeline = draw(
        _turns(side, one, sources),
        scaled(heard, sources.durations_us.get(side, length_us), length_us),
        length_us,
        lost_from_us=lost,
        diverges=(first.difference.t_us, first.reason) if first and side == "candidate" else None,
    )
    names = {"recording": "recording", "baseline": "baseline", "candidate": f"candidate {build}"}
    note = "" if heard.opus else _MUTE[side]
    command = "" if heard.opus else sources.commands.get(side, "")
    events = len({box.title for box in timeline.boxes})
    return Drawn(side, names[side], timeline, heard.opus is not None, note, command, events)


def _ticks(length_us: int) -> tuple[tuple[float, str], ...]:
    for step_s in (5, 10, 15, 30, 60, 120, 300, 600, 1800):
        if length_us / 1e6 / step_s <= 8:
            break
    count = int(length_us / 1e6 // step_s)
    return tuple(
        (round(1000 * n * step_s * 1e6 / length_us, 2), words.clock(n * step_s * 1_000_000)[:-2])
        for n in range(count + 1)
    )
