"""A verdict as what a page shows of it: reasons, then calls, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lkgate.model.bundle import Span
from lkgate.model.difference import TurnPair
from lkgate.model.gate import Evidence, Finding, JudgedCall, Verdict
from lkgate.model.turn import Turn
from lkgate.report import words
from lkgate.report.html import changes
from lkgate.report.html.changes import Piece
from lkgate.report.html.sound import SILENT, Heard
from lkgate.report.html.timeline import Timeline, draw, scaled

Side = Literal["recording", "baseline", "candidate"]
SIDES: tuple[Side, ...] = ("recording", "baseline", "candidate")
_PLACES = 20


@dataclass(frozen=True, slots=True)
class Sources:
    """What a call can show beside its verdict.

    Attributes:
        heard: of each side that can be listened to.
        recorded: the recording's turns.
        durations_us: of each session that there is.
    """

    heard: Mapping[Side, Heard] = field(default_factory=dict)
    recorded: tuple[Turn, ...] = ()
    durations_us: Mapping[Side, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A place to listen to, and the rule that minds it."""

    rule: str
    call: str
    side: Side
    at_us: int
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that did not simply hold.

    Attributes:
        level: ``fail`` and ``no_verdict`` of error rules; ``warning`` of all others.
    """

    rule: str
    level: Literal["fail", "no_verdict", "warning"]
    what: str
    message: str
    layer: str
    blame: str
    places: tuple[Place, ...]
    more: int
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A turn of the baseline and of the candidate, beside one another."""

    role: str
    index: int | None
    at_us: int | None
    clock: str
    text: tuple[Piece, ...]
    tools: tuple[tuple[str, tuple[Piece, ...]], ...]
    notes: tuple[str, ...]
    lost: bool
    old_at_us: int | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """One session on the call's time axis."""

    side: Side
    name: str
    timeline: Timeline
    heard: bool
    note: str


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


def reasons_of(verdict: Verdict) -> tuple[Reason, ...]:
    """Rules that failed or have no verdict: error rules first, in the gate's order."""
    found = [_reason(one) for one in verdict.findings if one.status in ("fail", "no_verdict")]
    return tuple(sorted(found, key=lambda one: ("fail", "no_verdict", "warning").index(one.level)))


def _reason(found: Finding) -> Reason:
    places = tuple(_place(one, found) for one in found.evidence[:_PLACES])
    failed = found.status == "fail"
    return Reason(
        rule=found.rule.label,
        level=("fail" if failed else "no_verdict") if found.rule.severity == "error" else "warning",
        what=found.reason,
        message=found.rule.message or "",
        layer=found.spec.layer or "",
        blame=words.layer(found.blame) if found.blame is not None else "",
        places=places if failed else (),
        more=len(found.evidence) - len(places) if failed else 0,
        problems=tuple(
            (f"{one.call}: {one.reason}" if one.call else one.reason, one.next_step or "")
            for one in found.problems[:_PLACES]
        ),
    )


def _place(one: Evidence, found: Finding) -> Place:
    unit = found.spec.unit
    text = ""
    if one.value is not None and not (unit == "count" and one.note):
        text = words.value(one.value, unit)
        if one.baseline_value is not None:
            text += f", was {words.value(one.baseline_value, unit)}"
    text = ": ".join(part for part in (text, one.note) if part)
    where = "the call" if one.turn is None else f"turn {one.turn}"
    return Place(found.rule.label, one.call, "candidate", one.span.start_us, where, text)


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
        rows=_rows(one),
        places=tuple(
            _place(place, found)
            for found in broken
            for place in found.evidence
            if place.call == one.call
        )[:_PLACES],
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
    note = "" if heard.opus else "no audio kept"
    return Drawn(side, names[side], timeline, heard.opus is not None, note)


def _ticks(length_us: int) -> tuple[tuple[float, str], ...]:
    for step_s in (5, 10, 15, 30, 60, 120, 300, 600, 1800):
        if length_us / 1e6 / step_s <= 8:
            break
    count = int(length_us / 1e6 // step_s)
    return tuple(
        (round(1000 * n * step_s * 1e6 / length_us, 2), words.clock(n * step_s * 1_000_000)[:-2])
        for n in range(count + 1)
    )


def _rows(one: JudgedCall) -> tuple[Row, ...]:
    if one.difference is not None:
        return tuple(_row(pair) for pair in one.difference.pairs)
    return tuple(_row(TurnPair(None, turn, False, ())) for turn in one.turns)


def _row(pair: TurnPair) -> Row:
    new, old = pair.candidate, pair.baseline
    turn = new or old
    assert turn is not None  # a pair has at least one side
    compared = old is not None or bool(pair.differences)
    was = old.text if old else None
    now = new.text if new else None
    text = changes.words(was if compared else now, now)
    notes = [f"{one.kind}: {one.detail}" for one in pair.differences if one.kind != "agent_text"]
    if new is None:
        notes.insert(0, "missing in the candidate")
    elif compared and old is None:
        notes.insert(0, "new in the candidate")
    if new is not None and new.interrupted:
        notes.append("interrupted")
    if new is not None and new.estimated:
        notes.append(f"estimated: {', '.join(new.estimated)}")
    return Row(
        role=turn.role,
        index=new.index if new else None,
        at_us=_at(new),
        clock=words.clock(_start(turn.span)),
        text=tuple(text),
        tools=_tools(old, new, compared=compared),
        notes=tuple(notes),
        lost=pair.after_divergence,
        old_at_us=_at(old),
    )


def _at(turn: Turn | None) -> int | None:
    return None if turn is None else _start(turn.span)


def _start(span: Span) -> int:
    return span.start_us


def _tools(
    old: Turn | None, new: Turn | None, *, compared: bool
) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
    """Tool calls of both turns by name and order, their arguments with what changed in them."""
    was = list(old.tools) if old else []
    shown: list[tuple[str, tuple[Piece, ...]]] = []
    for call in new.tools if new else ():
        twin = next((one for one in was if one.name == call.name), None)
        if twin is not None:
            was.remove(twin)
        before = twin.arguments if twin else None if compared and old else call.arguments
        shown.append((call.name, tuple(changes.arguments(before, call.arguments))))
    shown += [(one.name, tuple(changes.arguments(one.arguments, None))) for one in was]
    return tuple(shown)
