"""What came of it when the caller spoke into the agent's speech, or seemed to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lkgate.measure import field
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import any_between, overlap, total_us
from lkgate.measure.untold import cut_short, speech_told, unreported
from lkgate.measure.words import words_of
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

# LiveKit's false_interruption_timeout, unless a program sets another: so long after a sound its
# words must have come.
_WORDLESS_US = 2_000_000
# From LiveKit's timer to the event in the room.
_SLACK_US = 1_000_000


def barge_ins(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        yield measured(len(turn.barge_ins), turn, turn.span)


def words_spoken_over(session: Session) -> Iterator[Sample]:
    for turn in session.turns:
        for barge in turn.barge_ins:
            turn_at = session.told_in.get(barge.agent_turn, barge.agent_turn)
            spoken = session.turns[turn_at]
            if barge.outcome == "finished":
                yield inapplicable(turn, barge.span, "the agent was at its end anyway")
            elif spoken.text is None:
                yield absent(turn, barge.span, spoken.text_absent or "no words of the agent")
            else:
                speech = speech_told(session, spoken)
                share = total_us(overlap(speech, (barge.span,))) / max(1, total_us(speech))
                yield measured(len(words_of(spoken.text)) * share, turn, barge.span)


def false_interruptions(session: Session) -> Iterator[Sample]:
    found = _stops(session)
    for at, span, _ in found:
        yield measured(1.0, at, span, "the agent stopped for nothing")
    if not found:
        yield measured(0.0, None, session.whole)


def false_interruptions_not_resumed(session: Session) -> Iterator[Sample]:
    for at, span, resumed in _stops(session):
        lost = "the agent stopped for a sound without words, and did not go on"
        yield measured(float(not resumed), at, span, "the agent went on" if resumed else lost)


_Stop = tuple[Turn | None, Span, bool]


def _stops(session: Session) -> list[_Stop]:
    """Where the agent stopped for nothing, and whether it went on: as LiveKit says, and as it does
    not say where it is not to go on after one, for then it cuts its speech off and waits no more.
    """
    told = session.of_kind("agent_false_interruption")
    found = [
        (
            session.turn_at(event.t_us),
            Span(event.t_us, event.t_us),
            event.data.get("resumed") is True,
        )
        for event in told
    ]
    words = [
        event.t_us
        for event in session.of_kind("user_input_transcribed")
        if (field.text(event.data, "transcript") or "").strip()
    ]
    for turn, after in pairwise(session.turns):
        if not _cut_for_nothing(words, turn, after):
            continue
        heard = range(turn.span.start_us, after.span.end_us + _WORDLESS_US + _SLACK_US)
        if not any(event.t_us in heard for event in told):
            found.append((turn, Span(turn.span.end_us, after.spans[0].end_us), False))
    return sorted(found, key=lambda stop: stop[1])


def _cut_for_nothing(words: list[int], turn: Turn, after: Turn) -> bool:
    """LiveKit cut the agent short while something sounded, and no words came of that sound.

    Args:
        words: when any were heard, sorted.
    """
    if not turn.interrupted or after.role != "caller" or not after.spans:
        return False
    cut_us = max(m.t_us for m in turn.messages if m.interrupted)
    if after.span.start_us > max(cut_us, turn.span.end_us):
        return False  # it was the program that stopped the agent
    # What the caller says after LiveKit has given up waiting is no part of what stopped the agent.
    spans = pairwise(after.spans)
    later = (b.start_us for a, b in spans if b.start_us - a.end_us >= _WORDLESS_US)
    until_us = next(later, None)
    if until_us is None or not words:
        return not after.messages
    return not any_between(words, after.span.start_us, until_us - 1)


def repeated_interruptions(session: Session) -> Iterator[Sample]:
    before = False
    for turn in session.of("agent"):
        cut = cut_short(turn, session)
        if cut is not None:
            yield measured(float(before and cut), turn, turn.span)
            before = cut
        elif turn.messages:
            yield absent(turn, turn.span, "the session does not say whether it was cut short")
        else:
            yield from unreported(turn, session)


def interrupted_share(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        cut = cut_short(turn, session)
        if cut is not None:
            yield measured(float(cut), turn, turn.span)
        elif turn.messages:
            yield absent(turn, turn.span, "the session does not say whether it was cut short")
        else:
            yield from unreported(turn, session)
