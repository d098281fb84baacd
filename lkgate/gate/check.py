"""A rule's limits against what was observed, and the places that break them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.gate.aggregate import aggregate
from lkgate.gate.collect import Point, compares, paired
from lkgate.model.gate import Check, Evidence, Limit, Margin, Rule
from lkgate.model.measurement import MetricSpec, Sample


@dataclass(frozen=True, slots=True)
class Checked:
    """Every limit of one rule.

    Attributes:
        observed, baseline: aggregates to show; of the same turns if they are compared.
        n: samples behind the weakest of the checks.
        problem: why a limit could not be checked, else ``None``.
    """

    checks: tuple[Check, ...]
    observed: float | None
    baseline: float | None
    n: int
    problem: str | None


def check(
    rule: Rule, spec: MetricSpec, points: Sequence[Point], before: Sequence[Sample]
) -> Checked:
    """Check a rule's absolute limits on all points, its margins on what can be compared."""
    samples = [point.sample for point in points]
    observed = aggregate(rule.aggregate, samples)
    checks: list[Check] = []
    problem = None
    if observed is not None:
        checks += _absolute(rule, observed)
    elif samples:
        problem = "the rate's denominator is 0"
    if not compares(rule):
        return Checked(tuple(checks), observed, None, len(samples), problem)
    if paired(spec):
        both = [(p.sample, p.twin) for p in points if p.twin and p.twin.status == "measured"]
        samples, before = [now for now, _ in both], [was for _, was in both]
    now, was = aggregate(rule.aggregate, samples), aggregate(rule.aggregate, before)
    if now is not None and was is not None:
        for limit in ("max_increase", "max_decrease"):
            allowed = getattr(rule, limit)
            if isinstance(allowed, Margin):
                made = _margin(limit, allowed, now, was)
                if made is None:
                    problem = "the baseline is 0, so a relative margin says nothing"
                else:
                    checks.append(made)
    n = min(len(samples), len(before))
    return Checked(tuple(checks), now, was, min(n, len(points)), problem)


def _absolute(rule: Rule, observed: float) -> list[Check]:
    found = []
    if rule.max is not None:
        found.append(Check("max", rule.max, observed, None, observed <= rule.max))
    if rule.min is not None:
        found.append(Check("min", rule.min, observed, None, observed >= rule.min))
    return found


def _margin(limit: str, allowed: Margin, now: float, was: float) -> Check | None:
    change = now - was if limit == "max_increase" else was - now
    relative = change / abs(was) if was else None
    over = []
    if allowed.absolute is not None:
        over.append(change > allowed.absolute)
    if allowed.relative is not None:
        if relative is None and change > 0 and allowed.absolute is None:
            return None
        # From a baseline of 0 every rise is beyond any share of it.
        over.append(change > 0 if relative is None else relative > allowed.relative)
    name: Limit = "max_increase" if limit == "max_increase" else "max_decrease"
    return Check(name, allowed, change, relative, not all(over))


def places(
    rule: Rule, spec: MetricSpec, points: Sequence[Point], checks: Sequence[Check]
) -> tuple[Evidence, ...]:
    """Where to listen: every place that breaks a failed limit, worst first; else the worst one."""
    failed = [one for one in checks if not one.ok]
    if not failed:
        return tuple(evidence(point) for point in _worst(spec, points)[:1])
    found: dict[int, Point] = {}
    for one in failed:
        for point in _breaking(rule, spec, points, one):
            found.setdefault(id(point), point)
    return tuple(evidence(point) for point in found.values())


def _breaking(rule: Rule, spec: MetricSpec, points: Sequence[Point], failed: Check) -> list[Point]:
    sign = 1.0 if failed.limit in ("max", "max_increase") else -1.0
    if isinstance(failed.allowed, Margin) and paired(spec):
        moved = [
            (sign * (point.value - point.twin.value), point)
            for point in points
            if point.twin is not None and point.twin.value is not None
        ]
        moved.sort(key=lambda entry: -entry[0])
        least = failed.allowed.absolute or 0.0
        beyond = [point for change, point in moved if change > least]
        return beyond or [point for change, point in moved if change > 0]
    ordered = sorted(points, key=lambda point: -sign * point.value)
    if isinstance(failed.allowed, Margin):
        # A change is broken by what changed, not by what was so before.
        ordered = [point for point in ordered if not _as_before(point, sign)] or ordered
    if isinstance(failed.allowed, Margin) or rule.aggregate in ("sum", "count", "rate"):
        # A total is broken by everything that adds to it.
        if sign > 0:
            return [point for point in ordered if point.sample.amount > 0]
        return [point for point in ordered if point.sample.amount < point.sample.weight]
    limit = failed.allowed
    beyond = [point for point in ordered if sign * point.value > sign * limit]
    return beyond or ordered[:1]


def _as_before(point: Point, sign: float) -> bool:
    twin = point.twin
    return twin is not None and twin.value is not None and sign * (point.value - twin.value) <= 0


def _worst(spec: MetricSpec, points: Sequence[Point]) -> list[Point]:
    if spec.direction == "none":
        return []
    sign = 1.0 if spec.direction == "lower" else -1.0
    worst = sorted(points, key=lambda point: -sign * point.value)
    good = 0.0 if spec.direction == "lower" else 1.0
    return [point for point in worst if sign * point.value > sign * good]


def evidence(point: Point) -> Evidence:
    sample, twin = point.sample, point.twin
    return Evidence(
        call=point.call,
        turn=sample.turn,
        span=sample.span,
        value=sample.value,
        baseline_turn=twin.turn if twin else None,
        baseline_span=twin.span if twin else None,
        baseline_value=twin.value if twin else None,
        note=sample.note,
        estimated=sample.estimated,
    )
