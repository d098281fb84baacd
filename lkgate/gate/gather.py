"""Everything that the calls give to one rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.gate.collect import Point, collect, compares, paired
from lkgate.gate.estimates import is_derived, is_estimated, samples_resting_on
from lkgate.gate.examine import Examined
from lkgate.gate.metrics import DIVERGENCE
from lkgate.gate.slices import outside
from lkgate.model.gate import Gate, Rule
from lkgate.model.measurement import MetricSpec, Sample
from lkgate.model.verdict import JudgedCall, Problem


@dataclass(frozen=True, slots=True)
class Part:
    """What one call gives.

    Attributes:
        points: measured samples of the candidate.
        now, before: the samples of both sides that a change is judged over; empty if the rule
            does not compare.
    """

    call: JudgedCall
    points: tuple[Point, ...]
    now: tuple[Sample, ...]
    before: tuple[Sample, ...]

    @property
    def recording(self) -> str:
        """What it is a take of: takes of one recording are one call of a sample of calls."""
        return self.call.take_of or self.call.call


def by_recording(parts: Sequence[Part]) -> list[list[Part]]:
    """The takes of each recording, in an order of their own, so that no other order matters."""
    found: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: (part.recording, part.call.call)):
        found.setdefault(part.recording, []).append(part)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all calls give.

    Attributes:
        parts: by call.
        lost, estimated, derived: as in :class:`lkgate.model.verdict.Finding`.
        problems: missing evidence.
    """

    parts: tuple[Part, ...]
    lost: int
    estimated: int
    derived: int
    problems: tuple[Problem, ...]

    @property
    def points(self) -> list[Point]:
        return [point for part in self.parts for point in part.points]


def gather(gate: Gate, rule: Rule, spec: MetricSpec, calls: Sequence[Examined]) -> Gathered:
    """The samples of the calls that a rule is about, and what is missing of them."""
    parts: list[Part] = []
    problems: list[Problem] = []
    lost = estimated = derived = 0
    for one in calls:
        out = outside(rule, one.call.call, one.call.labels)
        draft = _draft(gate, rule, spec, one.call)
        if isinstance(out, Problem):
            problems.append(out)
        elif draft is not None:
            # Even that it lies outside of a cohort is only what a draft says.
            problems.append(draft)
        elif not out:
            got = collect(rule, spec, one, judged=_divergence_judged(gate, one))
            now, before = _sides(rule, spec, got.points, got.baseline)
            parts.append(Part(one.call, got.points, now, before))
            lost += got.lost
            estimated += samples_resting_on(is_estimated, rule, spec, one.call, got)
            derived += samples_resting_on(is_derived, rule, spec, one.call, got)
            problems += got.problems
    return Gathered(tuple(parts), lost, estimated, derived, tuple(problems))


def _draft(gate: Gate, rule: Rule, spec: MetricSpec, call: JudgedCall) -> Problem | None:
    """Labels that nobody reviewed, where the gate demands that somebody did."""
    if gate.labels != "reviewed" or call.labels is None or call.labels.reviewed:
        return None
    if not (rule.where or rule.max_gap_between or "labels" in spec.evidence):
        return None
    next_step = "Correct them in its labels.yaml, and write `reviewed: true` there."
    return Problem(call.call, "nobody has reviewed its labels", next_step)


def _sides(
    rule: Rule, spec: MetricSpec, points: Sequence[Point], baseline: tuple[Sample, ...]
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    if not compares(rule):
        return (), ()
    if not paired(spec):
        return tuple(point.sample for point in points), baseline
    both = [(p.sample, p.twin) for p in points if p.twin and p.twin.status == "measured"]
    return tuple(now for now, _ in both), tuple(was for _, was in both)


def _divergence_judged(gate: Gate, one: Examined) -> bool:
    return any(
        rule.severity == "error"
        and rule.metric in DIVERGENCE
        and _can_fail(rule)
        and outside(rule, one.call.call, one.call.labels) is False
        for rule in gate.rules
    )


def _can_fail(rule: Rule) -> bool:
    """Whether it has a limit that too much divergence breaks."""
    if rule.aggregate == "count":  # of calls, diverged or not
        return False
    return compares(rule) or rule.max is not None
