"""What a derived cassette is made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.cassette.keys import Request
from lkgate.model.event import Json
from lkgate.model.turn import Modality


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange, before it has an ordinal.

    Attributes:
        t_us: session time of the request, as far as it can be told.
        request: as somebody outside would put it, see :mod:`lkgate.cassette.outside`.
    """

    modality: Modality
    t_us: int
    request: Request
    response: dict[str, Json]
