from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.record import bundle_name


@pytest.mark.parametrize(
    ("room", "name"),
    [
        ("clinic-1", "clinic-1-T"),
        ("ward/3", "ward-3-a05eef-T"),
        ("приёмная", "25cd9b-T"),
        ("..", "5ec1f7-T"),
        (".hidden", "hidden-169241-T"),
        ("x" * 300, "x" * 80 + "-0d4e2c-T"),
    ],
)
def test_names(room: str, name: str) -> None:
    assert bundle_name(room, "T") == name


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_name_is_one_part_of_a_path_and_of_one_room(one: str, two: str) -> None:
    name = bundle_name(one, "20260101-000000")
    assert "/" not in name and not name.startswith((".", "-")) and name.isascii()
    assert len(name) <= 120
    assert (bundle_name(two, "20260101-000000") == name) == (one == two)
