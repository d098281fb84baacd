"""One value, one text: the JSON that bundles hold, and digests over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from lkgate.model.event import Json

JsonLike = Json | Mapping[str, "JsonLike"] | Sequence["JsonLike"]
"""What can be written: read-only containers as well."""


def compact(value: JsonLike) -> str:
    """One line, keys sorted.

    Raises:
        ValueError: for NaN, infinity, and text that is no Unicode.
    """
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
    )
    text.encode()
    return text


def pretty(value: JsonLike) -> bytes:
    """Indented, keys sorted, UTF-8, a newline at the end. Raises as :func:`compact`."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return text.encode() + b"\n"


def parse(data: bytes) -> Json:
    """The value of a JSON text.

    Raises:
        ValueError: if it is no JSON, holds NaN or infinity, or an object has a key twice.
    """
    try:
        value: Json = json.loads(
            data.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def sha256(data: bytes | memoryview) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has a key twice")
    return value


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")
