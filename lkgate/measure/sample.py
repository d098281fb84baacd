"""Makes samples, and a measurement out of them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lkgate.measure.brief import brief
from lkgate.model.bundle import Span
from lkgate.model.measurement import Measurement, MetricSpec, Sample
from lkgate.model.turn import Turn


def measured(
    value: float,
    at: Turn | None,
    span: Span,
    note: str | None = None,
    *,
    amount: float | None = None,
    weight: float = 1.0,
) -> Sample:
    """A value. A ratio states its ``amount`` and ``weight`` too."""
    return Sample(
        status="measured",
        value=value,
        amount=value if amount is None else amount,
        weight=weight,
        turn=None if at is None else at.index,
        span=span,
        note=None if note is None else brief(note),
        reason=None,
        estimated=() if at is None else at.estimated,
    )


def absent(at: Turn | None, span: Span, reason: str) -> Sample:
    """A hole: a value should be here."""
    return _without("absent", at, span, reason)


def inapplicable(at: Turn | None, span: Span, reason: str) -> Sample:
    """Nothing to measure here, and that is as it should be."""
    return _without("not_applicable", at, span, reason)


def _without(status: str, at: Turn | None, span: Span, reason: str) -> Sample:
    return Sample(
        status="absent" if status == "absent" else "not_applicable",
        value=None,
        amount=0.0,
        weight=0.0,
        turn=None if at is None else at.index,
        span=span,
        note=None,
        reason=brief(reason),
    )


def rank(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: always one of the values, so that it has a turn to point to.

    Args:
        values: at least one.
        share: in (0, 1].
    """
    ordered = sorted(values)
    # 1e-9: 0.95 * 20 is a hair above 19 in binary.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def summarise(spec: MetricSpec, samples: Iterable[Sample]) -> Measurement:
    """One call's measurement from its samples, by the metric's own summary."""
    every = tuple(samples)
    got = [sample for sample in every if sample.value is not None]
    value: float | None = None
    if got:
        values = [sample.value for sample in got if sample.value is not None]
        weight = math.fsum(sample.weight for sample in got)
        if spec.summary == "sum":
            value = math.fsum(values)
        elif spec.summary == "max":
            value = max(values)
        elif spec.summary == "median":
            value = rank(values, 0.5)
        elif weight > 0:
            value = math.fsum(sample.amount for sample in got) / weight
    reason = None
    if value is None:
        first = next((sample.reason for sample in every if sample.reason), None)
        reason = first or "nothing to measure in this call"
    return Measurement(
        metric=spec.name,
        version=spec.version,
        unit=spec.unit,
        value=value,
        n=len(got),
        reason=reason,
        missing=False,
        samples=every,
    )


def missing(spec: MetricSpec, reason: str) -> Measurement:
    """A measurement that could not be made."""
    return Measurement(
        metric=spec.name,
        version=spec.version,
        unit=spec.unit,
        value=None,
        n=0,
        reason=reason,
        missing=True,
        samples=(),
    )
