"""A request that was never recorded: what was asked, what comes nearest, how they differ."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lkgate.cassette.keys import lines
from lkgate.model.event import Json
from lkgate.model.turn import Modality

_CONTEXT_WORDS = 6
_MAX_LINE = 400
# Pairs of equal words in two texts: of 3,000 words of prose each, and of 10,000.
_MANY_PAIRS = 200_000
_MAX_PAIRS = 2_000_000


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
    difference = "\n".join(_differences(found, wanted)) or None
    reason = reason or f"the cassette holds no {_NAMES[modality]} exchange with this request"
    return Miss(
        modality, key, _short(modality, wanted), _short(modality, found), difference, reason
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
    codes = difflib.SequenceMatcher(None, before, after, autojunk=frequent).get_opcodes()
    for place, (kind, a, b, c, d) in enumerate(codes):
        if kind == "equal":
            parts.append(_agreed(before[a:b], place == 0, place == len(codes) - 1))
            continue
        if b > a:
            parts.append(f"[-{' '.join(before[a:b])}-]")
        if d > c:
            parts.append(f"{{+{' '.join(after[c:d])}+}}")
    return " ".join(parts)


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """Pairs of equal words: what comparing two texts costs."""
    there = Counter(after)
    return sum(times * there[word] for word, times in Counter(before).items())


_NAMES: Mapping[Modality, str] = {"llm": "LLM", "tts": "TTS", "stt": "STT", "tool": "tool"}


def _differences(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    made: list[str] = []
    matcher = difflib.SequenceMatcher(None, found, wanted, autojunk=False)
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
    matcher = difflib.SequenceMatcher(None, found, wanted, autojunk=False)
    score = 2.0 * sum(block.size for block in matcher.get_matching_blocks())
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "replace":
            words = difflib.SequenceMatcher(None, found[a].split(), wanted[c].split())
            score += words.ratio() - 0.1 * max(b - a, d - c)
    return score / (len(wanted) + len(found))


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
