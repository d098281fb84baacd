"""JSON Schemas of people: what cannot be gone by is refused, not let pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.model.event import Json
from lkgate.schema import FORMATS, conforms, flaw_of


@pytest.mark.parametrize(
    ("schema", "flaw"),
    [
        ({"type": "string", "pattern": "^14:30$"}, None),
        ({"enum": ["14:30"], "description": "a time", "default": "14:30"}, None),
        ({"$defs": {"t": {"type": "string"}}, "$ref": "#/$defs/t"}, None),
        ({"type": "string", "format": "date-time"}, None),
        ({"type": "string", "patern": "^14:30$"}, "'patern' was unexpected"),
        ({"enums": ["14:30"]}, "'enums' was unexpected"),
        ({"properties": {"a": {"enums": [1]}}}, "'enums' was unexpected at 'a'"),
        (
            {"pattern": "^(sore"},
            "'^(sore' is no pattern: missing ), unterminated subpattern at position 1 at 'pattern'",
        ),
        (
            {"type": "string", "pattern": "^\\p{L}+"},
            "'^\\\\p{L}+' is no pattern: bad escape \\p at position 1 at 'pattern'",
        ),
        (
            {"patternProperties": {"*": True}},
            "'*' is no pattern: nothing to repeat at position 0 at 'patternProperties'",
        ),
        (
            {"items": {"pattern": "a{99999999999}"}},
            "'a{99999999999}' is no pattern: the repetition number is too large at 'pattern'",
        ),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string"}, None),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"},
            "'http://json-schema.org/draft-07/schema#' is another draft",
        ),
        (
            {"type": "object", "dependencies": {"a": ["b"]}},
            "'dependencies' does nothing in this draft",
        ),
        ({"type": "object", "$recursiveRef": "#"}, "'$recursiveRef' does nothing in this draft"),
        (
            {"type": "string", "contentSchema": {"type": "object"}},
            "'contentSchema' does nothing in this draft",
        ),
        ({"items": {"then": {"const": 1}}}, "'then' does nothing without 'if' at 'items'"),
        ({"type": "string", "if": {"minLength": 3}}, "'if' does nothing without 'then' or 'else'"),
        ({"if": {"type": "string"}, "else": False}, None),
        ({"type": "array", "minContains": 3}, "'minContains' does nothing without 'contains'"),
        ({"required": ["if"], "properties": {"if": {"const": 1}, "$schema": {"enum": [2]}}}, None),
        ({"const": {"$ref": "#/nowhere"}}, None),
        ({"enum": ["a"], "examples": [{"$ref": "x", "if": 1}]}, None),
        ({"properties": {"const": {"$ref": "#/nowhere"}}}, "'#/nowhere' leads to nothing in it"),
        ({"type": "strnig"}, "'strnig' is not valid under any of the given schemas at 'type'"),
        ({"format": "uri", "type": "string"}, f"'uri' is not one of {list(FORMATS)} at 'format'"),
        ({}, "anything is valid by it"),
        ({"description": "a time"}, "anything is valid by it"),
        ({"$ref": "http://a.b/c"}, "'http://a.b/c' leads to nothing in it"),
        ({"properties": {"a": {"$ref": "#/$defs/no"}}}, "'#/$defs/no' leads to nothing in it"),
    ],
)
def test_what_can_be_gone_by(schema: dict[str, Json], flaw: str | None) -> None:
    assert flaw_of(schema) == flaw


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("date", "2026-11-25", "2026-11-31"),
        ("time", "14:30:00Z", "14:30"),
        ("time", "14:30:00.5+02:00", "25:30:00Z"),
        ("date-time", "2026-11-25T14:30:00Z", "whenever, love"),
        ("date-time", "2026-11-25t14:30:00-01:00", "2026-11-31T14:30:00Z"),
        ("email", "a@b.example", "a"),
        ("ipv4", "127.0.0.1", "127.0.0"),
        ("ipv6", "::1", ":1"),
        ("regex", "a+", "("),
        ("uuid", "123e4567-e89b-42d3-a456-426614174000", "123"),
    ],
)
def test_every_format_is_looked_at(kind: str, right: str, wrong: str) -> None:
    schema: dict[str, Json] = {"type": "string", "format": kind}
    assert conforms(right, schema)
    assert not conforms(wrong, schema)


@pytest.mark.parametrize(
    ("step", "right", "wrong"),
    [
        (0.01, [19.99, 0.29, 4.35, 5, -1.1, "5.001"], [0.001, 19.995]),
        (0.1, [0.3, 0.7, 10**400], [0.25]),
        (1e-9, [1.5, 1e300], [1e-10, float("inf"), float("nan")]),
        (3, [9, 9.0, True], [10, 10**400]),
    ],
)
def test_multiples_are_of_decimals(step: float, right: list[Json], wrong: list[Json]) -> None:
    # By a reference to the whole, the validator is made anew.
    price: dict[str, Json] = {"multipleOf": step, "items": {"$ref": "#"}, "not": {"type": "null"}}
    for schema in (price, {"$schema": "https://json-schema.org/draft/2020-12/schema", **price}):
        assert flaw_of(schema) is None
        assert conforms([right], schema)
        assert [one for one in wrong if conforms([one], schema)] == []


def test_all_formats_are_tried() -> None:
    marks = [mark for mark in test_every_format_is_looked_at.pytestmark if mark.args]  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(FORMATS)


schemas = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("type", "$ref", "anyOf", "items", "properties", "enum", "format", "$id")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(("type", "$ref", "allOf", "not", "$defs")), schemas), schemas
)
def test_any_mapping_is_refused_or_can_be_gone_by(schema: dict[str, Json], value: Json) -> None:
    if flaw_of(schema) is None:
        assert conforms(value, schema) in (True, False)
