"""What a caller's words say about days, times, names and complaints."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
UNITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
NUMBERS = {word: value for value, word in enumerate(UNITS)} | {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "fifty": 50,
    "a": 1,
    "an": 1,
}
COMPLAINTS = (
    ("chest pain", r"\b(chest|jest|just) pains?\b|\bpains? in (my|the) chest\b"),
    ("trouble breathing", r"\b(trouble|difficulty|hard) (to )?breath\w*|can('?t|not) breathe"),
    ("fainting", r"\bfaint(ed|ing)?\b|\bpassed out\b"),
    ("sore throat", r"\bsore[- ]throats?\b|\bthroat\b"),
    ("cough", r"\bcough(s|ing)?\b"),
    ("fever", r"\bfever(ish)?\b|\btemperature\b"),
    ("headache", r"\bhead ?-?aches?\b"),
    ("back pain", r"\bback[- ]?(pains?|aches?)\b|\bmy back\b"),
    ("knee pain", r"\bknees?\b"),
    ("rash", r"\brash(es)?\b"),
    ("stomach ache", r"\bstomach\b"),
    ("blood test", r"\bblood[- ]tests?\b"),
    ("check-up", r"\bcheck[- ]?(up|ups)\b"),
    ("vaccination", r"\bvaccin\w*|\bflu (shot|jab)\b"),
    ("prescription", r"\bprescriptions?\b"),
)
_NUMBER = r"(\d{1,2}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + r")"
_HOUR = r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
# "hath passed" is how this speech recognition hears "half past" now and then
_HALF = rf"\bha(?:lf|th|ve)[- ]?(?:past|passed)[- ]?{_HOUR}\b"
_QUARTER = rf"\bquarter[- ](past|to)[- ]{_HOUR}\b"
_CLOCK = r"\b(\d{1,2})[:.](\d{2})\b"
_SPOKEN = rf"\b{_HOUR}[- ](fifteen|thirty|forty[- ]five|15|30|45)\b"
_WHOLE = rf"\b{_HOUR} ?(?=o'? ?clock|a\.?m\b|p\.?m\b|in the (?:morning|afternoon|evening))"
_AT = rf"\bat {_HOUR}\b(?! *(?:days?|weeks?|percent))"
_NAME = r"(?i:my name is|name's|this is|it's|it is|i am|i'm|for)\s+([A-Z][a-z]+(?:\s+[A-Z][a-z]+)+)"
_FILLER = re.compile(
    r"\b(yes|sure|okay|ok|um|uh|well|hi|hello|sorry|the name is|name is)\b[,.]?", re.I
)


def number(word: str) -> int | None:
    """``"seven"`` or ``"7"`` as 7."""
    word = word.lower()
    if word.isdigit():
        return int(word)
    return NUMBERS.get(word)


def days(text: str) -> str | None:
    """The weekday that the caller wants: the last one named and not taken back."""
    kept = re.sub(r"\b(instead of|rather than|not( on)?)\s+\w+", " ", text, flags=re.I)
    found = None
    for word in re.findall(r"[A-Za-z]+", kept):
        close = difflib.get_close_matches(word.capitalize(), DAYS, n=1, cutoff=0.8)
        found = close[0] if close else found
    return found


def clock(text: str, *, opening_hours: bool) -> str | None:
    """The time of day as ``HH:MM``, the last one named.

    opening_hours: whether an hour without "morning" or "afternoon" is read as one at which the
        clinic is open, so that "half past two" is 14:30. Otherwise it is taken as spoken.
    """
    text = re.sub(r"\bnoon\b|\bmidday\b", "12 o'clock", text.lower())
    found: list[tuple[re.Match[str], int, int]] = []

    def note(pattern: str, read: Callable[[re.Match[str]], tuple[int, int]]) -> None:
        for match in re.finditer(pattern, text):
            inside = any(m.start() < match.end() and match.start() < m.end() for m, _, _ in found)
            hour, minute = read(match)
            if not inside and hour < 24 and minute < 60:
                found.append((match, hour, minute))

    note(_HALF, lambda m: (_int(m[1]), 30))
    note(_QUARTER, lambda m: (_int(m[2]), 15) if m[1] == "past" else (_int(m[2]) - 1, 45))
    note(_CLOCK, lambda m: (int(m[1]), int(m[2])))
    note(_SPOKEN, lambda m: (_int(m[1]), _minutes(m[2])))
    note(_WHOLE, lambda m: (_int(m[1]), 0))
    note(_AT, lambda m: (_int(m[1]), 0))
    if not found:
        return None
    _, hour, minute = max(found, key=lambda each: each[0].start())
    if re.search(rf"afternoon|evening|(\d|\b{_HOUR}) ?p\.?m\b", text):
        hour = hour % 12 + 12
    elif re.search(rf"morning|(\d|\b{_HOUR}) ?a\.?m\b", text):
        hour %= 12
    elif opening_hours and 1 <= hour <= 6:
        hour += 12
    return f"{hour:02d}:{minute:02d}"


def spoken_clock(time: str) -> str:
    """``"14:30"`` as ``"half past two"``, as the clinic says it on the telephone."""
    hour, minute = (int(part) for part in time.split(":"))
    names = {h: UNITS[(h - 1) % 12 + 1] for h in range(25)}
    if minute == 0:
        return f"{names[hour]} o'clock"
    if minute == 30:
        return f"half past {names[hour]}"
    if minute == 15:
        return f"a quarter past {names[hour]}"
    if minute == 45:
        return f"a quarter to {names[hour + 1]}"
    return f"{minute} past {names[hour]}"


def name(text: str, *, asked: bool) -> str | None:
    """The caller's name; ``asked``: whether the text answers "What is your name?"."""
    match = re.search(_NAME, text)
    if match:
        return match[1]
    if not asked:
        return None
    words = re.findall(r"[A-Za-z]+", _FILLER.sub(" ", text))
    return " ".join(word.capitalize() for word in words) if 1 < len(words) <= 3 else None


def complaint(text: str) -> str | None:
    """The reason for a visit, from the clinic's own list."""
    for known, pattern in COMPLAINTS:
        if re.search(pattern, text, re.I):
            return known
    return None


def duration_days(text: str) -> int | None:
    """How long the complaint has lasted, in days."""
    text = text.lower()
    match = re.search(rf"\b{_NUMBER}[- ](day|week)s?\b", text)
    if match:
        return _int(match[1]) * (7 if match[2] == "week" else 1)
    if re.search(r"\byesterday\b|\blast night\b", text):
        return 1
    if re.search(r"\bthis morning\b|\btoday\b|\bhours?\b", text):
        return 0
    return None


def severity(text: str) -> int | None:
    """A number from one to ten."""
    for match in re.finditer(rf"\b{_NUMBER}\b", text.lower()):
        value = _int(match[1])
        if match[1] not in ("a", "an") and 1 <= value <= 10:
            return value
    return None


def _int(word: str) -> int:
    value = number(word)
    assert value is not None, word
    return value


def _minutes(word: str) -> int:
    return {"fifteen": 15, "thirty": 30}.get(word, 45) if not word.isdigit() else int(word)
