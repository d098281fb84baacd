"""Which turn of one session does the job of which turn of the other.

Turns are aligned in exchanges: what the caller said, and the agent's answer to it. Two replays of
one recording share the caller's planned utterances, so the alignment is exact; sessions without a
plan are aligned by their words and, where words say nothing, by their order (Needleman and Wunsch
1970: a cheapest global alignment, so that one turn more moves no other).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lkgate.measure.floor import UNANSWERED_US
from lkgate.measure.words import TooLongError, words_of
from lkgate.model.turn import Turn

# Exchanges of each side: of a call of eight hours. Takes 15 s.
MOST = 6_000

_GAP = 1.0
_NEVER = float("inf")
# Below two gaps: two exchanges at the same place are the same one, however they are worded.
_UNLIKE = 1.8
_UNKNOWN = 0.9

AlignedBy = Literal["plan", "text"]
Pair = tuple[Turn | None, Turn | None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the caller said (nothing for a greeting), and the agent's answer if there was one.

    Caller turns that the agent only talked through belong together: it answers them as one.
    """

    callers: tuple[Turn, ...]
    agent: Turn | None

    @property
    def utterances(self) -> frozenset[int]:
        return frozenset(index for turn in self.callers for index in turn.utterances)


def align(baseline: Sequence[Turn], candidate: Sequence[Turn]) -> tuple[AlignedBy, list[Pair]]:
    """Pairs of turns, baseline first, in order; every turn stands in exactly one pair.

    Raises:
        TooLongError: there are more than :data:`MOST` exchanges against as many.
    """
    old, new = exchanges(baseline), exchanges(candidate)
    planned = all(any(exchange.utterances for exchange in side) for side in (old, new))
    mode: AlignedBy = "plan" if planned else "text"
    pairs: list[Pair] = []
    for left, right in _globally(old, new, mode):
        pairs += _callers(left.callers if left else (), right.callers if right else ())
        answer = (left.agent if left else None, right.agent if right else None)
        if answer != (None, None):
            pairs.append(answer)
    return mode, pairs


def exchanges(turns: Sequence[Turn]) -> list[Exchange]:
    """Turns in exchanges, in order."""
    found: list[Exchange] = []
    callers: list[Turn] = []
    talking_us = 0
    for turn in turns:
        if turn.role == "agent":
            found.append(Exchange(tuple(callers), turn))
            callers = []
            talking_us = turn.span.end_us
            continue
        if callers and not _talked_through(callers[-1], turn, talking_us):
            found.append(Exchange(tuple(callers), None))
            callers = []
        callers.append(turn)
    if callers:
        found.append(Exchange(tuple(callers), None))
    return found


def _talked_through(caller: Turn, after: Turn, talking_us: int) -> bool:
    """Whether the agent still spoke when ``caller`` stopped, and ``after`` came soon after that."""
    stop_us = caller.span.end_us
    return stop_us < talking_us and after.span.start_us - talking_us <= UNANSWERED_US


def _callers(old: tuple[Turn, ...], new: tuple[Turn, ...]) -> list[Pair]:
    if not all(any(turn.utterances for turn in side) for side in (old, new)):
        return list(zip_longest(old, new))
    left = list(old)
    pairs: list[Pair] = []
    for turn in new:
        same = next((one for one in left if set(one.utterances) & set(turn.utterances)), None)
        while same is not None and left[0] is not same:
            pairs.append((left.pop(0), None))
        if same is not None:
            left.pop(0)
        pairs.append((same, turn))
    return pairs + [(turn, None) for turn in left]


_MATCH, _NEW, _OLD = range(3)


