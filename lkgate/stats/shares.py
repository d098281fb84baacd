"""Intervals of shares of calls: so many of n had it.

Every bound is one-sided: with ``confidence``, the truth is not beyond it. Numbers of calls may be
fractions, for what ten times as many calls of the same kind would give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lkgate.stats.special import beta_quantile, normal_quantile


@dataclass(frozen=True, slots=True)
class Bounds:
    """A lower and an upper bound, each with the confidence that was asked for."""

    low: float
    high: float


def wilson(hits: float, n: float, confidence: float) -> Bounds:
    """Wilson's score interval: for differences, which are made from it.

    E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    z = normal_quantile(confidence)
    share = hits / n
    middle = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends rounding would leave a hair of the other side.
    low = 0.0 if hits == 0 else (middle - spread) / scale
    high = 1.0 if hits == n else (middle + spread) / scale
    return Bounds(low, high)


def clopper_pearson(hits: float, n: float, confidence: float) -> Bounds:
    """The exact interval: at least the confidence that is asked for, however few the calls."""
    low = 0.0 if hits == 0 else beta_quantile(1 - confidence, hits, n - hits + 1)
    high = 1.0 if hits == n else beta_quantile(confidence, hits + 1, n - hits)
    return Bounds(low, high)


def independent_difference(
    hits: float, n: float, other_hits: float, other_n: float, confidence: float
) -> Bounds:
    """Of ``hits/n - other_hits/other_n``, two sets of different calls.

    R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.
    """
    return _difference(hits, n, other_hits, other_n, 0.0, confidence)


def paired_difference(
    both: float, only_now: float, only_before: float, neither: float, confidence: float
) -> Bounds:
    """Of the share now less the share before, in the same calls.

    R. G. Newcombe, Statistics in Medicine 17 (1998), 2635-2650, method 10: Wilson's intervals,
    and the correlation of the two shares with a continuity correction.

    Args:
        both, only_now, only_before, neither: numbers of calls that have it.
    """
    n = both + only_now + only_before + neither
    now, before = both + only_now, both + only_before
    cross = both * neither - only_now * only_before
    if cross > 0:
        cross = max(0.0, cross - n / 2)
    product = now * (n - now) * before * (n - before)
    correlation = cross / math.sqrt(product) if product else 0.0
    return _difference(now, n, before, n, correlation, confidence)


def _difference(
    hits: float, n: float, other_hits: float, other_n: float, correlation: float, confidence: float
) -> Bounds:
    one, other = wilson(hits, n, confidence), wilson(other_hits, other_n, confidence)
    share, other_share = hits / n, other_hits / other_n

    def reach(mine: float, others: float) -> float:
        return math.sqrt(max(0.0, mine * mine - 2 * correlation * mine * others + others * others))

    difference = share - other_share
    return Bounds(
        difference - reach(share - one.low, other.high - other_share),
        difference + reach(one.high - share, other_share - other.low),
    )
