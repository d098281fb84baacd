"""What changed between two texts or two JSON values, in pieces to mark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from lkgate.model.event import Json
from lkgate.report.inert import clipped

Piece = tuple[Literal["same", "old", "new"], str]

_TEXT = 4_000


def words(old: str | None, new: str | None) -> list[Piece]:
    """Pieces of both texts by words; their order is that of reading."""
    was = clipped(old or "", _TEXT).split()
    now = clipped(new or "", _TEXT).split()
    return list(_pieces(was, now))


def arguments(old: Json, new: Json) -> list[Piece]:
    """Pieces of two tool calls' arguments, a line an argument."""
    return list(_pieces(_lines(old), _lines(new)))


def _lines(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {_short(one)}" for key, one in sorted(value.items())]
    return [] if value is None else [_short(value)]


def _short(value: Json) -> str:
    return clipped(json.dumps(value, ensure_ascii=False), 200)


def _pieces(was: list[str], now: list[str]) -> Iterator[Piece]:
    for kind, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", " ".join(was[i:j])
            continue
        if j > i:
            yield "old", " ".join(was[i:j])
        if m > k:
            yield "new", " ".join(now[k:m])
