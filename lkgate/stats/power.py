"""What a set of calls can detect: how large a change must be to be found nearly always."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lkgate.stats.resample import SEED
from lkgate.stats.special import beta_quantile, normal_quantile, t_quantile
from lkgate.stats.turns import Statistic, Turns, excess

SUITES = 200
_TIMES = 500


@dataclass(frozen=True, slots=True)
class Detectable:
    """A change that is the same in every turn, or hits every call alike.

    Attributes:
        change: how large it must be to be found with the wanted share.
        held: share of suites in which no change is seen to be none; ``None`` if not worked out.
    """

    change: float
    held: float | None


def detectable_change(
    before: Turns,
    statistic: Statistic,
    *,
    sign: float,
    absolute: float | None,
    relative: float | None,
    turns_a_call: float | None,
    alpha: float,
    alpha_family: float,
    share: float,
) -> Detectable | None:
    """By playing it through: suites of the same calls in which only the timings are other ones.

    Every turn is drawn afresh from the turns of its own call; the one turn of a call, from those of
    all calls. Other timings do not get rougher than that.

    Args:
        sign, absolute, relative, turns_a_call: as of :func:`excess`.
        alpha: of a pass; ``alpha_family`` of a failure among all rules.
        share: of the suites in which the change is to be found.

    Returns:
        ``None`` if so few calls leave nothing to tell it from.
    """
    lows: list[float] = []
    held = 0
    for now in _fresh(before):
        found = excess(
            now,
            before,
            statistic,
            sign=sign,
            absolute=absolute,
            relative=relative,
            turns_a_call=turns_a_call,
            times=_TIMES,
        )
        bounds = found.bounds(1 - alpha_family)
        if bounds is None:
            return None
        lows.append(bounds.low)
        # Where no call shows a difference the gate asks no further.
        held += now.same_as(before) or found.below(0.0, alpha)
    # What lifts the lower bound of nine suites in ten above what is allowed.
    change = -float(np.quantile(lows, 1 - share, method="inverted_cdf"))
    return Detectable(change, held / len(lows))


def _fresh(turns: Turns) -> list[Turns]:
    count = len(turns.amounts)
    sizes = np.bincount(turns.owners, minlength=turns.calls)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    alone = sizes[turns.owners] == 1
    reach = np.where(alone, count, sizes[turns.owners]).astype(np.uint64)
    first = np.where(alone, 0, starts[turns.owners])
    raw = np.random.PCG64([SEED, count]).random_raw(SUITES * count).reshape(SUITES, count)
    drawn = (raw % reach).astype(np.int64) + first
    return [
        Turns(turns.amounts[row], turns.weights[row], turns.owners, turns.calls) for row in drawn
    ]


def detectable_spread(error: float, degrees: float, alpha_family: float, share: float) -> float:
    """How far beyond a limit a number must lie to be found so, by its standard error."""
    return error * (t_quantile(1 - alpha_family, degrees) + normal_quantile(share))


def detectable_share(calls: int, broken: Callable[[int], bool], share: float) -> float | None:
    """The share of calls that a fault must hit to be found.

    Args:
        calls: number of calls that it can hit.
        broken: whether so many of them, hit, break the limit; rising.

    Returns:
        ``None`` if not even a fault in every call is found.
    """
    if not broken(calls):
        return None
    low, high = 0, calls
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if broken(middle) else (middle, high)
    # Where at least ``high`` calls are hit with probability ``share``: a beta quantile.
    return beta_quantile(share, high, calls - high + 1)


def calls_for_one(rate: float, share: float) -> int:
    """How many calls show a fault that hits ``rate`` of them at least once."""
    return math.ceil(math.log(1 - share) / math.log(1 - rate))


def calls_for_change(calls: int, beyond: float, wanted: float, alpha_family: float) -> int:
    """How many calls find a change that lies ``wanted`` beyond what is allowed.

    Args:
        beyond: how far beyond it ``calls`` calls find one.
    """
    count = calls
    while _reach(count, alpha_family) / _reach(calls, alpha_family) > wanted / beyond:
        count = max(count + 1, math.ceil(count * 1.02))
    return count


def _reach(calls: int, alpha: float) -> float:
    return t_quantile(1 - alpha, calls - 1) / math.sqrt(calls)
