"""Digits, however they are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.number import canonical, facts_of, quantity_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("twenty five", "2 5"),
        ("twenty-five dollars", "2 5 dollars"),
        ("25", "2 5"),
        ("two five", "2 5"),
        ("fourteen thirty", "1 4 3 0"),
        ("14:30", "1 4 3 0"),
        ("three thousand", "3 0 0 0"),
        ("3,000", "3 0 0 0"),
        ("one hundred and five", "1 0 5"),
        ("two million one hundred thousand", "2 1 0 0 0 0 0"),
        ("one hundred twenty three thousand four hundred fifty six", "1 2 3 4 5 6"),
        ("the twenty first of june", "the 2 1 of june"),
        ("21st", "2 1"),
        ("zero zero seven", "0 0 7"),
        ("twenty twenty six", "2 0 2 6"),
        ("bread and two eggs", "bread and 2 eggs"),
        ("hundred", "hundred"),
        ("a second", "a second"),
        ("", ""),
    ],
)
def test_canonical(text: str, tokens: str) -> None:
    assert " ".join(canonical(text)) == tokens


def test_facts_are_digits_weekdays_and_months() -> None:
    said = "May I come on Tuesday, the third of March, at half past two?"
    assert facts_of(said) == ("tuesday", "3", "march", "2")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("-3", -3.0),
        ("1,200.50", 1200.5),
        ("$ 5", 5.0),
        ("12 euros", 12.0),
        ("twenty five", 25.0),
        (".5", 0.5),
        ("five eggs", 5.0),
        ("five or six", None),
        ("3/4", None),
        ("1.2.3", None),
        ("", None),
        ("soon", None),
    ],
)
def test_value(text: str, value: float | None) -> None:
    found = quantity_of(text)
    assert (found and found[0]) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2.5 million", (2_500_000.0, "")),
        ("5k", (5_000.0, "")),
        ("5 %", (0.05, "")),
        ("3 thousand euros", (3_000.0, "euro")),
        ("5 am", (5.0, "am")),
        ("five a.m.", (5.0, "am")),
        ("$5", (5.0, "dollar")),
        ("USD 5", (5.0, "dollar")),
        ("€ 5k", (5_000.0, "euro")),
        ("five dollars", (5.0, "dollar")),
        ("5m", (5.0, "m")),
        ("5 min.", (5.0, "minute")),
        ("5 minutes", (5.0, "minute")),
        ("1 hr", (1.0, "hour")),
        ("one hours", (1.0, "hour")),
        ("3 people", (3.0, "person")),
        ("7 oclock", (7.0, "o'clock")),
        ("2nd", (2.0, "")),
        ("21ST floor", (21.0, "floor")),
        ("5 st", (5.0, "st")),
        ("3rds", (3.0, "rds")),
    ],
)
def test_scales_and_units(text: str, found: tuple[float, str]) -> None:
    assert quantity_of(text) == found


def test_digits_glued_to_letters_are_facts() -> None:
    assert facts_of("3pm in room 5a, the 1st") == ("3", "pm", "5", "1")


def test_morning_is_not_afternoon() -> None:
    assert facts_of("at 3 p.m. or 4 AM, I am sure") == ("3", "pm", "4", "am")
    assert facts_of("three pm") == facts_of("3pm") != facts_of("3am")


@given(st.integers(0, 999_999))
def test_a_number_is_its_digits_in_words_too(number: int) -> None:
    assert canonical(in_words(number)) == tuple(str(number))
    assert quantity_of(in_words(number)) == (number, "")
    assert quantity_of(f"{number:,}") == (number, "")


def in_words(number: int) -> str:
    """As an Englishman says it."""
    ones = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen"
    )
    tens = "- - twenty thirty forty fifty sixty seventy eighty ninety"
    if number < 20:
        return ones.split(" ")[number]
    if number < 100:
        rest = f"-{in_words(number % 10)}" if number % 10 else ""
        return tens.split(" ")[number // 10] + rest
    if number < 1_000:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{in_words(number // 100)} hundred{rest}"
    rest = f" {in_words(number % 1_000)}" if number % 1_000 else ""
    return f"{in_words(number // 1_000)} thousand{rest}"
