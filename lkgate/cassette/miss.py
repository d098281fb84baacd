"""A request that was never recorded: what was asked, what comes nearest, how they differ."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lkgate.cassette.keys import lines
from lkgate.model.event import Json
from lkgate.model.turn import Modality

_CONTEXT_WORDS = 6
_MAX_LINE = 400
# Pairs of equal words in two texts: of 3,000 words of prose each, and of 10,000.
_MANY_PAIRS = 200_000
_MAX_PAIRS = 2_000_000
# Steps of one comparison, about a second, and pairs of equal words that take as long as one.
_MAX_STEPS = 2_000_000
_PAIRS_A_STEP = 8
# Words of two texts that are compared in order, where many texts are; letters of a difference.
_MAX_ORDERED = 2_000
_MAX_TOLD = 20_000


@dataclass(frozen=True, slots=True)
class Miss:
    """A request without a recorded answer.

    Attributes:
        modality, key: what was asked for.
        asked: the request, in a few lines.
        nearest: the recorded request that is most like it, ``None`` if there is none.
        difference: line by line, words ``[-recorded-]`` and ``{+asked+}``; ``None`` without a
            nearest one, or if the request itself was recorded but its answer does not serve.
        reason: why there is no answer, one sentence.
    """

    modality: Modality
    key: str
    asked: str
    nearest: str | None
    difference: str | None
    reason: str


def nearest_to(
    modality: Modality,
    asked: Mapping[str, Json],
    recorded: Sequence[Mapping[str, Json]],
) -> Mapping[str, Json] | None:
    """The recorded request that shares most lines, then most words, with ``asked``."""
    wanted = lines(modality, asked)
    best: Mapping[str, Json] | None = None
    best_score = 0.0
    for request in recorded:
        found = lines(modality, request)
        score = _likeness(wanted, found)
        if best is None or score > best_score:
            best, best_score = request, score
    return best


def make_miss(
    modality: Modality,
    key: str,
    asked: Mapping[str, Json],
    recorded: Sequence[Mapping[str, Json]],
    *,
    reason: str | None = None,
) -> Miss:
    """Say what was asked for and what comes nearest among ``recorded``."""
    near = nearest_to(modality, asked, recorded)
    wanted = lines(modality, asked)
    if near is None:
        reason = reason or f"the cassette holds no {_NAMES[modality]} exchange at all"
        return Miss(modality, key, _short(modality, wanted), None, None, reason)
    found = lines(modality, near)
    told = "\n".join(_differences(found, wanted))
    difference = told if len(told) <= _MAX_TOLD else f"{told[:_MAX_TOLD]} ..."
    reason = reason or f"the cassette holds no {_NAMES[modality]} exchange with this request"
    return Miss(
        modality, key, _short(modality, wanted), _short(modality, found), difference or None, reason
    )


def word_diff(old: str, new: str) -> str:
    """``new`` with what it lost as ``[-words-]`` and what it gained as ``{+words+}``.

    Long stretches that agree are cut to a few words around each change. Of texts that would take
    long to compare, only the beginning of what differs is given.
    """
    before, after = old.split(), new.split()
    pairs = _pairs(before, after)
    if before != after and pairs > _MAX_PAIRS:
        both = enumerate(zip(before, after, strict=False))
        same = next((at for at, (was, now) in both if was != now), min(len(before), len(after)))
        lost, gained = (_cut(" ".join(one[same : same + _MAX_LINE])) for one in (before, after))
        return f"{'... ' if same else ''}[-{lost}-] {{+{gained}+}}"
    parts: list[str] = []
    # Without its frequent words, a text that repeats them is compared in no time.
    frequent = pairs > _MANY_PAIRS
    codes = _Matcher(before, after, autojunk=frequent).get_opcodes()
    for place, (kind, a, b, c, d) in enumerate(codes):
        if kind == "equal":
            parts.append(_agreed(before[a:b], place == 0, place == len(codes) - 1))
            continue
        if b > a:
            parts.append(f"[-{' '.join(before[a:b])}-]")
        if d > c:
            parts.append(f"{{+{' '.join(after[c:d])}+}}")
    return " ".join(parts)


class _Matcher(difflib.SequenceMatcher[str]):
    """Stops looking for what agrees after so many steps: what is left then counts as replaced.

    Where few words agree in a row, the work grows with the square of the texts' lengths.
    """

    b2j: Mapping[str, Sequence[int]]

    def __init__(self, before: Sequence[str], after: Sequence[str], *, autojunk: bool) -> None:
        super().__init__(None, before, after, autojunk=autojunk)
        pairs = sum(len(self.b2j.get(word, ())) for word in before)
        self._length = len(before)
        self._cost = 1 + pairs / max(1, len(before)) / _PAIRS_A_STEP
        self._steps = 0.0

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        self._steps += self._cost * ((self._length if ahi is None else ahi) - alo)
        if self._steps > _MAX_STEPS:
            return difflib.Match(alo, blo, 0)
        return super().find_longest_match(alo, ahi, blo, bhi)


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """Pairs of equal words: what comparing two texts costs."""
    there = Counter(after)
    return sum(times * there[word] for word, times in Counter(before).items())


_NAMES: Mapping[Modality, str] = {"llm": "LLM", "tts": "TTS", "stt": "STT", "tool": "tool"}


def _differences(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    made: list[str] = []
    matcher = _Matcher(found, wanted, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = list(found[a:b]), list(wanted[c:d])
        while old and new and _head(old[0]) == _head(new[0]):
            made.append(word_diff(old.pop(0), new.pop(0)))
        made += [f"[-{_cut(line)}-]" for line in old]
        made += [f"{{+{_cut(line)}+}}" for line in new]
    return made


def _head(line: str) -> str:
    return line.split(" ", 1)[0].split("(", 1)[0]


def _likeness(wanted: Sequence[str], found: Sequence[str]) -> float:
    """It is asked for every recorded request: long ones are not compared in order."""
    if len(wanted) + len(found) > _MAX_ORDERED:
        return _shared(found, wanted)
    matcher = _Matcher(found, wanted, autojunk=False)
    score = 2.0 * sum(block.size for block in matcher.get_matching_blocks())
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "replace":
            score += _same_words(found[a], wanted[c]) - 0.1 * max(b - a, d - c)
    return score / (len(wanted) + len(found))


@lru_cache(maxsize=16)
def _same_words(old: str, new: str) -> float:
    """Of 1. Remembered, for all requests of a build begin with the same long instructions."""
    before, after = old.split(), new.split()
    if len(before) + len(after) > _MAX_ORDERED:
        return _shared(before, after)
    return difflib.SequenceMatcher(None, before, after).ratio()


def _shared(before: Sequence[str], after: Sequence[str]) -> float:
    """What two sequences have in common, in whatever order, of 1."""
    common = (Counter(before) & Counter(after)).total()
    return 2 * common / (len(before) + len(after))


def _short(modality: Modality, request: Sequence[str]) -> str:
    """The lines that tell one request from another: for an LLM, the model and what came last."""
    if modality == "tool":
        return _cut(f"{request[0].removeprefix('tool ')}({', '.join(request[1:])})")
    if modality != "llm":
        return "\n".join(_cut(line) for line in request)
    if not request or not request[0].startswith("model "):
        head = f"a conversation of {len(request)} items" + ("; the last:" if request else "")
        return "\n".join([head, *(_cut(line) for line in request[-3:])])
    said = [line for line in request[1:] if not line.startswith("tool ")]
    tools = [line.split(":", 1)[0].removeprefix("tool ") for line in request if _is_tool(line)]
    made = [request[0], f"{len(said)} messages, {len(tools)} tools; the last:"]
    return "\n".join([*made, *(_cut(line) for line in said[-3:])])


def _is_tool(line: str) -> bool:
    return line.startswith("tool ") and not line.startswith("tool choice ")


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]} ..."


def _agreed(same: Sequence[str], first: bool, last: bool) -> str:
    if len(same) <= 2 * _CONTEXT_WORDS + 1:
        return " ".join(same)
    head = same[: 1 if first else _CONTEXT_WORDS]
    tail = [] if last else same[-_CONTEXT_WORDS:]
    return " ".join([*head, "...", *tail])
