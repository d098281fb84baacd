"""What a line of the registry is made of; a team's own metrics are made of it too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lkgate.measure.session import Session
from lkgate.model.measurement import (
    Direction,
    Evidence,
    Layer,
    MetricSpec,
    Sample,
    Scope,
    Summary,
    Unit,
)

# Evidence that most metrics need.
BOTH: tuple[Evidence, ...] = ("caller_audio", "agent_audio")
LABELLED: tuple[Evidence, ...] = ("session", "labels")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and what measures it; the evidence that it needs is checked before it is called."""

    spec: MetricSpec
    samples: Callable[[Session], Iterable[Sample]]


def spec(
    name: str,
    unit: Unit,
    direction: Direction,
    scope: Scope,
    summary: Summary,
    layer: Layer | None,
    evidence: tuple[Evidence, ...],
    doc: str,
    *,
    source: str = "",
    misleads: str = "",
    comparable: bool = False,
    version: int = 1,
) -> MetricSpec:
    """A :class:`MetricSpec`, in the order in which one thinks of it."""
    return MetricSpec(
        name=name,
        unit=unit,
        direction=direction,
        version=version,
        scope=scope,
        summary=summary,
        layer=layer,
        evidence=evidence,
        comparable=comparable,
        doc=doc,
        source=source,
        misleads=misleads,
    )
