"""Rules that did not simply hold, and where to listen for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkgate.model.verdict import Evidence, Finding, Verdict
from lkgate.report import words
from lkgate.report.causes import Folded, Silent
from lkgate.report.html.sound import Side

MOST_PLACES = 20


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
class Want:
    """What calls lack, told once for all rules that have no verdict without it."""

    lost: bool
    calls: str
    rules: str
    what: str
    next_step: str


def reasons_of(verdict: Verdict, folded: Folded) -> tuple[Reason, ...]:
    """Rules that failed, or of whose want of a verdict something is left to tell: error rules
    first, in the gate's order.
    """
    alone = {id(one.finding): one for one in folded.alone}
    found = [
        _reason(one, alone.get(id(one)))
        for one in verdict.findings
        if one.status == "fail" or id(one) in alone
    ]
    return tuple(sorted(found, key=lambda one: ("fail", "no_verdict", "warning").index(one.level)))


def wants_of(folded: Folded) -> tuple[Want, ...]:
    """Calls without a replay first."""
    return tuple(
        Want(one.lost, ", ".join(one.calls), ", ".join(one.labels), one.reason, one.next_step or "")
        for one in (*folded.lost, *folded.shared)
    )


def _reason(found: Finding, silent: Silent | None) -> Reason:
    places = tuple(place_of(one, found) for one in found.evidence[:MOST_PLACES])
    failed = found.status == "fail"
    return Reason(
        rule=found.rule.label,
        level=("fail" if failed else "no_verdict") if found.rule.severity == "error" else "warning",
        what=(silent or found).reason,
        message=found.rule.message or "",
        layer=found.spec.layer or "",
        blame=words.layer(found.blame) if found.blame is not None else "",
        places=places if failed else (),
        more=len(found.evidence) - len(places) if failed else 0,
        problems=tuple(
            (one.told(len(one.calls)), one.next_step or "")
            for one in (silent.lacks if silent else ())[:MOST_PLACES]
        ),
    )


def place_of(one: Evidence, found: Finding) -> Place:
    """The candidate's place of a piece of evidence."""
    unit = found.spec.unit
    text = ""
    if one.value is not None and not (unit == "count" and one.note):
        text = words.value(one.value, unit)
        if one.baseline_value is not None:
            text += f", was {words.value(one.baseline_value, unit)}"
    text = ": ".join(part for part in (text, one.note) if part)
    where = "the call" if one.turn is None else f"turn {one.turn}"
    return Place(found.rule.label, one.call, "candidate", one.span.start_us, where, text)
