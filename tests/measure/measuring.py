"""One metric of one session."""

from __future__ import annotations

from lkgate.measure.registry import METRICS, measure
from lkgate.measure.session import session_of
from lkgate.model.bundle import Bundle
from lkgate.model.history import History
from lkgate.model.label import Labels
from lkgate.model.measurement import Measurement
from lkgate.model.price import PriceTable


def measured(
    name: str,
    session: Bundle,
    truth: Labels | None = None,
    prices: PriceTable | None = None,
    history: History | None = None,
) -> Measurement:
    return measure(session_of(session, truth, prices=prices, history=history), METRICS[name])
