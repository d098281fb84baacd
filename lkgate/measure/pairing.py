"""Pairs two sequences of tool calls by name and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    """As many names in order as possible (longest common subsequence); what is left is paired
    out of order."""
    matched = _in_order(expected, made)
    taken = {i for i, _ in matched}, {j for _, j in matched}
    lost = [i for i in range(len(expected)) if i not in taken[0]]
    new = [j for j in range(len(made)) if j not in taken[1]]
    moved: list[tuple[int, int]] = []
    for i in list(lost):
        j = next((j for j in new if made[j] == expected[i]), None)
        if j is not None:
            moved.append((i, j))
            lost.remove(i)
            new.remove(j)
    return Pairing(tuple(matched), tuple(moved), tuple(lost), tuple(new))


def _in_order(expected: Sequence[str], made: Sequence[str]) -> list[tuple[int, int]]:
    # longest[i][j]: of what stands behind i and j
    longest = [[0] * (len(made) + 1) for _ in range(len(expected) + 1)]
    for i in range(len(expected) - 1, -1, -1):
        for j in range(len(made) - 1, -1, -1):
            if expected[i] == made[j]:
                longest[i][j] = longest[i + 1][j + 1] + 1
            else:
                longest[i][j] = max(longest[i + 1][j], longest[i][j + 1])
    found = []
    i = j = 0
    while i < len(expected) and j < len(made):
        if expected[i] == made[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return found
