"""Word error rate of what the agent heard against what the caller said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lkgate.measure.sample import absent, measured
from lkgate.measure.session import Session
from lkgate.measure.words import Step, align, words_of
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn


def word_error_rate(session: Session) -> Iterator[Sample]:
    """(S + D + I) / N over the whole call, shown by the turns in which the errors lie.

    The call's reference and transcript are aligned as one sequence: a recogniser that moves a
    word over the edge of a turn has made no error. A turn's weight is its reference words.
    """
    labels = session.labels
    assert labels is not None  # the registry asks for this evidence
    turns = session.of("caller")
    reference = [(w, u) for u, said in enumerate(labels.caller) for w in words_of(said)]
    heard = [(w, turn) for turn in turns for w in words_of(turn.text or "")]
    if not reference:
        yield absent(None, session.whole, "the labels hold no words of the caller")
        return
    if not turns:
        yield absent(None, session.whole, "the caller was never heard")
        return
    steps = align([w for w, _ in reference], [w for w, _ in heard])
    homes = _homes(session, turns)
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    near = heard[0][1] if heard else turns[0]
    for step in steps:
        _, i, j = step
        if j is not None:
            near = heard[j][1]
        # Where utterances and turns correspond, a lost word lies in its own utterance's turn.
        home = homes.get(reference[i][1], near) if i is not None else near
        tallies[home.index].add(step, [w for w, _ in reference], [w for w, _ in heard])
    for turn in turns:
        tally = tallies.get(turn.index)
        if tally is None or (tally.words == 0 and tally.errors == 0):
            continue
        value = tally.errors / tally.words if tally.words else 1.0
        note = "; ".join(tally.notes) or None
        yield measured(value, turn, turn.span, note, amount=tally.errors, weight=tally.words)


class _Tally:
    def __init__(self) -> None:
        self.words = 0
        self.errors = 0
        self.notes: list[str] = []

    def add(self, step: Step, reference: list[str], heard: list[str]) -> None:
        name, i, j = step
        self.words += i is not None
        if name == "equal":
            return
        self.errors += 1
        if i is None and j is not None:
            self.notes.append(f"'{heard[j]}' heard, not said")
        elif j is None and i is not None:
            self.notes.append(f"'{reference[i]}' not heard")
        elif i is not None and j is not None:
            self.notes.append(f"'{reference[i]}' heard as '{heard[j]}'")


def _homes(session: Session, turns: tuple[Turn, ...]) -> dict[int, Turn]:
    """The turn of each labelled utterance, where turns and utterances surely correspond."""
    assert session.labels is not None
    count = len(session.labels.caller)
    by_plan = {index: turn for turn in turns for index in turn.utterances}
    if by_plan and set(by_plan) <= set(range(count)):
        return by_plan
    if len(turns) == count:
        return dict(enumerate(turns))
    return {}
