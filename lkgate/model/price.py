"""What models cost, as a team wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Of one model, in the table's currency; ``None`` where the table says nothing.

    Attributes:
        input_tokens, cached_input_tokens, output_tokens: per million. Cached ones without a price
            of their own cost what others do.
        characters: per million, of speech made.
        audio_minutes: per minute, of speech made or heard.
    """

    input_tokens: float | None = None
    cached_input_tokens: float | None = None
    output_tokens: float | None = None
    characters: float | None = None
    audio_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A team's prices of one day. lkgate has none of its own.

    Attributes:
        date: ``YYYY-MM-DD``, of the day on which they held.
        models: by ``provider/model``, or by ``model`` alone.
    """

    date: str
    currency: str
    models: Mapping[str, Price]
