from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake import slots


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Tuesday at half past two, please.", "14:30"),
        ("Tuesday at half-past two, please.", "14:30"),
        ("Wednesday, it hath passed three, please.", "15:30"),
        ("On Monday at half past eight in the morning.", "08:30"),
        ("Friday at a quarter past three, please.", "15:15"),
        ("a quarter to ten", "09:45"),
        ("at 9:15", "09:15"),
        ("at 2.30 p.m.", "14:30"),
        ("I am sorry, at half past four", "16:30"),
        ("ten thirty", "10:30"),
        ("Friday at eleven o'clock", "11:00"),
        ("at noon", "12:00"),
        ("at three in the afternoon", "15:00"),
        ("not at nine, at ten in the morning", "10:00"),
        ("for three days", None),
        ("About a seven.", None),
    ],
)
def test_clock_is_read_within_opening_hours(said: str, meant: str | None) -> None:
    assert slots.clock(said, opening_hours=True) == meant


def test_clock_as_spoken_loses_the_afternoon_but_not_a_named_one() -> None:
    assert slots.clock("half past two", opening_hours=False) == "02:30"
    assert slots.clock("half past two in the afternoon", opening_hours=False) == "14:30"
    assert slots.clock("half past nine", opening_hours=False) == "09:30"


@given(st.integers(8, 18), st.sampled_from([0, 15, 30, 45]))
def test_spoken_clock_is_understood(hour: int, minute: int) -> None:
    time = f"{hour:02d}:{minute:02d}"
    # six is the end of the day, and a quarter to seven outside of it
    if time < "07:00" or time > "18:00":
        return
    part = "in the morning" if hour < 12 else "in the afternoon"
    said = f"{slots.spoken_clock(time)} {part}"
    if slots.spoken_clock(time).startswith("a quarter to one"):
        return
    assert slots.clock(said, opening_hours=True) == time


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Tuesday at ten", "Tuesday"),
        ("On thursday's fine", "Thursday"),
        ("not Monday, Wednesday", "Wednesday"),
        ("Friday instead of Monday", "Friday"),
        ("any day", None),
    ],
)
def test_days(said: str, meant: str | None) -> None:
    assert slots.days(said) == meant


@pytest.mark.parametrize(
    ("said", "asked", "meant"),
    [
        ("My name is Robert Smith.", True, "Robert Smith"),
        ("This is Anna Clark, good morning.", False, "Anna Clark"),
        ("Peter Green.", True, "Peter Green"),
        ("Peter Green.", False, None),
        ("On Monday at half past eight in the morning.", True, None),
    ],
)
def test_name(said: str, asked: bool, meant: str | None) -> None:
    assert slots.name(said, asked=asked) == meant


def test_complaint_duration_and_severity() -> None:
    assert slots.complaint("I have had just pain since this morning") == "chest pain"
    assert slots.complaint("a cough and a fever") == "cough"
    assert slots.complaint("nothing much") is None
    assert slots.duration_days("For three days now.") == 3
    assert slots.duration_days("about two weeks") == 14
    assert slots.duration_days("since yesterday") == 1
    assert slots.duration_days("I cannot say") is None
    assert slots.severity("About a seven.") == 7
    assert slots.severity("a lot") is None
