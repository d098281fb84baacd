"""Reads fields of events, whose data is plain JSON of any shape."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lkgate.model.event import Json


def text(data: Mapping[str, Json], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def number(data: Mapping[str, Json], key: str) -> float | None:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def mapping(data: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def mappings(data: Mapping[str, Json], key: str) -> tuple[Mapping[str, Json], ...]:
    value = data.get(key)
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if isinstance(item, dict))


def parsed(value: Json) -> Json:
    """JSON inside a string, if it is an object or a list; else the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            loaded: Json = json.loads(value)
        except ValueError:
            return value
        return loaded
    return value


def positive_us(data: Mapping[str, Json], key: str) -> int | None:
    """A latency in LiveKit's seconds as microseconds; its sentinels -1 and 0.0 are absent."""
    seconds = number(data, key)
    if seconds is None or not 0 < seconds < 86_400:
        return None
    return round(seconds * 1_000_000)
