"""How far the levels of a cohort lie apart: the best of them against the worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from lkgate.gate.aggregate import aggregate, calls_for, carried_by, fewer
from lkgate.gate.gather import Part, by_recording
from lkgate.gate.sampled import Samples, hits_of, is_rare, shares_of, statistic_of, turns_of
from lkgate.gate.slices import level_of
from lkgate.gate.trial import Sampled, Trial, about
from lkgate.gate.words import quantity
from lkgate.model.check import Method
from lkgate.model.gate import Aggregate, Rule
from lkgate.model.measurement import MetricSpec, Sample
from lkgate.model.verdict import Problem
from lkgate.stats.estimate import Estimate, FromBounds
from lkgate.stats.family import holm
from lkgate.stats.resample import SEED
from lkgate.stats.shares import Bounds, independent_difference
from lkgate.stats.sides import Side, difference

Takes = Sequence[Samples]
MORE = "Record more of them, or judge another key."


@dataclass(frozen=True, slots=True)
class Widest:
    """The largest of the differences between any two levels, as an estimate.

    It is above a limit if one pair is, with Holm's correction for the number of pairs; below it
    only if every pair is.

    Attributes:
        pairs: every two levels, either way around; the first lie farthest apart.
    """

    pairs: tuple[Estimate, ...]

    @property
    def value(self) -> float:
        return self.pairs[0].value

    def bounds(self, confidence: float) -> Bounds | None:
        return self.pairs[0].bounds(confidence)

    def p_above(self, limit: float) -> float:
        return min(holm([pair.p_above(limit) for pair in self.pairs]))

    def p_below(self, limit: float) -> float:
        return max(pair.p_below(limit) for pair in self.pairs)

    def above(self, limit: float, alpha: float) -> bool:
        return any(pair.above(limit, alpha / len(self.pairs)) for pair in self.pairs)

    def below(self, limit: float, alpha: float) -> bool:
        return all(pair.below(limit, alpha) for pair in self.pairs)

    def scaled(self, factor: float) -> Widest:
        return Widest(tuple(pair.scaled(factor) for pair in self.pairs))


def gap(rule: Rule, spec: MetricSpec, parts: Sequence[Part]) -> Trial | Problem:
    """The trial of ``max_gap``, or why there is none."""
    key, allowed = rule.max_gap_between, rule.max_gap
    assert key is not None and allowed is not None  # the loader demands both
    levels = _levels(key, parts)
    for part in parts:
        if level_of(key, part.call) is None:
            return Problem(
                part.call.call,
                f"its labels do not say its {key}",
                f"Write `{key}:` under `cohort:` in its labels.yaml.",
            )
    if len(levels) < 2:
        said = f"only {key} {next(iter(levels))}" if levels else f"no {key}"
        return Problem(None, f"there is {said}, and a gap needs two levels", MORE)
    values: dict[str, float] = {}
    for level, takes in levels.items():
        samples = _samples(takes)
        value = aggregate(rule.aggregate, samples)
        few = len(samples) < carried_by(rule.aggregate) or len(takes) < calls_for(rule.aggregate)
        if value is None or few:
            said = fewer(rule.aggregate, len(samples), len(takes))
            return Problem(None, f"{key} {level} has {said}", MORE)
        values[level] = value
    high = max(values, key=lambda level: values[level])
    low = min(values, key=lambda level: values[level])
    if high == low:
        high, low = list(values)[:2]
    observed = values[high] - values[low]
    sampled = None
    if about(rule, spec, "max_gap") == "calls_to_come":
        rare = is_rare(rule.aggregate, spec.unit)
        sampled = _sampled(rule.aggregate, levels, (high, low), allowed, rare=rare)
    return Trial(
        "max_gap",
        allowed,
        observed,
        None,
        observed > allowed,
        sampled,
        f"{key} {high} {quantity(values[high], spec.unit)}, "
        f"{key} {low} {quantity(values[low], spec.unit)}",
    )


def worst_level(rule: Rule, spec: MetricSpec, parts: Sequence[Part]) -> list[Part]:
    """The calls of the level that is farthest on the bad side."""
    key = rule.max_gap_between
    assert key is not None
    sign = 1.0 if spec.direction == "lower" else -1.0
    found = {
        level: sign * (aggregate(rule.aggregate, _samples(takes)) or 0.0)
        for level, takes in _levels(key, parts).items()
    }
    if not found:
        return []
    worst = max(found, key=lambda level: found[level])
    return [part for part in parts if level_of(key, part.call) == worst]


def _samples(calls: Sequence[Takes]) -> list[Sample]:
    return [sample for takes in calls for samples in takes for sample in samples]


def _levels(key: str, parts: Sequence[Part]) -> Mapping[str, list[Takes]]:
    """The samples of each take of each call of each level; a level whose calls measured nothing is
    one too."""
    found: dict[str, list[Takes]] = {}
    for takes in by_recording(parts):
        level = level_of(key, takes[0].call)
        if level is not None:
            calls = found.setdefault(level, [])
            samples = [[point.sample for point in part.points] for part in takes if part.points]
            if samples:
                calls.append(samples)
    return {level: found[level] for level in sorted(found)}


def _sampled(
    name: Aggregate,
    levels: Mapping[str, list[Takes]],
    widest: tuple[str, str],
    allowed: float,
    *,
    rare: bool,
) -> Sampled:
    hits = {level: hits_of(name, takes) for level, takes in levels.items()}
    pairs = [widest, *(pair for pair in permutations(levels, 2) if pair != widest)]
    method: Method = "shares_of_calls"
    estimates: list[Estimate] = []
    shares = {level: shares_of(found) for level, found in hits.items() if found is not None}
    if len(shares) == len(levels):
        estimates = [_of_shares(shares[one], shares[other], allowed) for one, other in pairs]
    else:
        method = "resampled_calls"
        every = {level: [_samples([call]) for call in takes] for level, takes in levels.items()}
        sides = {
            level: Side.of(turns_of(name, calls), statistic_of(name), seed=SEED + at, rare=rare)
            for at, (level, calls) in enumerate(every.items(), 1)
        }
        estimates = [difference(sides[one], sides[other], allowed) for one, other in pairs]
    counts = (len(levels[widest[0]]), len(levels[widest[1]]))
    return Sampled(Widest(tuple(estimates)), counts, method)


def _of_shares(one: Sequence[float], other: Sequence[float], allowed: float) -> Estimate:
    def formula(confidence: float, factor: float) -> Bounds:
        found = independent_difference(
            sum(one) * factor,
            len(one) * factor,
            sum(other) * factor,
            len(other) * factor,
            confidence,
        )
        return Bounds(found.low - allowed, found.high - allowed)

    return FromBounds(sum(one) / len(one) - sum(other) / len(other) - allowed, formula)
