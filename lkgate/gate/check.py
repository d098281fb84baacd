"""A rule's limits against what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.gate.aggregate import aggregate
from lkgate.gate.collect import compares, paired
from lkgate.gate.gap import gap
from lkgate.gate.gather import Part
from lkgate.gate.sampled import sampled_change, sampled_limit
from lkgate.gate.trial import Trial, about
from lkgate.model.check import Limit, Margin
from lkgate.model.gate import Rule
from lkgate.model.measurement import MetricSpec
from lkgate.model.verdict import Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """Every limit of one rule.

    Attributes:
        observed, baseline: aggregates to show; of the same turns if they are compared.
        n: samples behind the weakest of the trials.
        problem: why a limit could not be checked, else ``None``.
    """

    trials: tuple[Trial, ...]
    observed: float | None
    baseline: float | None
    n: int
    problem: Problem | None


def check(rule: Rule, spec: MetricSpec, parts: Sequence[Part]) -> Checked:
    """Check a rule's absolute limits on all points, its margins on what can be compared."""
    samples = [point.sample for part in parts for point in part.points]
    observed = aggregate(rule.aggregate, samples)
    trials: list[Trial] = []
    problem = None
    if observed is not None:
        trials += _absolute(rule, spec, parts, observed)
    elif samples:
        problem = _undefined("the rate's denominator is 0")
    if rule.max_gap_between is not None and observed is not None:
        found = gap(rule, spec, parts)
        if isinstance(found, Problem):
            problem = found
        else:
            trials.append(found)
    if not compares(rule):
        return Checked(tuple(trials), observed, None, len(samples), problem)
    after = [sample for part in parts for sample in part.now]
    before = [sample for part in parts for sample in part.before]
    now, was = aggregate(rule.aggregate, after), aggregate(rule.aggregate, before)
    # A total of nothing is 0; a baseline that lacks evidence is a problem of its own.
    none_before = not before and rule.aggregate in ("sum", "count") and not paired(spec)
    if now is not None and none_before:
        was = 0.0
    if now is not None and was is not None:
        for margin, sign in ((rule.max_increase, 1.0), (rule.max_decrease, -1.0)):
            if margin is None:
                continue
            made = _margin(rule, spec, parts, margin, sign, (now, was))
            if made is None:
                problem = _undefined("the baseline is 0, so a relative margin says nothing")
            else:
                trials.append(made)
    elif after and before:
        problem = _undefined("the rate's denominator is 0")
    n = min(len(after), len(after if none_before else before), len(samples))
    return Checked(tuple(trials), now, was, n, problem)


def _undefined(reason: str) -> Problem:
    return Problem(None, reason, "State an absolute limit.")


def _absolute(rule: Rule, spec: MetricSpec, parts: Sequence[Part], observed: float) -> list[Trial]:
    found = []
    if rule.max is not None:
        sampled = None
        if about(rule, spec, "max") == "calls_to_come":
            sampled = sampled_limit(rule.aggregate, spec.unit, parts, rule.max, 1.0)
        found.append(Trial("max", rule.max, observed, None, observed > rule.max, sampled))
    if rule.min is not None:
        sampled = None
        if about(rule, spec, "min") == "calls_to_come":
            sampled = sampled_limit(rule.aggregate, spec.unit, parts, rule.min, -1.0)
        found.append(Trial("min", rule.min, observed, None, observed < rule.min, sampled))
    return found


def _margin(
    rule: Rule,
    spec: MetricSpec,
    parts: Sequence[Part],
    allowed: Margin,
    sign: float,
    values: tuple[float, float],
) -> Trial | None:
    now, was = values
    change = sign * (now - was)
    relative = change / abs(was) if was else None
    if allowed.absolute is None and relative is None and change > 0:
        return None
    over = []
    if allowed.absolute is not None:
        over.append(change > allowed.absolute)
    if allowed.relative is not None:
        # From a baseline of 0 every rise is beyond any share of it.
        over.append(change > 0 if relative is None else relative > allowed.relative)
    limit: Limit = "max_increase" if sign > 0 else "max_decrease"
    sampled = None
    if about(rule, spec, limit) == "calls_to_come":
        most = max(allowed.absolute or 0.0, (allowed.relative or 0.0) * abs(was))
        sampled = sampled_change(rule.aggregate, spec.unit, parts, allowed, sign, change - most)
    return Trial(limit, allowed, change, relative, all(over), sampled)
