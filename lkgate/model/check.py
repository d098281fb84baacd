"""A limit against what was observed, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Limit = Literal["max", "min", "max_increase", "max_decrease", "max_gap"]
Outcome = Literal["holds", "broken", "open"]
Method = Literal["resampled_calls", "shares_of_calls", "no_change"]


@dataclass(frozen=True, slots=True)
class Margin:
    """An allowed change against the baseline; if both are given, both must be exceeded.

    Attributes:
        absolute: in the metric's unit.
        relative: share of the baseline, 0.25 is 25 %.
    """

    absolute: float | None
    relative: float | None


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What the calls that were replayed say about calls to come.

    Attributes:
        low, high: of the check's ``observed``. It is above ``low`` with ``confidence``, and below
            ``high`` with ``confidence``; each is a statement of its own. ``None`` if a single
            call, or none, leaves nothing to estimate it from.
        confidence: share, 0.95 is 95 %.
        p_broken: how often a limit that just holds would look broken by as much or more.
        p_family: the same, corrected for the other limits that are judged at once.
        p_holds: how often a limit that is just broken would look kept by as much or more.
        calls: number of calls that it rests on, of each side if two sets of calls are compared.
        method: what it was made with; docs/statistics.md tells which is used for what.
        needed: about how many calls would decide it if their numbers are like these; ``None`` if
            it is decided, or lies too near to the limit for any number.
    """

    low: float | None
    high: float | None
    confidence: float
    p_broken: float
    p_family: float
    p_holds: float
    calls: tuple[int, ...]
    method: Method
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One limit of a rule against what was observed.

    Attributes:
        limit: which one.
        allowed: the absolute limit, or the margin.
        observed: the aggregate, or its change (candidate minus baseline; baseline minus candidate
            for ``max_decrease``), or the gap between two levels.
        relative: that change as a share of the baseline, ``None`` for absolute limits and if the
            baseline is 0.
        outcome: ``open``: neither that the limit holds nor that it is broken could be shown.
        uncertainty: ``None`` for a statement about these very calls, which has none.
        note: of a gap: which levels.
    """

    limit: Limit
    allowed: float | Margin
    observed: float
    relative: float | None
    outcome: Outcome
    uncertainty: Uncertainty | None = None
    note: str | None = None

    @property
    def ok(self) -> bool:
        return self.outcome == "holds"
