"""What no message tells of a turn that was heard: a hole, or nothing that should be there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from lkgate.measure.elsewhere import SPEECH_US
from lkgate.measure.floor import STATE_SLACK_US, UNANSWERED_US
from lkgate.measure.sample import absent, inapplicable
from lkgate.measure.session import Session
from lkgate.measure.span import containing, overlap, total_us
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

# Less sound than this is no word.
WORD_US = 250_000
# A caller who leaves this soon after the last word did not wait for an answer.
GOODBYE_US = 2_000_000
NO_METRICS = "the session's messages carry no metrics"


def unreported(turn: Turn, session: Session) -> Iterator[Sample]:
    """What is not known of a turn that the session has no message of: a hole if it was heard.

    Nothing for what the agent did without a sound. Sound too short for a word has no message, a
    speech that went on after a sound without words has one for all its turns, and LiveKit makes
    none of what the caller says while it does not listen, or right before it goes.
    """
    heard_us = total_us(turn.spans)
    if turn.index in session.told_in:
        yield inapplicable(turn, turn.span, "it is part of a speech that is told in another turn")
    elif heard_us >= WORD_US:
        why = _why_none(turn, session) if turn.role == "caller" else None
        if why is None:
            yield absent(turn, turn.span, _reason(turn))
        else:
            yield inapplicable(turn, turn.span, why)
    elif heard_us:
        yield inapplicable(turn, turn.span, "too short to be a word")


def holes(session: Session, role: str) -> list[Sample]:
    """Every turn of one side that was heard, and nothing tells its words."""
    return [
        sample
        for turn in session.of(role)
        if not turn.messages
        for sample in unreported(turn, session)
        if sample.status == "absent"
    ]


def speech_told(session: Session, turn: Turn) -> tuple[Span, ...]:
    """All the speech that the words of a turn's messages are of, sorted."""
    parts = [index for index, teller in session.told_in.items() if teller == turn.index]
    return tuple(
        sorted(span for index in (*parts, turn.index) for span in session.turns[index].spans)
    )


def unmeasured(turn: Turn, session: Session, reason: str) -> Sample:
    """What LiveKit does not say of a caller turn's words: a hole, unless it made no item of them.

    It ends no turn, and measures none, where it was not to listen or the program stopped the reply.

    Args:
        reason: said of a hole.
    """
    items = any(message.is_item for one in session.of("caller") for message in one.messages)
    if items and not any(message.is_item for message in turn.messages):
        why = _why_not_heard(turn, session)
        if why is None and session.of_kind("agent_state_changed"):
            why = "the agent began no reply to it"
        if why is not None and not _replied(turn, session):
            return inapplicable(turn, turn.span, why)
    return absent(turn, turn.span, reason)


def cut_short(turn: Turn, session: Session) -> bool | None:
    """Whether an agent's words were cut short, ``None`` if nothing tells.

    What LiveKit made no item of was not, if the caller was silent: it is the caller who cuts in.
    """
    if turn.interrupted is not None or not turn.messages or not turn.spans:
        return turn.interrupted
    around = Span(turn.span.start_us, turn.span.end_us + STATE_SLACK_US)
    return None if overlap(session.caller, (around,)) else False


def said_by_program(turn: Turn, session: Session) -> bool:
    """Whether an agent turn of which LiveKit made no item is known to be no language model's."""
    if any(message.is_item for message in turn.messages) or turn.index in session.told_in.values():
        return False
    changes = session.of_kind("agent_state_changed")
    since_us = turn.span.start_us - 2 * STATE_SLACK_US
    begun = [
        event.data.get("old_state")
        for event in changes
        if since_us <= event.t_us <= turn.span.end_us and event.data.get("new_state") == "speaking"
    ]
    # A speech-to-speech model never says "thinking".
    tells = any(event.data.get("new_state") == "thinking" for event in changes)
    return tells and bool(begun) and "thinking" not in begun


def need_not_be_words(turn: Turn, session: Session) -> bool:
    """Whether the caller made a short sound, and the agent that waited began no reply to it."""
    return total_us(turn.spans) < SPEECH_US and not _replied(turn, session)


def _replied(turn: Turn, session: Session) -> bool:
    """Whether an agent that waited began a reply to something that the caller said."""
    after = session.turns[turn.index + 1 :]
    again_us = next((other.span.start_us for other in after if other.role == "caller"), None)
    states = session.of_kind("agent_state_changed")
    for stretch in turn.spans:
        until_us = stretch.end_us + UNANSWERED_US
        at = bisect_right(states, stretch.end_us, key=lambda event: event.t_us)
        if at == len(states) or states[at].t_us >= min(until_us, again_us or until_us):
            continue
        waited = at == 0 or states[at - 1].data.get("new_state") == "listening"
        # Without a word LiveKit ends no turn, and a speech that goes on never says "thinking".
        changed = states[at].data
        if waited and "thinking" in (changed.get("old_state"), changed.get("new_state")):
            return True
    return False


def _reason(turn: Turn) -> str:
    return turn.text_absent or "the session reported no words for this turn"


def _why_none(turn: Turn, session: Session) -> str | None:
    """Why a sound of the caller need not have become a message."""
    if session.unheard() or _replied(turn, session):
        return None
    if total_us(turn.spans) < SPEECH_US:
        return "so short a sound of the caller need not be words"
    return _why_not_heard(turn, session)


def _why_not_heard(turn: Turn, session: Session) -> str | None:
    stop_us = turn.span.end_us
    # An agent that is not to be interrupted hears nothing while it speaks.
    if any(barge.outcome == "ignored" for barge in turn.barge_ins):
        return "the agent spoke on and need not have listened"
    alone_us = total_us(turn.spans) - total_us(overlap(turn.spans, session.agent))
    if alone_us < SPEECH_US and containing(session.agent, stop_us - 1) is not None:
        return "the agent was speaking when the caller stopped"
    answered = any(span.start_us >= stop_us for span in session.agent)
    if not answered and session.left_us() - stop_us < GOODBYE_US:
        return "the caller left"
    return None
