"""Pairs two sequences of tool calls by name and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.measure.words import align


@dataclass(frozen=True, slots=True)
class Pairing:
    """Positions into the expected and the made sequence.

    Attributes:
        matched: same name, in order.
        moved: same name, but out of order.
        missing: expected and not made.
        extra: made and not expected.
    """

    matched: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]


def pair(expected: Sequence[str], made: Sequence[str]) -> Pairing:
    """A pairing with the fewest unpaired names; what is left is paired out of order."""
    matched: list[tuple[int, int]] = []
    lost: list[int] = []
    new: list[int] = []
    for name, i, j in align(expected, made):
        if name == "equal" and i is not None and j is not None:
            matched.append((i, j))
            continue
        if i is not None:
            lost.append(i)
        if j is not None:
            new.append(j)
    moved: list[tuple[int, int]] = []
    for i in list(lost):
        j = next((j for j in new if made[j] == expected[i]), None)
        if j is not None:
            moved.append((i, j))
            lost.remove(i)
            new.remove(j)
    return Pairing(tuple(matched), tuple(moved), tuple(lost), tuple(new))
