"""Long texts of requests, kept once.

Every LLM request repeats the instructions and the tools' schemas. In the index they stand as
``{"$blob": sha256}``: a text as it is, anything else as its JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lkgate.bundle.canonical import compact, parse
from lkgate.model.event import Json

MARK = "$blob"
_LONG = 400
_AS_JSON = ("tools",)


def pack(request: Mapping[str, Json], put: Callable[[bytes], str]) -> dict[str, Json]:
    """The request as the index holds it; long texts go to ``put``, which returns their digest."""
    made: dict[str, Json] = {}
    for name, value in request.items():
        text = compact(value) if name in _AS_JSON else ""
        made[name] = {MARK: put(text.encode())} if len(text) > _LONG else _pack(value, put)
    return made


def unpack(request: Mapping[str, Json], get: Callable[[str], bytes]) -> dict[str, Json]:
    """The inverse of :func:`pack`."""
    return {name: _unpack(value, get, name in _AS_JSON) for name, value in request.items()}


def digests(value: Json | Mapping[str, Json]) -> set[str]:
    """The blobs that a request needs."""
    if isinstance(value, Mapping):
        if set(value) == {MARK}:
            return {str(value[MARK])}
        return set().union(*(digests(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(digests(part) for part in value))
    return set()


def _pack(value: Json, put: Callable[[bytes], str]) -> Json:
    if isinstance(value, str) and len(value) > _LONG:
        return {MARK: put(value.encode())}
    if isinstance(value, list):
        return [_pack(part, put) for part in value]
    if isinstance(value, dict):
        return {name: _pack(part, put) for name, part in value.items()}
    return value


def _unpack(value: Json, get: Callable[[str], bytes], as_json: bool) -> Json:
    if isinstance(value, list):
        return [_unpack(part, get, False) for part in value]
    if not isinstance(value, dict):
        return value
    digest = value.get(MARK)
    if isinstance(digest, str) and len(value) == 1:
        data = get(digest)
        return parse(data) if as_json else data.decode()
    return {name: _unpack(part, get, False) for name, part in value.items()}
