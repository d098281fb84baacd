"""A limit before it is decided: what was observed, and what that says of calls to come."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.gate.aggregate import OF_THESE_CALLS
from lkgate.model.check import Check, Limit, Margin, Method, Outcome, Uncertainty
from lkgate.model.gate import About, Rule
from lkgate.model.measurement import MetricSpec
from lkgate.stats.estimate import Estimate, factor_needed


@dataclass(frozen=True, slots=True)
class Sampled:
    """The part of a trial that is a statement about calls to come.

    Attributes:
        excess: how far ``observed`` lies beyond the limit; above 0 is broken.
        calls, method: as in :class:`Uncertainty`.
    """

    excess: Estimate
    calls: tuple[int, ...]
    method: Method


@dataclass(frozen=True, slots=True)
class Trial:
    """One limit; as in :class:`Check`, with ``sampled`` where it is not about these calls alone.

    Attributes:
        broken: whether these calls break it.
    """

    limit: Limit
    allowed: float | Margin
    observed: float
    relative: float | None
    broken: bool
    sampled: Sampled | None = None
    note: str | None = None

    @property
    def p_broken(self) -> float:
        assert self.sampled is not None  # only sampled trials are asked
        return self.sampled.excess.p_above(0.0)

    def decided(self, confidence: float, p_family: float | None) -> Check:
        """The check, once its place in the family is known.

        Args:
            p_family: ``p_broken`` as the family corrects it; ``None`` if it is in none, for it is
                not sampled or evidence is missing.
        """
        outcome: Outcome = "broken" if self.broken else "holds"
        uncertainty = None
        if self.sampled is not None:
            outcome = "open"
        if self.sampled is not None and p_family is not None:
            alpha = 1.0 - confidence
            p_holds = self.sampled.excess.p_below(0.0)
            if p_family <= alpha:
                outcome = "broken"
            elif p_holds <= alpha:
                outcome = "holds"
            uncertainty = self._uncertainty(confidence, p_family, p_holds, open_=outcome == "open")
        return Check(
            self.limit,
            self.allowed,
            self.observed,
            self.relative,
            outcome,
            uncertainty,
            self.note,
        )

    def _uncertainty(
        self, confidence: float, p_family: float, p_holds: float, *, open_: bool
    ) -> Uncertainty:
        assert self.sampled is not None
        excess, alpha = self.sampled.excess, 1.0 - confidence
        p_broken = self.p_broken
        low: float | None = None
        high: float | None = None
        bounds = excess.bounds(confidence)
        if bounds is not None:
            # Beyond a minimum is below it.
            if self.limit == "min":
                zero = self.observed + excess.value
                low, high = zero - bounds.high, zero - bounds.low
            else:
                zero = self.observed - excess.value
                low, high = zero + bounds.low, zero + bounds.high
        needed = None
        if open_:
            # As much stricter as the family's correction makes it here.
            strict = alpha * p_broken / p_family if p_family > 0 else alpha
            factor = factor_needed(excess, 0.0, strict, alpha)
            if factor != float("inf"):
                needed = max(sum(self.sampled.calls) + 1, round(sum(self.sampled.calls) * factor))
        return Uncertainty(
            low=low,
            high=high,
            confidence=confidence,
            p_broken=p_broken,
            p_family=p_family,
            p_holds=p_holds,
            calls=self.sampled.calls,
            method=self.sampled.method,
            needed=needed,
        )


def about(rule: Rule, spec: MetricSpec, limit: Limit) -> About:
    """Whether a limit speaks about the replayed calls alone or about calls to come.

    A total, a worst case and an absolute limit are facts about these calls. So is the promise that
    no count rises and no share falls, a margin of nothing: a single case breaks it. All other
    changes, and gaps between cohorts, are samples of what calls to come will show.
    """
    if rule.about is not None:
        return rule.about
    if rule.aggregate in OF_THESE_CALLS or limit in ("max", "min"):
        return "these_calls"
    allowed = getattr(rule, limit)
    if isinstance(allowed, Margin) and spec.unit != "us" and is_nothing(allowed):
        return "these_calls"
    return "calls_to_come"


def is_nothing(allowed: Margin) -> bool:
    """Whether a margin allows no change at all."""
    return not allowed.absolute and not allowed.relative
