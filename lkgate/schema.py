"""JSON Schemas that people write: whether one can be used, and what is valid by it.

Draft 2020-12, and only as much of it as means the same everywhere: words and formats that it does
not know are refused, where JSON Schema would let them pass; nothing is fetched. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import jsonschema
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from lkgate.model.event import Json

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CHECKER = jsonschema.FormatChecker(("date", "email", "ipv4", "ipv6", "regex", "uuid"))
# RFC 3339: a time of day has seconds and an offset.
_TIME = re.compile(
    r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.IGNORECASE
)
# Of all sorts: what takes every one of them takes anything.
_ANYTHING: tuple[Json, ...] = (None, True, -17.5, "\u00b6 7", [], [[1]], {}, {"\u00b6": "7"})


@_CHECKER.checks("time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or _TIME.fullmatch(value) is not None


@_CHECKER.checks("date-time")
def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    day, between, time = value[:10], value[10:11], value[11:]
    return between in ("T", "t") and _CHECKER.conforms(day, "date") and _is_time(time)


FORMATS = tuple(sorted(_CHECKER.checkers))
# The dialect's own schema, of itself and of every schema within: `$dynamicAnchor` makes it so.
_STRICT = jsonschema.Draft202012Validator(
    {
        "$schema": _DIALECT,
        "$id": "lkgate:strict",
        "$dynamicAnchor": "meta",
        "$ref": _DIALECT,
        "properties": {"format": {"enum": list(FORMATS)}},
        "unevaluatedProperties": False,
    }
)


def flaw_of(schema: Mapping[str, Json]) -> str | None:
    """Why something is no schema that can be used, ``None`` if it is one."""
    errors = sorted(_STRICT.iter_errors(dict(schema)), key=lambda error: -len(error.absolute_path))
    if errors:
        return _told(errors[0])
    resource = DRAFT202012.create_resource(dict(schema))
    resolver = Registry().with_resource("", resource).resolver_with_root(resource)
    for reference in _references(dict(schema)):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            return f"{reference!r} leads to nothing in it"
    if all(conforms(value, schema) for value in _ANYTHING):
        return "anything is valid by it"
    return None


def conforms(value: Json, schema: Mapping[str, Json]) -> bool:
    """Whether a value is valid, formats included. By a schema that only leads back to itself, or
    to nothing, no value is.
    """
    found = jsonschema.Draft202012Validator(
        dict(schema), registry=Registry(), format_checker=_CHECKER
    )
    try:
        return found.is_valid(value)
    except (RecursionError, Unresolvable):
        return False


def _told(error: jsonschema.ValidationError) -> str:
    where = "".join(f" at {part!r}" for part in list(error.absolute_path)[-1:])
    if error.validator == "unevaluatedProperties":
        # jsonschema says: Unevaluated properties are not allowed ('patern' was unexpected)
        return f"{error.message.rpartition('(')[2].removesuffix(')')}{where}"
    return f"{error.message}{where}"


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
