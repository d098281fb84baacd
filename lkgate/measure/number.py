"""Numbers in speech: the same digits, however they are said or written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from lkgate.measure.words import words_of

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_ORDINAL = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
    "seventeenth", "eighteenth", "nineteenth",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENTHS = tuple(f"{word[:-1]}ieth" for word in _TENS)
_UNITS = {word: n for names in (_SMALL, _ORDINAL) for n, word in enumerate(names)}
# A second is more often a moment than a number.
del _UNITS["second"]
_DECADES = {word: 10 * (n + 2) for names in (_TENS, _TENTHS) for n, word in enumerate(names)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
# What stands behind digits and makes them another number.
_FACTORS = {
    **_SCALES, "k": 1_000, "mn": 1_000_000, "billion": 10**9, "bn": 10**9, "percent": 0.01,
}  # fmt: skip
# Signs and names of one currency are one unit.
_CURRENCIES = {
    **dict.fromkeys(("$", "usd", "dollar", "dollars"), "dollar"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "euro"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "pound"),
    **dict.fromkeys(("¥", "jpy", "yen"), "yen"),
}  # fmt: skip
_COUNTED = (
    "second", "minute", "hour", "day", "week", "month", "year", "night", "guest", "adult", "person",
    "seat", "room", "ticket",
)  # fmt: skip
# Other ways to write one unit.
_NAMES = {
    **_CURRENCIES,
    **{f"{unit}s": unit for unit in _COUNTED},
    **dict.fromkeys(("sec", "secs"), "second"),
    **dict.fromkeys(("min", "mins"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs"), "hour"),
    "people": "person", "oclock": "o'clock",
}  # fmt: skip
# What a number is told in where everybody knows: it says nothing of how much it is. All else may
# be a scale (a dozen, a lakh, a half, 5m) or turn it round (not 5, below 5).
USUAL_UNITS = frozenset({*_NAMES.values(), *_COUNTED, "am", "pm", "of us", "kg", "km", "cm", "mm"})
# Between digits and letters: 3pm, 5a, a1.
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_HALF = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_HALVES = ("am", "pm")
_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th)?")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
# May is a month in few sentences.
_CALENDAR = {*WEEKDAYS, *MONTHS} - {"may"}


def canonical(text: str) -> tuple[str, ...]:
    """The words of a text in their normal form, every number as its single digits.

    ``twenty five``, ``25`` and ``2 5`` are the same, and ``three thousand`` is ``3,000``. Number
    words are English; in another language only digits are numbers.
    """
    return tuple(token for token, _ in _tokens(words_of(text)))


def facts_of(text: str) -> tuple[str, ...]:
    """The digits, weekdays and months of a text, in order, and ``am`` or ``pm`` behind digits."""
    plain = _HALF.sub(r"\1m", _GLUED.sub(" ", text))
    found: list[str] = []
    after = False
    for token, digit in _tokens(words_of(plain)):
        if digit or token in _CALENDAR or (after and token in _HALVES):
            found.append(token)
        after = digit
    return tuple(found)


def quantity_of(text: str) -> tuple[float, str] | None:
    """The one number that a text is, and its unit if it says one.

    ``1,200.50``, ``-3``, ``twenty five``; ``2.5 million``, ``5k`` and ``5 %`` are the numbers that
    they mean; ``5 am`` and ``five a.m.`` are 5 of the unit ``am``, ``$5`` is 5 of ``dollar``,
    ``5 min`` is 5 of ``minute``, and ``2nd`` is 2.
    """
    plain = re.sub(r"(?<=\d)[,_ ](?=\d{3}\b)", "", text.strip())
    found = re.fullmatch(
        r"([^\d.+-]{0,3}?)\s*([+-]?(?:\d{1,15}\.?\d{0,15}|\.\d{1,15}))"
        r"(?:(?i:(?<=\d)(?:st|nd|rd|th))\b)?\s*(\D{0,20})",
        plain,
    )
    if found is not None:
        return _scaled(float(found[2]), found[1], found[3])
    # Digits that are no plain number are a date, a version, a telephone number.
    tokens = [] if re.search(r"\d", text) else _tokens(words_of(_HALF.sub(r"\1m", text)))
    digits = "".join(token for token, _ in takewhile(lambda one: one[1], tokens))
    unit = tokens[len(digits) :]
    if not digits or len(digits) > 15 or any(digit for _, digit in unit):
        return None
    return _scaled(float(digits), "", " ".join(word for word, _ in unit))


def _scaled(number: float, before: str, behind: str) -> tuple[float, str]:
    plain = _HALF.sub(r"\1m", behind.lower()).replace("%", " percent ")
    said = plain.replace("per cent", "percent").split()
    while said and said[0] in _FACTORS:
        number *= _FACTORS[said.pop(0)]
    units = [before.strip().lower(), *said]
    words = (one if one in _NAMES else " ".join(words_of(one)) or one for one in units)
    named = (_NAMES.get(one, one) for one in words)
    return number, " ".join(filter(None, named))


def _tokens(words: Sequence[str]) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    at = 0
    while at < len(words):
        number, after = _number(words, at)
        if number is None:
            found.append((words[at], False))
            at += 1
        else:
            found += [(digit, True) for digit in number]
            at = after
    return found


def _number(words: Sequence[str], at: int) -> tuple[str | None, int]:
    """The digits of the number that begins at ``at``, and where it ends."""
    digits = _DIGITS.fullmatch(words[at])
    if digits is not None:
        return digits[1], at + 1
    total = group = 0
    # What may still be added to the group: a hundred leaves room for two digits, a ten for one.
    room = 1_000
    end = at
    while end < len(words):
        word = words[end]
        part = _UNITS.get(word, _DECADES.get(word))
        if part is not None and part < room and (part or end == at):
            group += part
            room = 10 if word in _DECADES else 0
        elif word == "hundred" and group:
            group, room = group * 100, 100
        elif word in _SCALES and group:
            total, group, room = total + group * _SCALES[word], 0, 1_000
        elif word != "and" or not _goes_on(words, at, end):
            break
        end += 1
    return (None, at) if end == at else (str(total + group), end)


def _goes_on(words: Sequence[str], at: int, end: int) -> bool:
    """Whether an ``and`` stands inside a number: one hundred and five."""
    after = words[end + 1] if end + 1 < len(words) else ""
    return end > at and words[end - 1] in _SCALES and (after in _UNITS or after in _DECADES)
