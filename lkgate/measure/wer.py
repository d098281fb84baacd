"""What the agent heard against what the caller said: words, digits, and names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

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
    reference = [(w, u) for u, said in enumerate(_labels(session).caller) for w in tokens(said)]
    heard = [(w, turn) for turn in turns for w in tokens(turn.text or "")]
    if not reference:
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
    near = heard[0][1] if heard else turns[0]
    for name, i, j in _aligned(tuple(w for w, _ in reference), tuple(w for w, _ in heard)):
        if j is not None:
            near = heard[j][1]
        # Where utterances and turns correspond, a lost word lies in its own utterance's turn.
        home = homes.get(reference[i][1], near) if i is not None else near
        tally = tallies[home.index]
        tally.words += i is not None
        if name in counted:
            tally.errors += 1
            tally.notes.append(
                _told(None if i is None else reference[i][0], None if j is None else heard[j][0])
            )
    for turn in turns:
        found = tallies.get(turn.index)
        if found is None or (found.words == 0 and found.errors == 0):
            continue
        value = found.errors / found.words if found.words else 1.0
        note = "; ".join(found.notes) or None
        yield measured(value, turn, turn.span, note, amount=found.errors, weight=found.words)


# Four rates count the same alignment of a call.
_aligned = lru_cache(maxsize=64)(align)


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
