"""Bundle -> turns -> measurements. Pure: no I/O, no clock, no chance.

What a team's own metrics are written with is here too: see docs/metrics.md.
"""

from __future__ import annotations

from lkgate.measure.metric import Metric, spec
from lkgate.measure.registry import measure_all
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session, session_of
from lkgate.measure.turns import turns_of
from lkgate.model.bundle import Bundle
from lkgate.model.label import Labels
from lkgate.model.measurement import Measurement
from lkgate.model.turn import Turn

__all__ = [
    "Metric",
    "Session",
    "absent",
    "inapplicable",
    "measure",
    "measured",
    "spec",
    "turns_of",
]


def measure(
    bundle: Bundle, turns: tuple[Turn, ...], labels: Labels | None
) -> dict[str, Measurement]:
    """Every metric of a session, by name; those without evidence have no value and a reason.

    Args:
        turns: :func:`turns_of` the bundle.
        labels: of the recording, for a replay too.
    """
    return measure_all(session_of(bundle, labels, turns))
