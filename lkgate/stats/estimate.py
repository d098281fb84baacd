"""A number that a sample of calls gives, and how far the truth may lie from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lkgate.stats.shares import Bounds
from lkgate.stats.special import t_cdf, t_quantile

_SMALLEST = 1e-12
_MOST = 100.0
_NEAR = 1.02


class Estimate(Protocol):
    """A number and what the sample says about the truth behind it."""

    @property
    def value(self) -> float: ...

    def bounds(self, confidence: float) -> Bounds | None:
        """One-sided bounds, each with ``confidence``, ``None`` if there is nothing to tell from."""

    def p_above(self, limit: float) -> float:
        """How often it would come out so high if the truth were not above ``limit``."""

    def p_below(self, limit: float) -> float:
        """How often it would come out so low if the truth were above ``limit``."""

    def above(self, limit: float, alpha: float) -> bool:
        """Whether ``p_above`` is at most ``alpha``, which is below one half."""

    def below(self, limit: float, alpha: float) -> bool:
        """Whether ``p_below`` is at most ``alpha``."""

    def scaled(self, factor: float) -> Estimate:
        """What ``factor`` times as many calls of the same kind would give."""


@dataclass(frozen=True, slots=True)
class FromSpread:
    """By Student's t, from a standard error.

    Where every call shows the same, there is no error to reckon with, and only its side of a limit
    is left: a sign test, by which n calls are on one side by chance once in 2 to the power of n.

    Attributes:
        error: ``None``: unknown. 0: it is the same in every suite that the calls could make.
        degrees: of freedom of the error: one less than the number of calls.
    """

    value: float
    error: float | None
    degrees: float

    def bounds(self, confidence: float) -> Bounds | None:
        if self.error is None:
            return None
        if self.error == 0.0 and self._by_sign > 1.0 - confidence:
            return None
        reach = self.error * t_quantile(confidence, self.degrees) if self.error else 0.0
        return Bounds(self.value - reach, self.value + reach)

    def p_above(self, limit: float) -> float:
        return self._p(self.value - limit, self.value > limit)

    def p_below(self, limit: float) -> float:
        # At the limit is within it.
        return self._p(limit - self.value, self.value <= limit)

    def _p(self, beyond: float, is_beyond: bool) -> float:
        if self.error is None:
            return 1.0
        if self.error == 0.0:
            return self._by_sign if is_beyond else 1.0
        return t_cdf(-beyond / self.error, self.degrees)

    def above(self, limit: float, alpha: float) -> bool:
        return self.p_above(limit) <= alpha

    def below(self, limit: float, alpha: float) -> bool:
        return self.p_below(limit) <= alpha

    @property
    def _by_sign(self) -> float:
        return float(0.5 ** (self.degrees + 1))

    def scaled(self, factor: float) -> FromSpread:
        error = None if self.error is None else self.error / math.sqrt(factor)
        return FromSpread(self.value, error, (self.degrees + 1) * factor - 1)


@dataclass(frozen=True, slots=True)
class WithUnseen:
    """An estimate of something rare, which calls that show none of it do not exclude.

    A limit holds only if calls of the worst kind, as many as would break it, had been seen. If a
    share q of all calls is of that kind, n calls have none of them with chance (1 - q)^n.

    Attributes:
        seen: by what the calls show.
        worst: the number in a call of the worst kind.
        calls: how many were looked at.
    """

    seen: FromSpread
    worst: float
    calls: float

    @property
    def value(self) -> float:
        return self.seen.value

    def bounds(self, confidence: float) -> Bounds | None:
        found = self.seen.bounds(confidence)
        if found is None:
            return None
        share = 1.0 - (1.0 - confidence) ** (1.0 / self.calls)
        unseen = self.value + share * max(0.0, self.worst - self.value)
        return Bounds(found.low, max(found.high, unseen))

    def p_above(self, limit: float) -> float:
        return self.seen.p_above(limit)

    def p_below(self, limit: float) -> float:
        p_seen = self.seen.p_below(limit)
        if self.value > limit or self.worst <= limit:
            return p_seen
        share = (limit - self.value) / (self.worst - self.value)
        return max(p_seen, float((1.0 - share) ** self.calls))

    def above(self, limit: float, alpha: float) -> bool:
        return self.p_above(limit) <= alpha

    def below(self, limit: float, alpha: float) -> bool:
        return self.p_below(limit) <= alpha

    def scaled(self, factor: float) -> WithUnseen:
        return WithUnseen(self.seen.scaled(factor), self.worst, self.calls * factor)


@dataclass(frozen=True, slots=True)
class FromBounds:
    """By a formula for the bounds; a p-value is one less the confidence that meets the limit.

    Attributes:
        formula: bounds from a confidence, and from how many times as many calls.
    """

    value: float
    formula: Callable[[float, float], Bounds]
    factor: float = 1.0

    def bounds(self, confidence: float) -> Bounds | None:
        return self.formula(confidence, self.factor)

    def p_above(self, limit: float) -> float:
        return _p_value(lambda confidence: self.formula(confidence, self.factor).low > limit)

    def p_below(self, limit: float) -> float:
        return _p_value(lambda confidence: self.formula(confidence, self.factor).high <= limit)

    def above(self, limit: float, alpha: float) -> bool:
        return self.formula(1.0 - alpha, self.factor).low > limit

    def below(self, limit: float, alpha: float) -> bool:
        return self.formula(1.0 - alpha, self.factor).high <= limit

    def scaled(self, factor: float) -> FromBounds:
        return FromBounds(self.value, self.formula, self.factor * factor)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A difference that no call shows: which calls were recorded could not have changed it."""

    value: float

    def bounds(self, confidence: float) -> Bounds | None:
        return Bounds(self.value, self.value)

    def p_above(self, limit: float) -> float:
        return 0.0 if self.value > limit else 1.0

    def p_below(self, limit: float) -> float:
        return 0.0 if self.value <= limit else 1.0

    def above(self, limit: float, alpha: float) -> bool:
        return self.value > limit

    def below(self, limit: float, alpha: float) -> bool:
        return self.value <= limit

    def scaled(self, factor: float) -> Unchanged:
        return self


def _p_value(beyond: Callable[[float], bool]) -> float:
    """From the highest confidence with which a bound lies beyond the limit; 1 above one half."""
    low, high = _SMALLEST, 0.5
    if beyond(1.0 - low):
        return low
    if not beyond(1.0 - high):
        return 1.0
    for _ in range(40):
        middle = math.sqrt(low * high)
        if beyond(1.0 - middle):
            high = middle
        else:
            low = middle
    return high


def factor_needed(
    estimate: Estimate, limit: float, alpha_above: float, alpha_below: float
) -> float:
    """How many times as many calls of the same kind would decide on which side of a limit it is.

    Returns:
        infinity if a hundred times would not: it lies at the limit itself.
    """

    def decided(factor: float) -> bool:
        more = estimate.scaled(factor)
        return more.above(limit, alpha_above) or more.below(limit, alpha_below)

    if not decided(_MOST):
        return math.inf
    low, high = 1.0, _MOST
    while high / low > _NEAR:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
