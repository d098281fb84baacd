"""Words, their normal form, and their alignment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

_NOT_WORD = re.compile(r"[^\w'\s]|_")

Step = tuple[Literal["equal", "substitute", "delete", "insert"], int | None, int | None]


# A dozen metrics ask for the words of the same turns, and two sides of one call share most of them.
@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Words in their normal form.

    Unicode NFKC, lower case; typographic apostrophes become ``'``; every other punctuation mark
    (hyphens too) separates words; apostrophes at a word's edge are dropped. Signs that combine
    with a letter, as vowels in Devanagari do, belong to it. Numbers stay as they are written: ``3``
    and ``three`` differ. A script without spaces between words has one word a sentence.
    """
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    words = (word.strip("'") for word in _NOT_WORD.sub(_kept, plain).split())
    return tuple(word for word in words if word)


def _kept(found: re.Match[str]) -> str:
    return found[0] if unicodedata.category(found[0]).startswith("M") else " "


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[Step, ...]:
    """A cheapest alignment, each change costing 1 (Levenshtein 1966).

    Returns:
        steps in order, with the index into ``reference`` and into ``hypothesis``. Among equally
        cheap alignments: a substitution or match first, then a deletion, then an insertion.
    """
    # The common head and tail need no table: most transcripts are right.
    head = 0
    while head < min(len(reference), len(hypothesis)) and reference[head] == hypothesis[head]:
        head += 1
    tail = 0
    while (
        tail < min(len(reference), len(hypothesis)) - head
        and reference[-1 - tail] == hypothesis[-1 - tail]
    ):
        tail += 1
    middle = _align_table(
        reference[head : len(reference) - tail], hypothesis[head : len(hypothesis) - tail]
    )
    steps: list[Step] = [("equal", i, i) for i in range(head)]
    for name, i, j in middle:
        steps.append((name, None if i is None else i + head, None if j is None else j + head))
    for back in range(tail, 0, -1):
        steps.append(("equal", len(reference) - back, len(hypothesis) - back))
    return tuple(steps)


def _align_table(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Step]:
    rows, columns = len(reference), len(hypothesis)
    cost = [list(range(columns + 1))]
    for i in range(1, rows + 1):
        above = cost[-1]
        row = [i]
        for j in range(1, columns + 1):
            same = above[j - 1] + (reference[i - 1] != hypothesis[j - 1])
            row.append(min(same, above[j] + 1, row[j - 1] + 1))
        cost.append(row)
    steps: list[Step] = []
    i, j = rows, columns
    while i or j:
        here = cost[i][j]
        if i and j and here == cost[i - 1][j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            steps.append(("equal" if reference[i] == hypothesis[j] else "substitute", i, j))
        elif i and here == cost[i - 1][j] + 1:
            i -= 1
            steps.append(("delete", i, None))
        else:
            j -= 1
            steps.append(("insert", None, j))
    steps.reverse()
    return steps


def contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words of a phrase stand together in a text; an empty phrase stands nowhere."""
    return len(phrase) > 0 and f" {' '.join(phrase)} " in f" {' '.join(words)} "


def similarity(left: Sequence[str], right: Sequence[str]) -> float:
    """1 for the same words, 0 for none in common: one minus the error over the longer text."""
    longer = max(len(left), len(right))
    if longer == 0:
        return 1.0
    errors = sum(name != "equal" for name, _, _ in align(left, right))
    return 1.0 - errors / longer
