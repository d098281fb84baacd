"""What changed between two texts or two JSON values, in pieces to mark."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from lkgate.model.event import Json
from lkgate.report.inert import clipped

Piece = tuple[Literal["same", "old", "new"], str]

# Of a text, of a line of arguments, and how many of these.
_TEXT = 4_000
_LINE = 200
_LINES = 100
# Pairs of equal words in two texts: what comparing them costs, 60 ms at this number. Two texts of
# 1,000 words have as many in prose, and two of 200 that say one word only.
_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What to mark.

    Attributes:
        pieces: of both, in the order of reading.
        note: what is not shown or not compared; empty if all is.
    """

    pieces: tuple[Piece, ...]
    note: str


def words(old: str | None, new: str | None) -> Changes:
    """Two texts by words."""
    was, now = old or "", new or ""
    shown = _compared(clipped(was, _TEXT).split(), clipped(now, _TEXT).split())
    longest = max(len(was), len(now))
    if longest <= _TEXT:
        return shown
    cut = f"only the first {_TEXT} of {longest} characters are shown"
    return _cut(shown, cut, differ=was != now)


def arguments(old: Json, new: Json) -> Changes:
    """Two tool calls' arguments, a line an argument."""
    was, now = _lines(old), _lines(new)
    shown = _compared(
        [clipped(line, _LINE) for line in was[:_LINES]],
        [clipped(line, _LINE) for line in now[:_LINES]],
    )
    if max(len(was), len(now), 0) <= _LINES and all(len(one) <= _LINE for one in (*was, *now)):
        return shown
    return _cut(shown, "not all of the arguments is shown", differ=was != now)


def _cut(shown: Changes, cut: str, *, differ: bool) -> Changes:
    hidden = differ and all(kind == "same" for kind, _ in shown.pieces)
    beyond = f"{cut}; they differ beyond that" if hidden else cut
    return Changes(shown.pieces, "; ".join(filter(None, (shown.note, beyond))))


def _lines(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {_json(one)}" for key, one in sorted(value.items())]
    return [] if value is None else [_json(value)]


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _compared(was: Sequence[str], now: Sequence[str]) -> Changes:
    # What both begin and end with needs no comparison.
    shorter = min(len(was), len(now))
    head = next((at for at in range(shorter) if was[at] != now[at]), shorter)
    rest = shorter - head
    tail = next((at for at in range(rest) if was[-1 - at] != now[-1 - at]), rest)
    middle = was[head : len(was) - tail], now[head : len(now) - tail]
    counts = Counter(middle[0]), Counter(middle[1])
    affordable = sum(times * counts[1][one] for one, times in counts[0].items()) <= _PAIRS
    pieces = (
        *_piece("same", was[:head]),
        *(_pieces(*middle) if affordable else _apart(*middle)),
        *_piece("same", was[len(was) - tail :]),
    )
    note = "" if affordable else "they repeat themselves too often to be compared word by word"
    return Changes(tuple(pieces), note)


def _pieces(was: Sequence[str], now: Sequence[str]) -> Iterator[Piece]:
    for kind, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from _piece("same", was[i:j])
        else:
            yield from _apart(was[i:j], now[k:m])


def _apart(was: Sequence[str], now: Sequence[str]) -> Iterator[Piece]:
    yield from _piece("old", was)
    yield from _piece("new", now)


def _piece(kind: Literal["same", "old", "new"], words: Sequence[str]) -> Iterator[Piece]:
    if words:
        yield kind, " ".join(words)
