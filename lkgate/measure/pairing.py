"""Pairs two sequences of tool calls by name and order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

from lkgate.measure.words import MOST, TooLongError


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
    out of order.

    Raises:
        TooLongError: there are more than :data:`~lkgate.measure.words.MOST` names and as many.
    """
    return _paired(tuple(expected), tuple(made))


# Several metrics ask for the pairing of a call's tools.
@lru_cache(maxsize=64)
def _paired(expected: tuple[str, ...], made: tuple[str, ...]) -> Pairing:
    matched = _in_order(expected, made)
    taken = {i for i, _ in matched}, {j for _, j in matched}
    left: dict[str, deque[int]] = defaultdict(deque)
    for j, name in enumerate(made):
        if j not in taken[1]:
            left[name].append(j)
    moved: list[tuple[int, int]] = []
    lost: list[int] = []
    for i, name in enumerate(expected):
        if i not in taken[0]:
            if left[name]:
                moved.append((i, left[name].popleft()))
            else:
                lost.append(i)
    return Pairing(
        tuple(matched), tuple(moved), tuple(lost), tuple(sorted(chain.from_iterable(left.values())))
    )


def _in_order(expected: Sequence[str], made: Sequence[str]) -> list[tuple[int, int]]:
    """A longest common subsequence; of several, that whose first places come first."""
    rows, columns = len(expected), len(made)
    if rows * columns > MOST * MOST:
        raise TooLongError(
            f"too many to be paired: {rows:,} names with {columns:,}, "
            f"at most {MOST:,} with {MOST:,}"
        )
    numbers: dict[str, int] = {}
    wanted, called = (
        np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
        for names in (expected, made)
    )
    # Whether as much stays in order without the expected one as without the one made, a bit each.
    without = np.empty((rows, (columns + 7) // 8), np.uint8)
    longest = np.zeros(columns + 1, np.int32)
    for i in range(rows - 1, -1, -1):
        row = np.zeros_like(longest)
        row[:-1] = np.where(called == wanted[i], longest[1:] + 1, longest[:-1])
        row = np.maximum.accumulate(row[::-1])[::-1]
        without[i] = np.packbits(longest[:-1] >= row[1:])
        longest = row
    found = []
    i = j = 0
    while i < rows and j < columns:
        if expected[i] == made[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif without[i, j // 8] & 0x80 >> j % 8:
            i += 1
        else:
            j += 1
    return found
