"""JSON Schemas that people write: whether one can be used, and what is valid by it.

Draft 2020-12, and only as much of it as means the same everywhere: words and formats that it does
not know are refused, where JSON Schema would let them pass; nothing is fetched. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import isfinite

import jsonschema
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, SchemaResource

from lkgate.model.event import Json

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CHECKER = jsonschema.FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))
# RFC 3339: a time of day has seconds and an offset.
_TIME = re.compile(
    r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.IGNORECASE
)
# Of all sorts: what takes every one of them takes anything.
_ANYTHING: tuple[Json, ...] = (None, True, -17.5, "\u00b6 7", [], [[1]], {}, {"\u00b6": "7"})


@_CHECKER.checks("regex")
def _is_regex(value: object) -> bool:
    return not isinstance(value, str) or _regex_flaw(value) is None


def _regex_flaw(pattern: str) -> str | None:
    """Why Python, by which patterns are searched for, reads none in it."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


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
# Words of other drafts, and those by which nobody validates.
_IDLE = (
    "$recursiveAnchor", "$recursiveRef", "$schema", "$vocabulary", "contentEncoding",
    "contentMediaType", "contentSchema", "dependencies",
)  # fmt: skip
# The dialect's own schema, of itself and of every schema within: `$dynamicAnchor` makes it so.
_STRICT = jsonschema.Draft202012Validator(
    {
        "$schema": _DIALECT,
        "$id": "lkgate:strict",
        "$dynamicAnchor": "meta",
        "$ref": _DIALECT,
        "properties": {"format": {"enum": list(FORMATS)}, **{word: {"enum": []} for word in _IDLE}},
        "dependentRequired": {
            "then": ["if"],
            "else": ["if"],
            "minContains": ["contains"],
            "maxContains": ["contains"],
        },
        "not": {"type": "object", "required": ["if"], "properties": {"then": False, "else": False}},
        "unevaluatedProperties": False,
    },
    format_checker=_CHECKER,
)


def _multiple_of(
    _: Validator, step: float, value: Json, __: Mapping[str, Json]
) -> Iterator[jsonschema.ValidationError]:
    """As the decimals are written: 19.99 is 1999 times 0.01, and no float is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if (isinstance(value, float) and not isfinite(value)) or _exact(value) % _exact(step):
        yield jsonschema.ValidationError(f"not a multiple of {step}")


def _exact(number: float) -> Fraction:
    return Fraction(number if isinstance(number, int) else repr(number))


_Valid: type[Validator] = extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"multipleOf": _multiple_of}
)


def flaw_of(schema: Mapping[str, Json]) -> str | None:
    """Why something is no schema that can be used, ``None`` if it is one."""
    if schema.get("$schema", _DIALECT) not in (_DIALECT, f"{_DIALECT}#"):
        return f"{schema['$schema']!r} is another draft"
    plain = _plain(schema)
    errors = sorted(_STRICT.iter_errors(plain), key=lambda error: -len(error.absolute_path))
    if errors:
        return _told(errors[0])
    resource = DRAFT202012.create_resource(plain)
    resolver = Registry().with_resource("", resource).resolver_with_root(resource)
    for reference in _references(resource):
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
    found = _Valid(_plain(schema), registry=Registry(), format_checker=_CHECKER)
    try:
        return found.is_valid(value)
    except (RecursionError, Unresolvable):
        return False


def _plain(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Without its dialect's name, by which jsonschema would take its own validator again."""
    return {key: value for key, value in schema.items() if key != "$schema"}


def _told(error: jsonschema.ValidationError) -> str:
    path = list(error.absolute_path)
    where = "".join(f" at {part!r}" for part in path[-1:])
    if error.validator == "unevaluatedProperties":
        # jsonschema says: Unevaluated properties are not allowed ('patern' was unexpected)
        return f"{error.message.rpartition('(')[2].removesuffix(')')}{where}"
    if error.validator == "format":
        return f"{error.instance!r} is no pattern: {_regex_flaw(str(error.instance))}{where}"
    if error.validator == "not":
        return f"'if' does nothing without 'then' or 'else'{where}"
    if error.validator == "dependentRequired":
        # jsonschema says: 'if' is a dependency of 'then'
        needed, _, word = error.message.partition(" is a dependency of ")
        return f"{word} does nothing without {needed}{where}"
    if error.validator == "enum" and not error.validator_value:
        return f"{path[-1]!r} does nothing in this draft"
    return f"{error.message}{where}"


def _references(schema: SchemaResource) -> Iterator[str]:
    """Of a schema and of those within, not of values that look like one."""
    if isinstance(schema.contents, dict):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(found := schema.contents.get(key), str):
                yield found
    for inner in schema.subresources():
        yield from _references(inner)