def _globally(
    old: Sequence[Exchange], new: Sequence[Exchange], mode: AlignedBy
) -> list[tuple[Exchange | None, Exchange | None]]:
    if len(old) * len(new) > MOST * MOST:
        raise TooLongError(
            f"too many turns to be aligned: {len(old):,} exchanges against {len(new):,}, "
            f"at most {MOST:,} against {MOST:,}"
        )
    prices = _Prices(old, new, mode)
    above = [j * _GAP for j in range(len(new) + 1)]
    moves: list[bytearray] = []
    for i in range(len(old)):
        left = above[0] + _GAP
        row, made = [left], bytearray()
        for j, price in enumerate(prices.of(i)):
            match, added = above[j] + price, left + _GAP
            left = min(match, above[j + 1] + _GAP, added)
            row.append(left)
            made.append(_MATCH if left == match else _NEW if left == added else _OLD)
        moves.append(made)
        above = row
    pairs: list[tuple[Exchange | None, Exchange | None]] = []
    i, j = len(old), len(new)
    while i or j:
        move = _NEW if not i else _OLD if not j else moves[i - 1][j - 1]
        i -= move != _NEW
        j -= move != _OLD
        pairs.append((old[i] if move != _NEW else None, new[j] if move != _OLD else None))
    pairs.reverse()
    return pairs


class _Prices:
    """What it costs to call two exchanges the same: of one of old, and each of new."""

    def __init__(self, old: Sequence[Exchange], new: Sequence[Exchange], mode: AlignedBy) -> None:
        self._old, self._mode = old, mode
        self._bags = [_bags(exchange) for exchange in old]
        bags = [_bags(exchange) for exchange in new]
        self._words = [_Index([both[side] for both in bags]) for side in range(2)]
        self._called = np.array([bool(exchange.callers) for exchange in new], np.bool_)
        self._planned = np.array([bool(exchange.utterances) for exchange in new], np.bool_)
        self._saying: dict[int, list[int]] = defaultdict(list)
        for j, exchange in enumerate(new):
            for index in exchange.utterances:
                self._saying[index].append(j)

    def of(self, i: int) -> list[float]:
        prices: list[float] = self._of(i).tolist()
        return prices

    def _of(self, i: int) -> NDArray[np.float64]:
        old = self._old[i]
        if not old.callers:
            return np.where(self._called, _NEVER, 0.0)
        found = self._unlike(self._bags[i])
        if self._mode == "plan":
            mine = old.utterances
            found[self._planned | bool(mine)] = _NEVER
            found[[j for index in mine for j in self._saying.get(index, ())]] = 0.0
        return np.where(self._called, found, _NEVER)

    def _unlike(self, old: _Bags) -> NDArray[np.float64]:
        """Mean of one minus Dice's coefficient of the words of each side that both have."""
        total = np.zeros(len(self._called))
        known = np.zeros(len(self._called), np.int64)
        for mine, index in zip(old, self._words, strict=True):
            if mine is not None:
                shared = index.shared(mine)
                unlike = 1.0 - 2.0 * shared / np.maximum(1, mine.total() + index.totals)
                total += np.where(index.known, unlike, 0.0)
                known += index.known
        return np.where(known > 0, _UNLIKE * total / np.maximum(1, known), _UNKNOWN)


class _Index:
    """Where a word stands in the texts of one side of a session, and how often."""

    def __init__(self, bags: Sequence[Counter[str] | None]) -> None:
        self.known = np.array([bag is not None for bag in bags], np.bool_)
        self.totals = np.array([bag.total() if bag else 0 for bag in bags], np.int64)
        places: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for j, bag in enumerate(bags):
            for word, count in (bag or {}).items():
                places[word][0].append(j)
                places[word][1].append(count)
        self._places = {word: (np.array(at), np.array(n)) for word, (at, n) in places.items()}

    def shared(self, bag: Counter[str]) -> NDArray[np.int64]:
        """How many words each text has in common with a bag."""
        found = np.zeros(len(self.known), np.int64)
        for word, count in bag.items():
            if word in self._places:
                at, counts = self._places[word]
                found[at] += np.minimum(counts, count)
        return found


_Bags = tuple[Counter[str] | None, Counter[str] | None]


def _bags(exchange: Exchange) -> _Bags:
    said = [turn.text for turn in exchange.callers if turn.text]
    answer = exchange.agent.text if exchange.agent else None
    return (
        Counter(words_of(" ".join(said))) if said else None,
        Counter(words_of(answer)) if answer else None,
    )
