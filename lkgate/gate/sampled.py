"""A rule's samples as a sample of calls to come: which method is used for what.

docs/statistics.md says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.gate.aggregate import PERCENTILES
from lkgate.gate.gather import Part, by_recording
from lkgate.gate.trial import Sampled
from lkgate.model.check import Margin
from lkgate.model.gate import Aggregate
from lkgate.model.measurement import Sample, Unit
from lkgate.stats.estimate import FromBounds, FromSpread, Unchanged
from lkgate.stats.resample import SEED
from lkgate.stats.shares import Bounds, clopper_pearson, paired_difference
from lkgate.stats.turns import Statistic, Turns, excess, with_unseen

Samples = Sequence[Sample]


def sampled_change(
    aggregate: Aggregate,
    unit: Unit,
    parts: Sequence[Part],
    allowed: Margin,
    sign: float,
    over: float,
) -> Sampled:
    """A change against the baseline, in the same calls.

    Args:
        sign: 1 if a rise is bad, -1 if a fall is.
        over: how far the observed change lies beyond the margin.
    """
    used = by_recording([part for part in parts if part.now or part.before])
    count = (len(used),)
    if all(_same(part.now, part.before) for takes in used for part in takes):
        return Sampled(Unchanged(over), count, "no_change")
    hits = hits_of(aggregate, [[part.now for part in takes] for takes in used])
    had = hits_of(aggregate, [[part.before for part in takes] for takes in used])
    if hits is not None and had is not None and allowed.relative is None:
        return Sampled(
            share_change(hits, had, allowed.absolute or 0.0, sign), count, "shares_of_calls"
        )
    now = [[sample for part in takes for sample in part.now] for takes in used]
    before = [[sample for part in takes for sample in part.before] for takes in used]
    estimate = excess(
        turns_of(aggregate, now),
        turns_of(aggregate, before),
        statistic_of(aggregate),
        sign=sign,
        absolute=allowed.absolute,
        relative=allowed.relative,
        turns_a_call=turns_a_call(parts) if is_rare(aggregate, unit) else None,
    )
    return Sampled(estimate, count, "resampled_calls")


def sampled_limit(
    aggregate: Aggregate, unit: Unit, parts: Sequence[Part], limit: float, sign: float
) -> Sampled:
    """The candidate's own number against a limit.

    Args:
        sign: 1 for a maximum, -1 for a minimum.
    """
    used = [
        [[point.sample for point in part.points] for part in takes]
        for takes in by_recording([part for part in parts if part.points])
    ]
    count = (len(used),)
    hits = hits_of(aggregate, used)
    if hits is not None:
        share = share_limit(sum(shares_of(hits)), len(hits), limit, sign)
        return Sampled(share, count, "shares_of_calls")
    turns = turns_of(aggregate, [[s for samples in takes for s in samples] for takes in used])
    found = turns.estimate(statistic_of(aggregate), seed=SEED)
    beyond = FromSpread(sign * (found.value - limit), found.error, found.degrees)
    if not is_rare(aggregate, unit):
        return Sampled(beyond, count, "resampled_calls")
    each = sign * (turns.each_call() - limit)
    return Sampled(with_unseen(beyond, each, turns_a_call(parts)), count, "resampled_calls")


def is_rare(aggregate: Aggregate, unit: Unit) -> bool:
    """Whether it counts what befalls some turns, so that a few calls may well show none of it."""
    return aggregate in ("mean", "rate") and unit in ("ratio", "count")


def turns_a_call(parts: Sequence[Part]) -> float:
    """Samples of a call, on average of those that have any."""
    counts = [len(part.points) for part in parts if part.points]
    return sum(counts) / len(counts) if counts else 1.0


def turns_of(aggregate: Aggregate, calls: Sequence[Samples]) -> Turns:
    """Samples as arrays: of a rate the amounts and weights, of all else the values."""
    if aggregate == "rate":
        return Turns.of([[(s.amount, s.weight) for s in samples] for samples in calls])
    return Turns.of([[(s.value, 1.0) for s in samples if s.value is not None] for samples in calls])


def statistic_of(aggregate: Aggregate) -> Statistic:
    return Statistic(PERCENTILES.get(aggregate))


def hits_of(aggregate: Aggregate, takes: Sequence[Sequence[Samples]]) -> list[list[int]] | None:
    """Whether each take of each call has it, if that is all that a rule's samples say: a share."""
    if aggregate not in ("mean", "rate"):
        return None
    found = []
    for calls in takes:
        single = [sample for samples in calls for sample in samples]
        if not single or any(len(samples) != 1 for samples in calls):
            return None
        if any(s.weight != 1.0 or s.value not in (0.0, 1.0) for s in single):
            return None
        found.append([int(s.value or 0.0) for s in single])
    return found


def hits_once(aggregate: Aggregate, samples: Sequence[Samples]) -> list[int] | None:
    """:func:`hits_of` calls that were taken once each."""
    hits = hits_of(aggregate, [[one] for one in samples])
    return None if hits is None else [takes[0] for takes in hits]


def shares_of(hits: Sequence[Sequence[int]]) -> list[float]:
    """Of each call, how many of its takes have it: more takes are no more calls."""
    return [sum(takes) / len(takes) for takes in hits]


def share_change(
    hits: Sequence[Sequence[int]], had: Sequence[Sequence[int]], allowed: float, sign: float
) -> FromBounds:
    """How far a change of a share of calls goes beyond what is allowed.

    Args:
        hits, had: of each take of each call.
    """
    takes = [list(zip(now, before, strict=True)) for now, before in zip(hits, had, strict=True)]

    def calls_with(pair: tuple[int, int]) -> float:
        return sum(pairs.count(pair) / len(pairs) for pairs in takes)

    both, only_now = calls_with((1, 1)), calls_with((1, 0))
    only_before, neither = calls_with((0, 1)), calls_with((0, 0))

    def formula(confidence: float, factor: float) -> Bounds:
        counts = (both * factor, only_now * factor, only_before * factor, neither * factor)
        found = paired_difference(*counts, confidence)
        if sign > 0:
            return Bounds(found.low - allowed, found.high - allowed)
        return Bounds(-found.high - allowed, -found.low - allowed)

    change = (only_now - only_before) / len(takes)
    return FromBounds(sign * change - allowed, formula)


def share_limit(hits: float, calls: int, limit: float, sign: float) -> FromBounds:
    """How far a share of calls lies beyond a limit."""

    def formula(confidence: float, factor: float) -> Bounds:
        found = clopper_pearson(hits * factor, calls * factor, confidence)
        if sign > 0:
            return Bounds(found.low - limit, found.high - limit)
        return Bounds(limit - found.high, limit - found.low)

    return FromBounds(sign * (hits / calls - limit), formula)


def _same(now: Samples, before: Samples) -> bool:
    return _values(now) == _values(before)


def _values(samples: Samples) -> list[tuple[float, float, float]]:
    return sorted((s.value or 0.0, s.amount, s.weight) for s in samples)
