"""Where to listen: the places that break a rule's limits."""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.gate.collect import Point, paired
from lkgate.gate.gap import worst_level
from lkgate.gate.gather import Part
from lkgate.model.check import Check, Margin
from lkgate.model.gate import Rule
from lkgate.model.measurement import MetricSpec
from lkgate.model.verdict import Evidence


def places(
    rule: Rule, spec: MetricSpec, parts: Sequence[Part], checks: Sequence[Check]
) -> tuple[Evidence, ...]:
    """Every place that breaks a broken limit, worst first; if all hold, the worst one.

    Of a limit that is open, the places that would break it.
    """
    points = [point for part in parts for point in part.points]
    failed = [one for one in checks if one.outcome == "broken"]
    failed = failed or [one for one in checks if one.outcome == "open"]
    if not failed:
        return tuple(evidence(point) for point in _worst(spec, points)[:1])
    found: dict[int, Point] = {}
    for one in failed:
        if one.limit == "max_gap":
            apart = [p for part in worst_level(rule, spec, parts) for p in part.points]
            breaking = _worst(spec, apart) or apart
        else:
            breaking = _breaking(rule, spec, points, one)
        for point in breaking:
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
