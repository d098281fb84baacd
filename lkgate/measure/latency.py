"""How long the caller waits, and for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import containing, total_us
from lkgate.measure.untold import (
    GOODBYE_US,
    NO_METRICS,
    WORD_US,
    said_by_program,
    unmeasured,
    unreported,
)
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample
from lkgate.model.turn import Message, Turn


def response_latency(session: Session) -> Iterator[Sample]:
    for turn, after, why_not in _asked(session):
        stop = turn.span.end_us
        if why_not is not None:
            yield inapplicable(turn, turn.span, why_not)
        elif after is None:
            yield absent(turn, Span(stop, session.left_us()), "the agent did not answer")
        else:
            yield measured(after - stop, turn, Span(stop, after))


def unanswered_turns(session: Session) -> Iterator[Sample]:
    for turn, after, why_not in _asked(session):
        if why_not is not None:
            yield inapplicable(turn, turn.span, why_not)
        else:
            waited = Span(turn.span.end_us, session.left_us() if after is None else after)
            note = "the agent did not answer" if after is None else None
            yield measured(float(after is None), turn, waited, note)


def _asked(session: Session) -> Iterator[tuple[Turn, int | None, str | None]]:
    """Each caller turn, the onset of its answer, and why it waits for none."""
    heard = [turn for turn in session.turns if turn.spans]
    for position, turn in enumerate(heard):
        if turn.role != "caller":
            continue
        stop = turn.span.end_us
        after = heard[position + 1] if position + 1 < len(heard) else None
        onset = after.span.start_us if after is not None and after.role == "agent" else None
        if containing(session.agent, stop - 1) is not None:
            yield turn, None, "the agent was speaking when the caller stopped"
        elif onset is not None:
            # An agent that began and fell silent before the caller stopped has not answered yet.
            later = [span.start_us for span in after.spans] if after is not None else []
            answer = next((start for start in later if start >= stop), None)
            if answer is None:
                yield turn, None, "the agent spoke before the caller had stopped"
            else:
                yield turn, answer, None
        elif total_us(turn.spans) < WORD_US:
            yield turn, None, "too short to be a word"
        elif after is None and session.left_us() - stop < GOODBYE_US:
            yield turn, None, "the caller left"
        else:
            yield turn, None, None


def time_to_first_audio(session: Session) -> Iterator[Sample]:
    arrived = session.arrived_us()
    heard = next((span for span in session.agent if span.end_us > arrived), None)
    if heard is None:
        yield absent(None, session.whole, "the agent never made a sound")
        return
    first = max(arrived, heard.start_us)
    turn = next(turn for turn in session.turns if heard in turn.spans)
    yield measured(first - arrived, turn, Span(arrived, first))


def call_answered(session: Session) -> Iterator[Sample]:
    arrived = session.arrived_us()
    heard = any(span.end_us > arrived for span in session.agent)
    note = None if heard else "the agent never made a sound"
    yield measured(float(heard), None, session.whole, note)


def end_of_turn_delay(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        if turn.messages:
            # The turn was ended by the last of its messages.
            yield _part(session, turn, lambda message: message.end_of_turn_delay_us, last=True)
        else:
            yield from unreported(turn, session)


def llm_ttft(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.messages and said_by_program(turn, session):
            yield inapplicable(turn, turn.span, "the program said it, and asked no model")
        elif turn.messages:
            yield _part(session, turn, lambda message: message.llm_ttft_us, last=False)
        else:
            yield from unreported(turn, session)


def tts_ttfb(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.messages:
            yield _part(session, turn, lambda message: message.tts_ttfb_us, last=False)
        else:
            yield from unreported(turn, session)


def _part(
    session: Session, turn: Turn, pick: Callable[[Message], int | None], *, last: bool
) -> Sample:
    value = part_of(turn, pick, last=last)
    if value is not None:
        return measured(value, turn, turn.span)
    if any(message.timed for message in turn.messages):
        return inapplicable(turn, turn.span, "LiveKit measured no such delay here")
    if turn.role == "caller":
        return unmeasured(turn, session, NO_METRICS)
    return absent(turn, turn.span, NO_METRICS)


def part_of(turn: Turn, pick: Callable[[Message], int | None], *, last: bool) -> int | None:
    """The first (or last) value that the turn's messages have."""
    values = [value for value in map(pick, turn.messages) if value is not None]
    return (values[-1] if last else values[0]) if values else None
