"""Arguments against the labels, each by its rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.argument import agree, wrong_arguments
from lkgate.model.event import Json
from lkgate.model.label import ArgumentRule, ExpectedTool

EXACT, NUMBER = ArgumentRule(), ArgumentRule("number")
DATE, TEXT = ArgumentRule("date"), ArgumentRule("text")


@pytest.mark.parametrize(
    ("rule", "wanted", "given", "same"),
    [
        (EXACT, 1, 1.0, True),
        (EXACT, "a", "A", False),
        (EXACT, True, 1, False),
        (NUMBER, 5, "5", True),
        (NUMBER, "1,200", 1200, True),
        (NUMBER, "twenty five", 25, True),
        (NUMBER, 5, 6, False),
        (NUMBER, 5, True, False),
        (NUMBER, 5, "soon", False),
        (NUMBER, 1, "1 million", False),
        (NUMBER, 5000, "5k", True),
        (NUMBER, "5 am", "5 pm", False),
        (NUMBER, "5 am", 5, True),
        (NUMBER, "5 pm", "five p.m.", True),
        (NUMBER, "five am", "5 pm", False),
        (NUMBER, "$5", "€5", False),
        (NUMBER, "$5", "5 dollars", True),
        (NUMBER, "$5", 5, True),
        (NUMBER, 5, "5m", False),
        (NUMBER, "5m", "5 m", True),
        *(
            (NUMBER, 5, other, False)
            for other in (
                "5 lakh",
                "5 trillion",
                "5 dozen",
                "5 grand",
                "5 Mrd",
                "5½",
                "<5",
                "(5)",
                "not 5",
                "5 and a half",
                "five dozen",
                "5 per cent",
                "5 stone",
            )
        ),
        *(
            (NUMBER, 5, other, True)
            for other in (
                "5 people",
                "5 minutes",
                "five hours",
                "5 euros",
                "5.",
                "5 kg",
            )
        ),
        (NUMBER, 0.05, "5 per cent", True),
        (NUMBER, "5 dozen", "5 dozen", True),
        (NUMBER, 5, 10**400, False),
        (NUMBER, 5, None, False),
        (ArgumentRule("number", tolerance=0.1), 0.2, 0.3, True),
        (ArgumentRule("number", tolerance=0.1), 0.2, 0.31, False),
        (DATE, "14:30", "2:30 pm", True),
        (DATE, "14:30", "2:30 p.m.", True),
        (DATE, "12 am", "0:00", True),
        (DATE, "14:30", "2:30", False),
        (DATE, "2026-11-20", "20 November 2026", True),
        (DATE, "2026-11-20", "Nov 20, 2026", True),
        (DATE, "2026-11-20", "November 20th", False),
        (DATE, "2026-11-20T14:30:00", "20th of November 2026, 2:30 pm", True),
        (DATE, "2026-11-20", "2026-11-21", False),
        (DATE, "Tuesday", "on tuesday", True),
        (DATE, "tuesday 14:30", "tuesday", False),
        (DATE, "3/4", "4/3", False),
        (DATE, "soon", "later", False),
        (DATE, "tomorrow at 14:30", "today at 14:30", False),
        (DATE, "3/4/2026 14:30", "5/6/2026 14:30", False),
        (DATE, "half past 2 pm", "2 pm", False),
        (DATE, "monday or tuesday 14:30", "monday or friday 14:30", False),
        (DATE, "2026-11-20T14:30+02:00", "2026-11-20T14:30-02:00", False),
        (DATE, "2026-11-20 - 14:30", "2026-11-20 14:30", False),
        (DATE, "2026-11-20 14h30", "2026-11-20 16h30", False),
        (DATE, "2026-11-20T14:30+02:00", "2026-11-20T14:30Z", False),
        (TEXT, "Sore throat.", "sore throat", True),
        (TEXT, "sore throat", "a sore throat", False),
        (ArgumentRule("text", similarity=0.6), "sore throat", "a sore throat", True),
        (TEXT, "5", 5, False),
    ],
)
def test_agreement(rule: ArgumentRule, wanted: Json, given: Json, same: bool) -> None:
    assert agree(rule, wanted, given) is same
    assert agree(rule, given, wanted) is same


values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(value=values, other=values, kind=st.sampled_from(("exact", "number", "date", "text")))
def test_a_value_agrees_with_itself_and_agreement_has_no_direction(
    value: Json, other: Json, kind: str
) -> None:
    rule = {"exact": EXACT, "number": NUMBER, "date": DATE, "text": TEXT}[kind]
    assert agree(rule, value, value)
    assert agree(rule, value, other) == agree(rule, other, value)


@pytest.mark.parametrize(
    ("schema", "given", "right"),
    [
        ({"enum": ["14:30", "2:30 pm"]}, "2:30 pm", True),
        ({"enum": ["14:30", "2:30 pm"]}, "14:31", False),
        ({"type": "string", "format": "date"}, "2026-11-25", True),
        ({"type": "string", "format": "date"}, "2026-11-31", False),
        ({"type": "integer", "minimum": 1}, 2.0, True),
        ({"type": "integer", "minimum": 1}, "2", False),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, 3, False),
    ],
)
def test_any_value_that_a_schema_wants(schema: dict[str, Json], given: Json, right: bool) -> None:
    wanted = ExpectedTool("x", {"a": None}, rules={"a": ArgumentRule("schema", schema=schema)})
    assert (wrong_arguments(wanted, {"a": given}) == []) is right


def test_a_left_out_argument_is_the_schemas_default() -> None:
    for default, right in ((30, True), (90, False)):
        schema: dict[str, Json] = {"type": "integer", "maximum": 60, "default": default}
        rules = {"minutes": ArgumentRule("schema", schema=schema)}
        wanted = ExpectedTool("x", {"minutes": 15}, rules=rules)
        assert (wrong_arguments(wanted, {}) == []) is right
    (gone,) = wrong_arguments(
        ExpectedTool(
            "x", {"a": 1}, rules={"a": ArgumentRule("schema", schema={"type": "integer"})}
        ),
        {},
    )
    assert str(gone) == "$.a: 1 is missing"


def test_each_argument_by_its_rule_and_the_others_to_the_letter() -> None:
    wanted = ExpectedTool(
        "book",
        {"patient": "Ann Lee", "slot": {"time": "14:30", "room": 2}, "note": "x"},
        rules={"patient": TEXT, "slot.time": DATE},
    )
    right: Json = {
        "patient": "ann lee",
        "slot": {"time": "2:30 pm", "room": 2},
        "note": "x",
        "more": 1,
    }
    assert wrong_arguments(wanted, right) == []
    wrong: Json = {"patient": "ann li", "slot": {"room": 3}}
    assert [str(one) for one in wrong_arguments(wanted, wrong)] == [
        "$.slot.room: 2 became 3",
        '$.note: "x" is missing',
        '$.patient: "Ann Lee" became "ann li"',
        '$.slot.time: "14:30" is missing',
    ]
    assert [str(one) for one in wrong_arguments(wanted, "no mapping")] == [
        f'$: {dict(wanted.arguments)} became "no mapping"'
    ]
