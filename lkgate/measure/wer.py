"""What the agent heard against what the caller said: words, digits, and names."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain

from lkgate.measure.number import canonical, facts_of
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.words import align, contains, words_of
from lkgate.model.label import Labels
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

_Tokens = Callable[[str], Sequence[str]]


def word_error_rate(session: Session) -> Iterator[Sample]:
    """(S + D + I) / N over the whole call, shown by the turns in which the errors lie.

    The call's reference and transcript are aligned as one sequence: a recogniser that moves a
    word over the edge of a turn has made no error. A turn's weight is its reference words.
    """
    return _rate(session, words_of, _ALL, "the labels hold no words of the caller")


def substitution_rate(session: Session) -> Iterator[Sample]:
    return _rate(session, words_of, ("substitute",), "the labels hold no words of the caller")


def deletion_rate(session: Session) -> Iterator[Sample]:
    return _rate(session, words_of, ("delete",), "the labels hold no words of the caller")


def insertion_rate(session: Session) -> Iterator[Sample]:
    return _rate(session, words_of, ("insert",), "the labels hold no words of the caller")


def number_error_rate(session: Session) -> Iterator[Sample]:
    return _rate(session, facts_of, _ALL, None)


def entity_error_rate(session: Session) -> Iterator[Sample]:
    labels = _labels(session)
    if not labels.entities:
        yield inapplicable(None, session.whole, "the labels name no words that matter most")
        return
    turns = session.of("caller")
    homes = _homes(session, turns)
    whole = canonical(" ".join(turn.text or "" for turn in turns))
    for entity in labels.entities:
        home = homes.get(entity.utterance)
        heard = whole if home is None else canonical(home.text or "")
        lost = not contains(heard, canonical(entity.text))
        span = session.whole if home is None else home.span
        note = f"the {entity.kind} '{entity.text}'" + (" was not heard" if lost else "")
        yield measured(float(lost), home, span, note)


_ALL = ("substitute", "delete", "insert")


def _rate(
    session: Session, tokens: _Tokens, counted: Sequence[str], none_said: str | None
) -> Iterator[Sample]:
    """Errors of some kinds as a share of the reference's tokens, turn by turn.

    Args:
        none_said: the reason for a reference without a token, where that is a hole in the
            evidence; ``None`` where such a call simply has nothing to measure.
    """
    turns = session.of("caller")
    reference = _Line(_labels(session).caller, tokens)
    heard = _Line([turn.text or "" for turn in turns], tokens)
    if not reference.words:
        if none_said is not None:
            yield absent(None, session.whole, none_said)
        else:
            yield inapplicable(None, session.whole, "nothing of the kind was said")
        return
    if not turns:
        yield absent(None, session.whole, "the caller was never heard")
        return
    homes = _homes(session, turns)
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    near = turns[heard.text_of(0) if heard.words else 0]
    for name, i, j in _aligned(reference.words, heard.words):
        if j is not None:
            near = turns[heard.text_of(j)]
        # Where utterances and turns correspond, a lost word lies in its own utterance's turn.
        home = homes.get(reference.text_of(i), near) if i is not None else near
        tally = tallies[home.index]
        tally.words += i is not None
        if name in counted:
            tally.errors += 1
            if tally.errors <= _NOTED:
                said = None if i is None else reference.words[i]
                tally.notes.append(_told(said, None if j is None else heard.words[j]))
    for turn in turns:
        found = tallies.get(turn.index)
        if found is None or (found.words == 0 and found.errors == 0):
            continue
        value = found.errors / found.words if found.words else 1.0
        more = found.errors - len(found.notes)
        note = "; ".join(found.notes + [f"and {more} more"] * bool(more)) or None
        yield measured(value, turn, turn.span, note, amount=found.errors, weight=found.words)


# Errors of one turn that are told one by one.
_NOTED = 100
# Four rates count the same alignment of a call.
_aligned = lru_cache(maxsize=64)(align)


class _Line:
    """The words of texts in one line, and which text each stands in."""

    def __init__(self, texts: Sequence[str], tokens: _Tokens) -> None:
        each = [tokens(text) for text in texts]
        self.words = tuple(chain.from_iterable(each))
        self._ends = tuple(accumulate(map(len, each)))

    def text_of(self, word: int) -> int:
        return bisect_right(self._ends, word)


@dataclass(slots=True)
class _Tally:
    words: int = 0
    errors: int = 0
    notes: list[str] = field(default_factory=list)


def _told(said: str | None, heard: str | None) -> str:
    if said is None:
        return f"'{heard}' heard, not said"
    return f"'{said}' not heard" if heard is None else f"'{said}' heard as '{heard}'"


def _labels(session: Session) -> Labels:
    assert session.labels is not None  # the registry asks for this evidence
    return session.labels


def _homes(session: Session, turns: tuple[Turn, ...]) -> dict[int, Turn]:
    """The turn of each labelled utterance, where turns and utterances surely correspond."""
    count = len(_labels(session).caller)
    by_plan = {index: turn for turn in turns for index in turn.utterances}
    if by_plan and set(by_plan) <= set(range(count)):
        return by_plan
    if len(turns) == count:
        return dict(enumerate(turns))
    return {}
