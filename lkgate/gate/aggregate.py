"""One number out of many samples. Stated by the rule, never chosen here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lkgate.measure.sample import rank
from lkgate.model.gate import Aggregate
from lkgate.model.measurement import Sample

# Turns of one call share a caller, a line and a machine. At a correlation of 0.2 between them,
# however many they are, they tell of other calls what five turns of five calls do: the limit of the
# design effect, n / (1 + 0.2 (n - 1)).
_TURNS_OF_A_CALL = 5

PERCENTILES: Mapping[Aggregate, float] = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}

# A total, or the worst of all, belongs to the calls that it was taken of: more calls have another.
OF_THESE_CALLS: tuple[Aggregate, ...] = ("sum", "count", "max")


def aggregate(name: Aggregate, samples: Sequence[Sample]) -> float | None:
    """``None`` if there is nothing to aggregate, or a rate's denominator is 0.

    Percentiles are nearest-rank: always an observed value. ``rate`` is sum of amounts over sum of
    weights: the word error rate of all words, not the mean of the turns' rates.
    """
    values = [sample.value for sample in samples if sample.value is not None]
    if not values:
        return None
    if name in PERCENTILES:
        return rank(values, PERCENTILES[name])
    if name == "max":
        return max(values)
    if name == "sum":
        return math.fsum(values)
    if name == "count":
        return float(len(values))
    if name == "mean":
        return math.fsum(values) / len(values)
    weight = math.fsum(sample.weight for sample in samples)
    return math.fsum(sample.amount for sample in samples) / weight if weight > 0 else None


def carried_by(name: Aggregate) -> int:
    """How many samples an aggregate needs to be what its name says.

    With fewer, a percentile is the largest sample and nothing else: the p95 of nineteen is their
    maximum.
    """
    share = PERCENTILES.get(name)
    # 1e-9: 1 - 0.95 is a hair above 0.05 in binary.
    return 1 if share is None else math.ceil(1 / (1 - share) - 1e-9)


def calls_for(name: Aggregate) -> int:
    """Of how many calls the samples of an aggregate must be.

    The slowest turns of eight long calls are those of a bad call, not the p99 of turns.
    """
    return math.ceil(carried_by(name) / _TURNS_OF_A_CALL)


def needs_of(name: Aggregate) -> str:
    """``100 samples out of 20 calls``, as a report says it."""
    return _said(carried_by(name), calls_for(name))


def fewer(name: Aggregate, samples: int, calls: int) -> str:
    """What there is, and what is needed."""
    return f"{_said(samples, calls)}, and a {name} needs {needs_of(name)}"


def _said(samples: int, calls: int) -> str:
    return f"{samples} sample{'s' * (samples != 1)} out of {calls} call{'s' * (calls != 1)}"
