"""Which turn of one session does the job of which turn of the other.

Turns are aligned in exchanges: what the caller said, and the agent's answer to it. Two replays of
one recording share the caller's planned utterances, so the alignment is exact; sessions without a
plan are aligned by their words and, where words say nothing, by their order (Needleman and Wunsch
1970: a cheapest global alignment, so that one turn more moves no other).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from lkgate.measure.floor import UNANSWERED_US
from lkgate.measure.words import words_of
from lkgate.model.turn import Turn

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
    """Pairs of turns, baseline first, in order; every turn stands in exactly one pair."""
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


def _globally(
    old: Sequence[Exchange], new: Sequence[Exchange], mode: AlignedBy
) -> list[tuple[Exchange | None, Exchange | None]]:
    price = _Price(old, new, mode)
    best = [[j * _GAP for j in range(len(new) + 1)]]
    for i in range(1, len(old) + 1):
        above = best[-1]
        row = [i * _GAP]
        for j in range(1, len(new) + 1):
            match = above[j - 1] + price.of(i - 1, j - 1)
            row.append(min(match, above[j] + _GAP, row[j - 1] + _GAP))
        best.append(row)
    pairs: list[tuple[Exchange | None, Exchange | None]] = []
    i, j = len(old), len(new)
    while i or j:
        here = best[i][j]
        if i and j and here == best[i - 1][j - 1] + price.of(i - 1, j - 1):
            i, j = i - 1, j - 1
            pairs.append((old[i], new[j]))
        elif j and here == best[i][j - 1] + _GAP:
            j -= 1
            pairs.append((None, new[j]))
        else:
            i -= 1
            pairs.append((old[i], None))
    pairs.reverse()
    return pairs


class _Price:
    """What it costs to call two exchanges the same."""

    def __init__(self, old: Sequence[Exchange], new: Sequence[Exchange], mode: AlignedBy) -> None:
        self._old, self._new, self._mode = old, new, mode
        self._old_words = [_bags(exchange) for exchange in old]
        self._new_words = [_bags(exchange) for exchange in new]

    def of(self, i: int, j: int) -> float:
        old, new = self._old[i], self._new[j]
        if bool(old.callers) != bool(new.callers):
            return _NEVER
        if not old.callers:
            return 0.0
        if self._mode == "plan":
            mine, yours = old.utterances, new.utterances
            if mine or yours:
                return 0.0 if mine & yours else _NEVER
        return _unlike(self._old_words[i], self._new_words[j])


_Bags = tuple[Counter[str] | None, Counter[str] | None]


def _bags(exchange: Exchange) -> _Bags:
    said = [turn.text for turn in exchange.callers if turn.text]
    answer = exchange.agent.text if exchange.agent else None
    return (
        Counter(words_of(" ".join(said))) if said else None,
        Counter(words_of(answer)) if answer else None,
    )


def _unlike(old: _Bags, new: _Bags) -> float:
    """Mean of one minus Dice's coefficient of the words of each side that both exchanges have."""
    known = [
        1.0 - 2.0 * (mine & yours).total() / max(1, mine.total() + yours.total())
        for mine, yours in zip(old, new, strict=True)
        if mine is not None and yours is not None
    ]
    return _UNLIKE * sum(known) / len(known) if known else _UNKNOWN
