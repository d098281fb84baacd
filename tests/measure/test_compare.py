"""Differences of JSON values, and pairs of tool calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.compare import mismatches
from lkgate.measure.pairing import pair
from lkgate.model.event import Json


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["$.a: 1 became True"]),
        ({"a": "1"}, {"a": 1}, ['$.a: "1" became 1']),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["$.a.b[1]: 2 became 3"]),
        ({"a": [1, 2]}, {"a": [1]}, ["$.a[1]: 2 is missing"]),
        ({"a": [1]}, {"a": [1, 2]}, ["$.a[1]: 2 is new"]),
        ({"a": 1}, {}, ["$.a: 1 is missing"]),
        ({}, {"a": None}, ["$.a: None is new"]),
        (None, {}, ["$: None became {}"]),
    ],
)
def test_mismatches(old: Json, new: Json, told: list[str]) -> None:
    assert [str(found) for found in mismatches(old, new)] == told


def test_partial_leaves_new_keys_free_at_every_depth() -> None:
    old: Json = {"slot": {"day": "monday"}}
    new: Json = {"slot": {"day": "monday", "note": "x"}, "who": "me"}
    assert mismatches(old, new, partial=True) == []
    assert [str(m) for m in mismatches(new, old, partial=True)] == [
        '$.slot.note: "x" is missing',
        '$.who: "me" is missing',
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(a=json_values, b=json_values)
def test_same_means_no_mismatch(a: Json, b: Json) -> None:
    assert mismatches(a, a) == []
    assert (mismatches(a, b) == []) == (mismatches(b, a) == [])


names = st.lists(st.sampled_from("abc"), max_size=6)


@given(expected=names, made=names)
def test_pairing_uses_every_call_once(expected: list[str], made: list[str]) -> None:
    found = pair(expected, made)
    pairs = (*found.matched, *found.moved)
    assert sorted([i for i, _ in pairs] + list(found.missing)) == list(range(len(expected)))
    assert sorted([j for _, j in pairs] + list(found.extra)) == list(range(len(made)))
    assert all(expected[i] == made[j] for i, j in pairs)
    assert not {expected[i] for i in found.missing} & {made[j] for j in found.extra}
