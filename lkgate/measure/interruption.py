"""What came of it when the caller spoke into the agent's speech, or seemed to."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import overlap, total_us
from lkgate.measure.words import words_of
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample


def barge_ins(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        yield measured(len(turn.barge_ins), turn, turn.span)


def words_spoken_over(session: Session) -> Iterator[Sample]:
    for turn in session.turns:
        for barge in turn.barge_ins:
            spoken = session.turns[barge.agent_turn]
            if barge.outcome == "finished":
                yield inapplicable(turn, barge.span, "the agent was at its end anyway")
            elif spoken.text is None:
                yield absent(turn, barge.span, spoken.text_absent or "no words of the agent")
            else:
                over = total_us(overlap(spoken.spans, (barge.span,)))
                share = over / max(1, total_us(spoken.spans))
                yield measured(len(words_of(spoken.text)) * share, turn, barge.span)


def false_interruptions(session: Session) -> Iterator[Sample]:
    seen = session.of_kind("agent_false_interruption")
    for event in seen:
        at = session.turn_at(event.t_us)
        yield measured(1.0, at, Span(event.t_us, event.t_us), "the agent stopped for nothing")
    if not seen:
        yield measured(0.0, None, session.whole)


def false_interruptions_not_resumed(session: Session) -> Iterator[Sample]:
    for event in session.of_kind("agent_false_interruption"):
        lost = event.data.get("resumed") is not True
        note = "the agent did not go on with what it was saying" if lost else "the agent went on"
        at = session.turn_at(event.t_us)
        yield measured(float(lost), at, Span(event.t_us, event.t_us), note)


def repeated_interruptions(session: Session) -> Iterator[Sample]:
    before = False
    for turn in session.of("agent"):
        if turn.interrupted is not None:
            yield measured(float(before and turn.interrupted), turn, turn.span)
            before = turn.interrupted


def interrupted_share(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.interrupted is not None:
            yield measured(float(turn.interrupted), turn, turn.span)
        elif turn.messages:
            yield absent(turn, turn.span, "the session does not say whether it was cut short")
