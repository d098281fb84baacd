"""What the team and the audio add to a call before it is judged."""

from __future__ import annotations

from dataclasses import replace

from lkgate.config import Config, read_prices
from lkgate.model.gate import CallResult
from lkgate.model.price import PriceTable


def price_table(config: Config) -> PriceTable | None:
    """What models cost, if the settings name a table."""
    return None if config.prices is None else read_prices(config.prices)


def supplied(result: CallResult, prices: PriceTable | None) -> CallResult:
    """A call with what models cost."""
    return replace(result, prices=prices)
