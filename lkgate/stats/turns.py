"""The turns of a set of calls as arrays, and one number out of them, in every suite at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lkgate.stats.estimate import FromSpread, WithUnseen
from lkgate.stats.resample import TIMES, Counts, Floats, percentiles, ratios, resamples, spread


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number out of many turns: a percentile, or a sum over a sum.

    Attributes:
        share: of the percentile; ``None`` for sum of amounts over sum of weights.
    """

    share: float | None


@dataclass(frozen=True, slots=True)
class Turns:
    """What was measured in a set of calls.

    Attributes:
        amounts: of each turn: its value, or the numerator of its share.
        weights: of each turn: 1, or the denominator.
        owners: the call that each turn is of, counted from 0.
        calls: number of calls, those without a turn included.
    """

    amounts: Floats
    weights: Floats
    owners: NDArray[np.int64]
    calls: int

    @staticmethod
    def of(calls: Sequence[Sequence[tuple[float, float]]]) -> Turns:
        """From amounts and weights, turn by turn, call by call."""
        flat = [pair for call in calls for pair in call]
        owners = [at for at, call in enumerate(calls) for _ in call]
        return Turns(
            np.array([amount for amount, _ in flat], dtype=np.float64),
            np.array([weight for _, weight in flat], dtype=np.float64),
            np.array(owners, dtype=np.int64),
            len(calls),
        )

    def value(self, statistic: Statistic) -> float:
        """Of these calls as they are; not a number if they have no turn."""
        return float(self.replicates(statistic, np.ones((1, self.calls), dtype=np.int32))[0])

    def replicates(self, statistic: Statistic, counts: Counts) -> Floats:
        """Of every suite in ``counts``, shape (times, calls)."""
        if statistic.share is not None:
            if not len(self.amounts):
                return np.full(len(counts), np.nan)
            return percentiles(self.amounts, self.owners, statistic.share, counts)
        return ratios(self._of_calls(self.amounts), self._of_calls(self.weights), counts)

    def each_call(self) -> Floats:
        """Sum over sum of each call; not a number of one without a turn."""
        return ratios(
            self._of_calls(self.amounts),
            self._of_calls(self.weights),
            np.eye(self.calls, dtype=np.int32),
        )

    def same_as(self, other: Turns) -> bool:
        """Whether each call has turns of the same values, in whatever order."""

        def ordered(turns: Turns) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                values = turns.amounts / turns.weights
            return values[np.lexsort((values, turns.owners))]

        return np.array_equal(ordered(self), ordered(other))

    def _of_calls(self, of_turns: Floats) -> Floats:
        return np.bincount(self.owners, of_turns, self.calls).astype(np.float64)

    def estimate(self, statistic: Statistic, *, seed: int) -> FromSpread:
        """Of calls to come, from these.

        Args:
            seed: another one for another set of calls, so that the two are drawn independently.
        """
        drawn = self.replicates(statistic, resamples(self.calls, seed=seed))
        return FromSpread(self.value(statistic), spread(drawn, self.calls), self.calls - 1)


def with_unseen(seen: FromSpread, each_call: Floats, turns_a_call: float) -> WithUnseen:
    """``seen``, of something that happens in some turns only.

    The worst kind of call is the worst one that was seen, or one with a turn more than usual that
    is wholly bad.

    Args:
        each_call: the same number of each call alone.
    """
    return WithUnseen(seen, worst_call(seen.value, each_call, turns_a_call), len(each_call))


def worst_call(value: float, each_call: Floats, turns_a_call: float) -> float:
    """Of :func:`with_unseen`."""
    return max(float(np.nanmax(each_call)), value + 1.0 / turns_a_call)


def excess(
    now: Turns,
    before: Turns,
    statistic: Statistic,
    *,
    sign: float,
    absolute: float | None,
    relative: float | None,
    turns_a_call: float | None = None,
    times: int = TIMES,
) -> FromSpread | WithUnseen:
    """How far a change in the same calls goes beyond what is allowed.

    Args:
        now, before: of the same calls in the same order.
        sign: 1 if a rise is bad, -1 if a fall is.
        absolute, relative: the allowed change, and as a share of before; the larger one counts.
        turns_a_call: of what happens in some turns only, for :func:`with_unseen`; else ``None``.
        times: number of suites that are drawn.
    """

    def beyond(after: Floats, earlier: Floats) -> Floats:
        allowed = np.zeros_like(earlier) if absolute is None else np.full_like(earlier, absolute)
        if relative is not None:
            allowed = np.maximum(allowed, relative * np.abs(earlier))
        return sign * (after - earlier) - allowed

    once = np.ones((1, now.calls), dtype=np.int32)
    value = beyond(now.replicates(statistic, once), before.replicates(statistic, once))
    counts = resamples(now.calls, times)
    drawn = beyond(now.replicates(statistic, counts), before.replicates(statistic, counts))
    seen = FromSpread(float(value[0]), spread(drawn, now.calls), now.calls - 1)
    if turns_a_call is None:
        return seen
    total = float((now.replicates(statistic, once) - before.replicates(statistic, once))[0])
    each = sign * (now.each_call() - before.each_call() - total) + seen.value
    return with_unseen(seen, each, turns_a_call)
