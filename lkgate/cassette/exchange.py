"""One recorded exchange, and its line in ``index.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from lkgate.bundle.canonical import compact, parse
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.turn import Modality

Origin = Literal["recorded", "live", "derived"]
Ending = Literal["done", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came back.

    Attributes:
        modality: who was asked.
        key: of the request, see :mod:`lkgate.cassette.keys`.
        ordinal: of this key in the cassette, from 0, in the order of the requests.
        t_us: session time of the request.
        request: normalised; texts of some length are ``{"blob": sha256}``, see
            :meth:`lkgate.cassette.store.Cassette.request`.
        response: what came back, and when; every modality has its own fields, and all have
            ``ending``: ``done``; ``cancelled``: whoever asked did not wait for the end;
            ``error``: the provider or the tool failed, with ``error`` beside it.
        origin: ``recorded`` in the recorded call, ``live``: added by ``--models record``,
            ``derived``: made from what was seen of the call from outside; its request is one of
            :mod:`lkgate.cassette.outside`.
    """

    modality: Modality
    key: str
    ordinal: int
    t_us: int
    request: Mapping[str, Json]
    response: Mapping[str, Json]
    origin: Origin

    @property
    def ending(self) -> Ending:
        return cast(Ending, self.response["ending"])

    @property
    def whole(self) -> bool:
        """Nobody cut it short."""
        return self.ending != "cancelled"


def encode(exchange: Exchange) -> str:
    """The line, without its newline."""
    return compact(
        {
            "modality": exchange.modality,
            "key": exchange.key,
            "ordinal": exchange.ordinal,
            "t_us": exchange.t_us,
            "request": exchange.request,
            "response": exchange.response,
            "origin": exchange.origin,
        }
    )


def decode(line: bytes, where: str) -> Exchange:
    """The exchange in a line.

    Raises:
        BundleError: if it is torn, or not what :func:`encode` writes.
    """
    try:
        value = parse(line)
    except ValueError as error:
        raise BundleError(f"no exchange: {error}", where=where) from None
    if not isinstance(value, dict):
        raise BundleError("no exchange: not an object", where=where)
    response = _object(value, "response", where)
    if response.get("ending") not in get_args(Ending):
        raise BundleError(f"no such ending: {response.get('ending')!r}", where=where)
    return Exchange(
        modality=cast(Modality, _word(value, "modality", get_args(Modality), where)),
        key=_text(value, "key", where),
        ordinal=_whole(value, "ordinal", where),
        t_us=_whole(value, "t_us", where),
        request=_object(value, "request", where),
        response=response,
        origin=cast(Origin, _word(value, "origin", get_args(Origin), where)),
    )


def _text(value: Mapping[str, Json], name: str, where: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise BundleError(f"`{name}` is no text", where=where)
    return found


def _word(value: Mapping[str, Json], name: str, words: tuple[str, ...], where: str) -> str:
    found = _text(value, name, where)
    if found not in words:
        raise BundleError(f"`{name}` is {found!r}, not one of {', '.join(words)}", where=where)
    return found


def _whole(value: Mapping[str, Json], name: str, where: str) -> int:
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise BundleError(f"`{name}` is no whole number", where=where)
    return found


def _object(value: Mapping[str, Json], name: str, where: str) -> Mapping[str, Json]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise BundleError(f"`{name}` is no object", where=where)
    return found
