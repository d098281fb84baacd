"""The difference of one number in two sets of different calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lkgate.stats.estimate import Estimate, FromSpread, WithUnseen
from lkgate.stats.turns import Statistic, Turns, worst_call


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets.

    Attributes:
        seen: what its calls show.
        calls: how many.
        lowest, highest: in a call of the worst kind, to either side; ``None`` if what is measured
            is in every call.
    """

    seen: FromSpread
    calls: int
    lowest: float | None
    highest: float | None

    @staticmethod
    def of(turns: Turns, statistic: Statistic, *, seed: int, rare: bool) -> Side:
        """
        Args:
            seed: another one for each side, so that they are drawn independently.
            rare: whether it befalls some turns only.
        """
        seen = turns.estimate(statistic, seed=seed)
        if not rare:
            return Side(seen, turns.calls, None, None)
        each, per_call = turns.each_call(), len(turns.amounts) / turns.calls
        return Side(
            seen,
            turns.calls,
            -worst_call(-seen.value, -each, per_call),
            worst_call(seen.value, each, per_call),
        )


def difference(one: Side, other: Side, allowed: float) -> Estimate:
    """How far ``one`` lies more than ``allowed`` above ``other``."""
    seen = _difference(one.seen, other.seen, allowed)
    if one.highest is None or other.lowest is None:
        return seen
    worst = max(one.highest - other.seen.value, one.seen.value - other.lowest) - allowed
    return WithUnseen(seen, worst, min(one.calls, other.calls))


def _difference(one: FromSpread, other: FromSpread, allowed: float) -> FromSpread:
    """With Welch's degrees of freedom."""
    value = one.value - other.value - allowed
    if one.error is None or other.error is None:
        return FromSpread(value, None, 1.0)
    mine, others = one.error**2, other.error**2
    total = mine + others
    if total == 0.0:
        return FromSpread(value, 0.0, min(one.degrees, other.degrees))
    degrees = total**2 / (mine**2 / one.degrees + others**2 / other.degrees)
    return FromSpread(value, float(np.sqrt(total)), degrees)
