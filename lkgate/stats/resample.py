"""Suites of calls that might have been recorded instead: the calls at hand, drawn again.

Calls are drawn whole, with all their turns: turns of one call have a caller, a line and a build in
common, so drawing turns would count one slow call as many slow turns.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

TIMES = 2000
# Any number; a fixed one, so that the same calls always give the same verdict.
SEED = 20_240_229
# Elements of an intermediate array: bounds the memory of a suite of any size.
_BLOCK = 4_000_000


@lru_cache(maxsize=64)
def resamples(calls: int, times: int = TIMES, seed: int = SEED) -> Counts:
    """How often each of ``calls`` calls stands in each of ``times`` suites of as many.

    Returns:
        shape (times, calls), every row adds up to ``calls``. Read-only.
    """
    # A bit generator's raw numbers are the same in every version of numpy; its methods' are not.
    raw = np.random.PCG64([seed, calls]).random_raw(times * calls)
    drawn = (raw % np.uint64(calls)).astype(np.int64).reshape(times, calls)
    drawn += np.arange(times, dtype=np.int64)[:, None] * calls
    counts = np.bincount(drawn.ravel(), minlength=times * calls).astype(np.int32)
    found = counts.reshape(times, calls)
    found.flags.writeable = False
    return found


def ratios(numerators: Floats, denominators: Floats, counts: Counts) -> Floats:
    """Sum over sum, in every suite: means, and rates.

    Args:
        numerators, denominators: of each call.

    Returns:
        shape (times,); not a number where the denominator is 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        above, below = counts @ numerators, counts @ denominators
        return np.where(below > 0, above / below, np.nan)


def percentiles(values: Floats, owners: NDArray[np.int64], share: float, counts: Counts) -> Floats:
    """The nearest-rank percentile of all turns, in every suite.

    Args:
        values: of each turn.
        owners: the call that each turn is of, an index into the columns of ``counts``.
        share: in (0, 1].

    Returns:
        shape (times,); not a number where a suite has no turn.
    """
    order = np.argsort(values, kind="stable")
    ordered, owners = values[order], owners[order]
    found = np.empty(len(counts))
    step = max(1, _BLOCK // max(1, len(values)))
    for at in range(0, len(counts), step):
        reached = np.cumsum(counts[at : at + step, owners], axis=1, dtype=np.int32)
        total = reached[:, -1]
        # 1e-9: 0.95 * 20 is a hair above 19 in binary.
        wanted = np.maximum(1, np.ceil(share * total - 1e-9))
        place = np.argmax(reached >= wanted[:, None], axis=1)
        found[at : at + step] = np.where(total > 0, ordered[place], np.nan)
    return found


def spread(replicates: Floats, calls: int) -> float | None:
    """The standard error that the suites show, with the loss of drawing from few calls undone.

    Returns:
        ``None`` if a single call, or suites without a value, leave nothing to tell it from.
    """
    finite = replicates[np.isfinite(replicates)]
    if calls < 2 or len(finite) < len(replicates) / 2:
        return None
    low, high = float(finite.min()), float(finite.max())
    # Rounding is no spread.
    if high - low <= 1e-12 + 1e-9 * max(abs(low), abs(high)):
        return 0.0
    return float(finite.std(ddof=1)) * math.sqrt(calls / (calls - 1))
