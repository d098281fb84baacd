"""Whether a tool was given the arguments that the labels want, argument by argument."""

from __future__ import annotations

import re

from lkgate.measure.compare import Mismatch, mismatches
from lkgate.measure.number import MONTHS, USUAL_UNITS, WEEKDAYS, canonical, quantity_of
from lkgate.measure.words import similarity, words_of
from lkgate.model.event import Json, value_at
from lkgate.model.label import ArgumentRule, ExpectedTool
from lkgate.schema import conforms

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d{2}))?(?::00(?:\.0+)?)?\s*([ap])\.?\s?m\b\.?"
    r"|(\d{1,2}):(\d{2})(?::00(?:\.0+)?)?(?!\d)"
)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?\s+([a-z]+)(?:\s+(\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]+)\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?")

# Words that say nothing of when it is.
_FILLERS = {"at", "of", "on", "the"}

# Year, month and day, each if it is said; a weekday; minutes since midnight; what else is said.
_When = tuple[tuple[int | None, int, int] | None, int | None, int | None, tuple[str, ...]]


def wrong_arguments(expected: ExpectedTool, made: Json) -> list[Mismatch]:
    """Every argument of the labels that a call did not give as its rule wants it.

    A label names the arguments that matter; others are free.
    """
    judged = [f"$.{path}" for path in expected.rules]
    found = [
        place
        for place in mismatches(dict(expected.arguments), made, partial=True)
        if not any(_within(place.path, path) for path in judged)
    ]
    for path, rule in expected.rules.items():
        wanted, given = value_at(dict(expected.arguments), path), value_at(made, path)
        if given is None and "default" in rule.schema:
            given = (rule.schema["default"],)
        if wanted is None or not isinstance(made, dict):
            # Arguments that are no mapping: the exact comparison has said so.
            continue
        if given is None:
            found.append(Mismatch(f"$.{path}", wanted[0], None, missing=True))
        elif not agree(rule, wanted[0], given[0]):
            found.append(Mismatch(f"$.{path}", wanted[0], given[0]))
    return found


def agree(rule: ArgumentRule, wanted: Json, given: Json) -> bool:
    """Whether a value is the wanted one by a rule. What a rule cannot read must be the same."""
    if rule.kind == "schema":
        return conforms(given, rule.schema)
    if not mismatches(wanted, given):
        return True
    if rule.kind == "exact" or isinstance(wanted, bool) or isinstance(given, bool):
        return False
    if rule.kind == "number":
        left, right = _number(wanted), _number(given)
        if left is None or right is None or not _one_unit(left[1], right[1]):
            return False
        # 1e-9: 0.3 - 0.2 is a hair below 0.1 in binary.
        return abs(left[0] - right[0]) <= rule.tolerance + 1e-9
    if not isinstance(wanted, str) or not isinstance(given, str):
        return False
    if rule.kind == "date":
        left_when, right_when = _when(wanted), _when(given)
        return left_when is not None and left_when == right_when
    return similarity(words_of(wanted), words_of(given)) >= rule.similarity - 1e-9


def _within(place: str, path: str) -> bool:
    return place == path or place.startswith((f"{path}.", f"{path}["))


def _one_unit(left: str, right: str) -> bool:
    """Whether two units are one. Beside a plain number one of the usual will do."""
    return left == right or (not (left and right) and (left or right) in USUAL_UNITS)


def _number(value: Json) -> tuple[float, str] | None:
    if isinstance(value, str):
        return quantity_of(value)
    try:
        return (float(value), "") if isinstance(value, int | float) else None
    except OverflowError:  # more digits than a float holds
        return None


def _when(text: str) -> _When | None:
    """A day and a time of day as they are mostly written, ``None`` if there is neither.

    ``2026-11-20``, ``20 November 2026``, ``November 20``, ``friday``; ``14:30``, ``2:30 pm``,
    ``2 pm``. Days in digits alone (``3/4``) are read nowhere the same, so they are not read. What
    is not read (``tomorrow``, ``half past``, ``+02:00``) has to be the same words.
    """
    plain = text.lower().replace("t", " ", 1) if _ISO.match(text) else text.lower()
    day: tuple[int | None, int, int] | None = None
    if iso := _ISO.search(plain):
        day = int(iso[1]), int(iso[2]), int(iso[3])
        plain = plain.replace(iso[0], " ", 1)
    elif (found := _DAY_MONTH.search(plain)) and (month := _month(found[2])):
        day = _year(found[3]), month, int(found[1])
        plain = plain.replace(found[0], " ", 1)
    elif (found := _MONTH_DAY.search(plain)) and (month := _month(found[1])):
        day = _year(found[3]), month, int(found[2])
        plain = plain.replace(found[0], " ", 1)
    weekday = next((n for n, name in enumerate(WEEKDAYS) if name in canonical(plain)), None)
    minute: int | None = None
    if clock := _CLOCK.search(plain):
        if clock[3]:
            minute = (int(clock[1]) % 12 + 12 * (clock[3] == "p")) * 60 + int(clock[2] or 0)
        else:
            minute = int(clock[4]) * 60 + int(clock[5])
        plain = plain.replace(clock[0], " ", 1)
    if (day, weekday, minute) == (None, None, None):
        return None
    if weekday is not None:
        plain = plain.replace(WEEKDAYS[weekday], " ", 1)
    # A sign belongs to its number: +02:00 is not -02:00.
    signed = plain.replace("+", " plus ").replace("-", " minus ")
    return day, weekday, minute, tuple(w for w in words_of(signed) if w not in _FILLERS)


def _month(word: str) -> int | None:
    return next((n for n, name in enumerate(MONTHS, 1) if word in (name, name[:3])), None)


def _year(digits: str | None) -> int | None:
    return int(digits) if digits else None
