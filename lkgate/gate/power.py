"""What the recordings at hand can detect by a gate, rule by rule, before anything is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.diff.registry import COMPARISONS
from lkgate.gate.metrics import SPECS
from lkgate.gate.sampled import (
    Samples,
    hits_once,
    is_rare,
    share_change,
    share_limit,
    statistic_of,
    turns_of,
)
from lkgate.gate.slices import expand, levels_of, outside
from lkgate.gate.trial import about
from lkgate.gate.trust import is_judge
from lkgate.measure.judged import is_own, own
from lkgate.measure.registry import measure, metrics
from lkgate.measure.session import Session
from lkgate.model.check import Limit, Margin
from lkgate.model.gate import Gate, Rule
from lkgate.model.measurement import Measurement, MetricSpec
from lkgate.stats.power import (
    calls_for_change,
    calls_for_one,
    detectable_change,
    detectable_share,
    detectable_spread,
)
from lkgate.stats.resample import SEED

SHARE = 0.9
_RARE = 0.05


@dataclass(frozen=True, slots=True)
class Power:
    """What one limit of a rule can detect.

    Attributes:
        calls: recordings that it judges.
        exact: it is a statement about these very calls: ``found`` and ``smaller`` are the share of
            calls that a fault must hit for one of them to show it.
        found: how large a change must be to be found 90 times of 100, in the metric's unit; of an
            absolute limit, how far beyond it; ``None`` with a ``reason``.
        allowed: the change that the limit allows; 0 of an absolute limit.
        smaller, needed: a smaller change, and about how many calls would find that.
        held: share of replays with nothing but other timings in which it passes, if known.
    """

    rule: Rule
    spec: MetricSpec
    limit: Limit
    calls: int
    exact: bool
    found: float | None
    allowed: float = 0.0
    smaller: float | None = None
    needed: int | None = None
    held: float | None = None
    reason: str | None = None


def power(gate: Gate, calls: Sequence[tuple[str, Session]]) -> tuple[Power, ...]:
    """Of every limit of every rule, with ``by`` of every level.

    Args:
        calls: the name of each recording, and its accepted replay, or itself.
    """
    labels = [session.labels for _, session in calls]
    rules = [level for rule in gate.rules for level in expand(rule, labels)]
    asked = [(rule, limit) for rule in rules for limit in _limits(rule)]
    found = []
    for rule, limit in asked:
        family = sum(
            other.severity == rule.severity and _is_sampled(other, one) for other, one in asked
        )
        confidence = gate.confidence if rule.confidence is None else rule.confidence
        alpha = 1.0 - confidence
        strict = alpha / max(1, family) if gate.family != "none" else alpha
        found.append(_Question(rule, limit, calls, alpha, strict).answer())
    return tuple(found)


def _limits(rule: Rule) -> list[Limit]:
    limits: tuple[Limit, ...] = ("max", "min", "max_increase", "max_decrease", "max_gap")
    return [limit for limit in limits if getattr(rule, limit) is not None]


def _is_sampled(rule: Rule, limit: Limit) -> bool:
    return about(rule, SPECS[rule.metric], limit) == "calls_to_come"


@dataclass(frozen=True, slots=True)
class _Question:
    """One limit, to be asked of the recordings.

    Attributes:
        alpha: of a pass; ``strict`` of a failure among all rules.
    """

    rule: Rule
    limit: Limit
    calls: Sequence[tuple[str, Session]]
    alpha: float
    strict: float

    def answer(self) -> Power:
        mine = [one for one in self.calls if outside(self.rule, one[0], one[1].labels) is False]
        if not mine:
            return self._unknown(0, "no recording is of this slice")
        if not _is_sampled(self.rule, self.limit):
            rarest = 1 - (1 - SHARE) ** (1 / len(mine))
            needed = calls_for_one(_RARE, SHARE) if rarest > _RARE else None
            return self._known(len(mine), rarest, exact=True, smaller=_RARE, needed=needed)
        if (reason := _only_replayed(self.rule.metric)) is not None:
            return self._unknown(len(mine), reason)
        if self.limit == "max_gap":
            return self._gap(mine)
        samples = self._samples(mine)
        if len(samples) < 2:
            return self._unknown(len(samples), self._too_few(mine, len(samples)))
        if self.limit in ("max", "min"):
            return self._absolute(samples)
        return self._change(samples)

    def _measured(self, calls: Sequence[tuple[str, Session]]) -> list[Measurement]:
        name = self.rule.metric
        metric = own(name) if is_own(name) else metrics()[name]
        return [measure(session, metric) for _, session in calls]

    def _samples(self, calls: Sequence[tuple[str, Session]]) -> list[Samples]:
        measured = self._measured(calls)
        every = [[s for s in found.samples if s.value is not None] for found in measured]
        return [samples for samples in every if samples]

    def _too_few(self, calls: Sequence[tuple[str, Session]], tell: int) -> str:
        told = "no recording can tell" if tell == 0 else "a single recording can tell"
        why = next((found.reason for found in self._measured(calls) if found.reason), None)
        return told if why is None else f"{told}: {why}"

    def _change(self, samples: list[Samples]) -> Power:
        margin = getattr(self.rule, self.limit)
        assert isinstance(margin, Margin)
        sign = 1.0 if self.limit == "max_increase" else -1.0
        hits = hits_once(self.rule.aggregate, samples)
        if hits is not None and margin.relative is None:
            return self._share(hits, margin.absolute or 0.0, sign)
        turns = turns_of(self.rule.aggregate, samples)
        statistic = statistic_of(self.rule.aggregate)
        allowed = max(
            margin.absolute or 0.0, (margin.relative or 0.0) * abs(turns.value(statistic))
        )
        rare = is_rare(self.rule.aggregate, SPECS[self.rule.metric].unit)
        found = detectable_change(
            turns,
            statistic,
            sign=sign,
            absolute=margin.absolute,
            relative=margin.relative,
            turns_a_call=len(turns.amounts) / turns.calls if rare else None,
            alpha=self.alpha,
            alpha_family=self.strict,
            share=SHARE,
        )
        if found is None:
            return self._unknown(len(samples), "too few recordings can tell")
        return self._scaled(len(samples), found.change, allowed, held=found.held)

    def _share(self, hits: list[int], allowed: float, sign: float) -> Power:
        """A fault can hit only the calls that are still good."""
        good = 0 if sign > 0 else 1

        def found(times: int) -> float | None:
            sound, rest = hits.count(good) * times, [1 - good] * (hits.count(1 - good) * times)

            def broken(count: int) -> bool:
                now = [1 - good] * count + [good] * (sound - count) + rest
                before = [good] * sound + rest
                change = share_change([[n] for n in now], [[n] for n in before], allowed, sign)
                return change.above(0.0, self.strict)

            hit = detectable_share(sound, broken, SHARE)
            return None if hit is None else hit * sound / (len(hits) * times)

        change = found(1)
        if change is None:
            return self._unknown(len(hits), "not even a fault in every call would be shown")
        smaller = allowed + (change - allowed) / 2
        for times in range(2, 41):
            less = found(times)
            if less is not None and less <= smaller:
                needed = len(hits) * times
                return self._known(len(hits), change, allowed, smaller=smaller, needed=needed)
        return self._known(len(hits), change, allowed)

    def _absolute(self, samples: list[Samples]) -> Power:
        limit = getattr(self.rule, self.limit)
        hits = hits_once(self.rule.aggregate, samples)
        if hits is not None:
            sign = 1.0 if self.limit == "max" else -1.0

            def broken(count: int) -> bool:
                now = count if sign > 0 else len(hits) - count
                return share_limit(now, len(hits), limit, sign).above(0.0, self.strict)

            found = detectable_share(len(hits), broken, SHARE)
            if found is None:
                return self._unknown(len(hits), "not even a fault in every call would be shown")
            return self._known(len(hits), max(0.0, found - (limit if sign > 0 else 1 - limit)))
        statistic = statistic_of(self.rule.aggregate)
        estimate = turns_of(self.rule.aggregate, samples).estimate(statistic, seed=SEED)
        if estimate.error is None or estimate.bounds(1 - self.strict) is None:
            return self._unknown(len(samples), "too few recordings can tell")
        beyond = detectable_spread(estimate.error, estimate.degrees, self.strict, SHARE)
        return self._scaled(len(samples), beyond, 0.0)

    def _gap(self, calls: Sequence[tuple[str, Session]]) -> Power:
        """Of the level with the fewest calls against the one with the most."""
        key, allowed = self.rule.max_gap_between, self.rule.max_gap
        assert key is not None and allowed is not None  # the loader demands both
        levels = [
            self._samples(
                [one for one in calls if (told := one[1].labels) and told.cohort.get(key) == level]
            )
            for level in levels_of(key, [session.labels for _, session in calls])
        ]
        if len(levels) < 2:
            return self._unknown(len(calls), f"a gap needs two levels of {key}")
        few, *_, many = sorted(levels, key=len)
        errors = [self._error(level, seed) for seed, level in enumerate((few, many), SEED)]
        if errors[0] is None or errors[1] is None:
            return self._unknown(len(calls), f"a level of {key} has too few calls to tell")
        beyond = detectable_spread(
            (errors[0] ** 2 + errors[1] ** 2) ** 0.5,
            len(few) - 1,
            self.strict / (len(levels) * (len(levels) - 1)),
            SHARE,
        )
        return self._scaled(len(calls), allowed + beyond, allowed)

    def _error(self, samples: list[Samples], seed: int) -> float | None:
        if len(samples) < 2:
            return None
        hits = hits_once(self.rule.aggregate, samples)
        if hits is not None:
            # As if one call more had it and one had not: a share of all shows no spread.
            share = (sum(hits) + 1) / (len(hits) + 2)
            return float((share * (1 - share) / len(hits)) ** 0.5)
        turns = turns_of(self.rule.aggregate, samples)
        return turns.estimate(statistic_of(self.rule.aggregate), seed=seed).error

    def _scaled(
        self, calls: int, change: float, allowed: float, held: float | None = None
    ) -> Power:
        """With what half of the change beyond the margin would need, by the square root of n."""
        half = (change - allowed) / 2
        if half <= 0:
            return self._known(calls, max(change, allowed), allowed, held=held)
        needed = calls_for_change(calls, change - allowed, half, self.strict)
        return self._known(calls, change, allowed, smaller=allowed + half, needed=needed, held=held)

    def _known(
        self,
        calls: int,
        found: float,
        allowed: float = 0.0,
        *,
        exact: bool = False,
        smaller: float | None = None,
        needed: int | None = None,
        held: float | None = None,
    ) -> Power:
        spec = SPECS[self.rule.metric]
        return Power(
            self.rule, spec, self.limit, calls, exact, found, allowed, smaller, needed, held
        )

    def _unknown(self, calls: int, reason: str) -> Power:
        spec = SPECS[self.rule.metric]
        return Power(self.rule, spec, self.limit, calls, False, None, reason=reason)


def _only_replayed(metric: str) -> str | None:
    """Why no recording can tell of a metric before it is replayed, ``None`` if it can."""
    if metric in COMPARISONS:
        return "it compares with the baseline: only a replay can tell"
    if is_judge(metric):
        return "a judge is asked about replays: only a replay can tell"
    return None
