"""Words, their normal form, and their alignment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lkgate.errors import BundleError

_NOT_WORD = re.compile(r"[^\w'\s]|_")

# Words of each side: of a call of more than two hours, every word wrong. Takes 2 s and 100 MB.
MOST = 20_000

_Row = NDArray[np.int32]
_Bits = NDArray[np.bool_]
Step = tuple[Literal["equal", "substitute", "delete", "insert"], int | None, int | None]


class TooLongError(BundleError):
    """What cannot be aligned in the time and memory there are: missing evidence."""


def words_of(text: str) -> tuple[str, ...]:
    """Words in their normal form.

    Unicode NFKC, lower case; typographic apostrophes become ``'``; every other punctuation mark
    (hyphens too) separates words; apostrophes at a word's edge are dropped. Signs that combine
    with a letter, as vowels in Devanagari do, belong to it. Numbers stay as they are written: ``3``
    and ``three`` differ. A script without spaces between words has one word a sentence.
    """
    return _known(text) if len(text) < 10_000 else _known_long(text)


def _words_of(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    words = (word.strip("'") for word in _NOT_WORD.sub(_kept, plain).split())
    return tuple(word for word in words if word)


# A dozen metrics ask for the words of the same turns, and two sides of one call share most of them.
_known = lru_cache(maxsize=8192)(_words_of)
_known_long = lru_cache(maxsize=8)(_words_of)


def _kept(found: re.Match[str]) -> str:
    return found[0] if unicodedata.category(found[0]).startswith("M") else " "


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[Step, ...]:
    """A cheapest alignment, each change costing 1 (Levenshtein 1966).

    Returns:
        steps in order, with the index into ``reference`` and into ``hypothesis``. Among equally
        cheap alignments: a substitution or match first, then a deletion, then an insertion.

    Raises:
        TooLongError: what differs of them is longer than :data:`MOST` words against as many.
    """
    head, tail = _ends(reference, hypothesis)
    middle = _align_table(
        reference[head : len(reference) - tail], hypothesis[head : len(hypothesis) - tail]
    )
    steps: list[Step] = [("equal", i, i) for i in range(head)]
    for name, i, j in middle:
        steps.append((name, None if i is None else i + head, None if j is None else j + head))
    for back in range(tail, 0, -1):
        steps.append(("equal", len(reference) - back, len(hypothesis) - back))
    return tuple(steps)


def _ends(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """The common head and tail, which need no table: most transcripts are right.

    Raises:
        TooLongError: what lies between them is more than a table can be made of.
    """
    shorter = min(len(reference), len(hypothesis))
    head = tail = 0
    while head < shorter and reference[head] == hypothesis[head]:
        head += 1
    while tail < shorter - head and reference[-1 - tail] == hypothesis[-1 - tail]:
        tail += 1
    rows, columns = len(reference) - head - tail, len(hypothesis) - head - tail
    if rows * columns > MOST * MOST:
        raise TooLongError(
            f"too long to be aligned word by word: {rows:,} words against {columns:,}, "
            f"at most {MOST:,} against {MOST:,}"
        )
    return head, tail


def _align_table(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Step]:
    rows, columns = len(reference), len(hypothesis)
    # Whether a cheapest way into a place comes over the diagonal, and whether from above, a bit
    # each: of the costs themselves there is never more than a row.
    diagonal = np.empty((rows, (columns + 7) // 8), np.uint8)
    above = np.empty_like(diagonal)
    for row, (_, over, down) in enumerate(_costs(reference, hypothesis)):
        diagonal[row], above[row] = np.packbits(over), np.packbits(down)
    steps: list[Step] = []
    i, j = rows, columns
    while i or j:
        byte, bit = divmod(j - 1, 8)
        mask = 0x80 >> bit
        if i and j and diagonal[i - 1, byte] & mask:
            i, j = i - 1, j - 1
            steps.append(("equal" if reference[i] == hypothesis[j] else "substitute", i, j))
        elif i and (j == 0 or above[i - 1, byte] & mask):
            i -= 1
            steps.append(("delete", i, None))
        else:
            j -= 1
            steps.append(("insert", None, j))
    steps.reverse()
    return steps


def _costs(
    reference: Sequence[str], hypothesis: Sequence[str]
) -> Iterator[tuple[_Row, _Bits, _Bits]]:
    """Row after row of Levenshtein's table: the cost of a first part of the reference against each
    first part of the hypothesis, and where that is cheapest over the diagonal, and from above."""
    numbers: dict[str, int] = {}
    asked, heard = (
        np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int32)
        for words in (reference, hypothesis)
    )
    far = np.arange(len(hypothesis) + 1, dtype=np.int32)
    row = far
    for word in asked:
        over, down = row[:-1] + (heard != word), row[1:] + 1
        row = np.concatenate((row[:1] + 1, np.minimum(over, down)))
        # An insertion costs 1 a word: the least of all places to the left, by their distance.
        row = np.minimum.accumulate(row - far) + far
        yield row, row[1:] == over, row[1:] == down


def contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words of a phrase stand together in a text; an empty phrase stands nowhere."""
    return len(phrase) > 0 and f" {' '.join(phrase)} " in f" {' '.join(words)} "


def similarity(left: Sequence[str], right: Sequence[str]) -> float:
    """1 for the same words, 0 for none in common: one minus the error over the longer text.

    Raises:
        TooLongError: as :func:`align`.
    """
    longer = max(len(left), len(right))
    if longer == 0:
        return 1.0
    return 1.0 - errors(left, right) / longer


def errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """What :func:`align` changes, without saying where.

    Raises:
        TooLongError: as :func:`align`.
    """
    head, tail = _ends(reference, hypothesis)
    sides = reference[head : len(reference) - tail], hypothesis[head : len(hypothesis) - tail]
    # A row costs more than a place in it, and the errors are the same both ways.
    shorter, longer = sorted(sides, key=len)
    cost = len(longer)
    for row, _, _ in _costs(shorter, longer):
        cost = int(row[-1])
    return cost
