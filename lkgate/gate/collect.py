"""The samples of one rule in one call, each with the baseline's sample of the same turn."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lkgate.gate.examine import Examined
from lkgate.model.difference import CallDifference
from lkgate.model.gate import Rule
from lkgate.model.measurement import Measurement, MetricSpec, Sample
from lkgate.model.verdict import Problem


@dataclass(frozen=True, slots=True)
class Point:
    """A measured sample of the candidate, and its twin in the baseline if there is one."""

    call: str
    sample: Sample
    twin: Sample | None

    @property
    def value(self) -> float:
        assert self.sample.value is not None  # only measured samples become points
        return self.sample.value


@dataclass(frozen=True, slots=True)
class Collected:
    """What one call gives to one rule.

    Attributes:
        points: measured samples.
        baseline: the baseline's measured samples, where sides are aggregated on their own.
        lost: samples (for comparisons: turns) left out because they lie after a divergence.
        problems: missing evidence; any of them means no verdict.
    """

    points: tuple[Point, ...] = ()
    baseline: tuple[Sample, ...] = ()
    lost: int = 0
    problems: tuple[Problem, ...] = ()


def compares(rule: Rule) -> bool:
    """Whether a rule has a limit against the baseline."""
    return rule.max_increase is not None or rule.max_decrease is not None


def paired(spec: MetricSpec) -> bool:
    """Whether a change is judged over turns that both sides measured.

    Latencies are: a turn that one side lacks says nothing about the change. Counts and shares are
    not: what is new on one side is just what they count.
    """
    return spec.scope == "turn" and spec.summary in ("median", "max")


def collect(rule: Rule, spec: MetricSpec, examined: Examined, *, judged: bool) -> Collected:
    """The evidence of a call for a rule.

    Args:
        judged: whether another rule of the gate judges that this call's turns were lost to a
            divergence. If none does, lost turns are missing evidence.
    """
    call = examined.call
    problem = _unusable(rule, spec, examined)
    if problem is not None:
        return Collected(problems=(problem,))
    measurement = call.measurements[rule.metric]
    before = call.baseline_measurements.get(rule.metric)
    lost, lost_before = _lost(rule, spec, call.difference)
    waited = _unanswered(call.difference) if spec.comparable and rule.turns != "all" else None
    twins = _twins(call.difference, before)
    points: list[Point] = []
    problems: list[Problem] = []
    dropped = held = 0
    holes: list[Sample] = []
    change = compares(rule) and paired(spec)
    for sample, twin in _ordered(measurement.samples, twins):
        # What is absent of the whole call has no turn: it is no turn that was waited for.
        unanswered = waited is not None and sample.turn == waited and sample.status == "absent"
        if sample.turn in lost or unanswered:
            dropped += sample.status != "not_applicable"
        elif sample.status == "absent":
            if _unchanged(rule, spec, twin):
                holes.append(sample)
            else:
                problems.append(Problem(call.call, _where(sample), None))
        elif sample.value is not None and not math.isfinite(sample.value):
            problems.append(Problem(call.call, f"the value is {sample.value}", None))
        elif sample.value is not None:
            points.append(Point(call.call, sample, twin))
            if change and twin is not None and twin.status == "absent":
                problems.append(Problem(call.call, f"baseline: {_where(twin)}", examined.next_step))
            held += twin is not None and twin.status == "measured"
    if holes and not held:
        problems.append(Problem(call.call, f"on both sides: {_where(holes[0])}", None))
    if spec.scope == "turn" and "baseline" in spec.evidence and call.difference is not None:
        found = call.difference.first_divergence
        dropped = found.turns_lost if found else 0
    if dropped and not judged:
        problems.append(_unjudged(call.call, dropped))
    baseline: tuple[Sample, ...] = ()
    if compares(rule) and before is not None:
        baseline = tuple(s for s in before.samples if s.turn not in lost_before or s.turn is None)
        problems += [
            Problem(call.call, f"baseline: {_where(sample)}", examined.next_step)
            for sample in baseline
            if not paired(spec) and sample.status == "absent"
        ]
        baseline = tuple(sample for sample in baseline if sample.value is not None)
        problems += [
            Problem(call.call, f"baseline: the value is {sample.value}", examined.next_step)
            for sample in baseline
            if sample.value is not None and not math.isfinite(sample.value)
        ]
    return Collected(tuple(points), baseline, dropped, tuple(problems))


def _unusable(rule: Rule, spec: MetricSpec, examined: Examined) -> Problem | None:
    """The first reason for which a call cannot be judged by a rule at all."""
    call = examined.call
    if call.failure is not None:
        return Problem(call.call, call.failure.message, call.failure.next_step)
    against = compares(rule) or "baseline" in spec.evidence
    if against or (spec.comparable and rule.turns == "comparable"):
        if call.difference is None:
            reason = "there is no baseline to compare with"
            return call.stale or Problem(call.call, reason, examined.next_step)
        accepted = examined.accepted.get(rule.metric)
        if against and accepted != spec.version:
            under = (
                f"without {rule.metric}, which is new"
                if accepted is None
                else f"under version {accepted} of {rule.metric}, which is {spec.version} now"
            )
            reason = f"the baseline is stale: it was accepted {under}"
            return Problem(call.call, reason, examined.next_step)
    measurement = call.measurements.get(rule.metric)
    if measurement is None:
        return Problem(call.call, f"{rule.metric} was not measured", None)
    if measurement.missing:
        return Problem(call.call, measurement.reason or f"{rule.metric} is missing", None)
    if compares(rule) and "baseline" not in spec.evidence:
        before = call.baseline_measurements.get(rule.metric)
        if before is None or before.missing:
            why = (before.reason if before else None) or f"{rule.metric} was not measured"
            return Problem(call.call, f"baseline: {why}", examined.next_step)
    return None


def _lost(
    rule: Rule, spec: MetricSpec, difference: CallDifference | None
) -> tuple[frozenset[int | None], frozenset[int | None]]:
    """Turns after the divergence, of the candidate and of the baseline."""
    if difference is None or not spec.comparable or rule.turns == "all":
        return frozenset(), frozenset()
    after = [pair for pair in difference.pairs if pair.after_divergence]
    return (
        frozenset(pair.candidate.index for pair in after if pair.candidate),
        frozenset(pair.baseline.index for pair in after if pair.baseline),
    )


def _unanswered(difference: CallDifference | None) -> int | None:
    """The caller turn that waits for the very answer whose absence is the divergence.

    That it has no latency is the divergence itself, not a hole in the evidence beside it.
    """
    found = difference.first_divergence if difference else None
    if difference is None or found is None or found.difference.kind != "turn_missing":
        return None
    before = [pair.candidate for pair in difference.pairs[: found.pair] if pair.candidate]
    return before[-1].index if before and before[-1].role == "caller" else None


def _unchanged(rule: Rule, spec: MetricSpec, twin: Sample | None) -> bool:
    """Whether a hole is one of the baseline's too, and the rule judges nothing but a change.

    An absolute limit needs the value whatever the baseline holds; so does a total or a share, of
    which the turn is a part.
    """
    absolute = rule.max is not None or rule.min is not None
    return not absolute and paired(spec) and twin is not None and twin.status != "measured"


_Key = tuple[int | None, int]


def _twins(difference: CallDifference | None, before: Measurement | None) -> Mapping[_Key, Sample]:
    """The baseline's samples by the candidate's turn and their order within it."""
    if difference is None or before is None:
        return {}
    turn_of = {
        pair.baseline.index: pair.candidate.index
        for pair in difference.pairs
        if pair.baseline and pair.candidate
    }
    count: dict[int | None, int] = defaultdict(int)
    found: dict[_Key, Sample] = {}
    for sample in before.samples:
        if sample.turn is not None and sample.turn not in turn_of:
            continue
        turn = None if sample.turn is None else turn_of[sample.turn]
        found[turn, count[turn]] = sample
        count[turn] += 1
    return found


def _ordered(
    samples: Sequence[Sample], twins: Mapping[_Key, Sample]
) -> Iterable[tuple[Sample, Sample | None]]:
    count: dict[int | None, int] = defaultdict(int)
    for sample in samples:
        yield sample, twins.get((sample.turn, count[sample.turn]))
        count[sample.turn] += 1


def _where(sample: Sample) -> str:
    at = "" if sample.turn is None else f" (turn {sample.turn})"
    return f"{sample.reason}{at}"


def _unjudged(call: str, dropped: int) -> Problem:
    return Problem(
        call,
        f"{dropped} turns lie after a divergence, and no error rule judges divergence",
        "Add a rule on `divergence` or `diverged_turns` with a `max` to the gate.",
    )
