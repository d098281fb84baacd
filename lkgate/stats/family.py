"""Many questions at once: p-values corrected for how many of them there are."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected so that one false alarm among all of them is as rare as in one question alone.

    S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70. Asks nothing of how the
    questions depend on each other.
    """
    count = len(p_values)
    corrected = [0.0] * count
    highest = 0.0
    for rank, at in enumerate(_ascending(p_values)):
        highest = max(highest, min(1.0, (count - rank) * p_values[at]))
        corrected[at] = highest
    return corrected


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Corrected so that the share of false alarms among the alarms stays small.

    Y. Benjamini, Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289-300.
    """
    count = len(p_values)
    corrected = [0.0] * count
    lowest = 1.0
    for rank, at in reversed(list(enumerate(_ascending(p_values), 1))):
        lowest = min(lowest, p_values[at] * count / rank)
        corrected[at] = lowest
    return corrected


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda at: p_values[at])
