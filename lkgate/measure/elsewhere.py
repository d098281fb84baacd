"""Speech whose words stand in another turn's message.

A speech that stops for a sound without words and goes on makes two turns, and has one message. So
does a caller whom the agent spoke into before the sentence was over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from lkgate.measure import field
from lkgate.measure.floor import STATE_SLACK_US
from lkgate.measure.span import any_between, overlap, total_us, union
from lkgate.model.bundle import Span
from lkgate.model.event import Event
from lkgate.model.turn import Turn

# A sound of the caller that is shorter need not have been words.
SPEECH_US = 1_000_000


def told_elsewhere(
    turns: Sequence[Turn], items: Iterable[Event], states: Iterable[Event]
) -> Mapping[int, int]:
    """Turns that were heard and have no message of their own, and the turn whose message has their
    words, by index. A turn that is in neither is one that nobody told of.

    Args:
        items: the session's ``conversation_item_added``.
        states: the session's ``agent_state_changed``.
    """
    spoken = _spoken(items)
    # With "thinking" a reply begins; a speech that goes on never says it.
    begun = sorted(
        event.t_us
        for event in states
        if "thinking" in (event.data.get("old_state"), event.data.get("new_state"))
    )
    told = {
        role: [turn.index for turn in turns if turn.role == role and turn.messages]
        for role in ("caller", "agent")
    }
    found: dict[int, int] = {}
    for turn in turns:
        if turn.messages or not turn.spans:
            continue
        tellers = told[turn.role]
        at = bisect_left(tellers, turn.index)
        for index in (*tellers[at : at + 1], *tellers[max(0, at - 1) : at]):
            other = turns[index]
            when = union(spoken[m.t_us] for m in other.messages if m.t_us in spoken)
            if when:
                goes_on = 2 * total_us(overlap(when, turn.spans)) > total_us(turn.spans)
            else:
                goes_on = bool(told["caller"]) and _goes_on(turns, turn, other, begun)
            if goes_on:
                found[turn.index] = index
                break
    return found


def _spoken(items: Iterable[Event]) -> dict[int, Span]:
    """When messages were spoken by their own word, in session time, by when they were reported.

    Their clock is the agent's: what lies between a message's times and its making is true, and it
    is reported when it is made.
    """
    found: dict[int, Span] = {}
    for event in items:
        metrics = field.mapping(field.mapping(event.data, "item"), "metrics")
        made = field.number(event.data, "created_us")
        start = field.number(metrics, "started_speaking_us")
        stop = field.number(metrics, "stopped_speaking_us")
        if made is not None and start is not None and stop is not None and start < stop:
            shift = event.t_us - made
            found[event.t_us] = Span(int(start + shift), int(stop + shift))
    return found


def _goes_on(turns: Sequence[Turn], turn: Turn, other: Turn, begun: Sequence[int]) -> bool:
    """Whether two turns are one speech, of a session whose messages do not say when they were
    spoken: nobody's words lie between, and no new reply begins."""
    early, late = (turn, other) if turn.index < other.index else (other, turn)
    # An item is made when its speech has ended; a transcription may come as soon as it begins.
    if other is early and any(message.is_item for message in other.messages):
        return False
    if turn.role == "agent" and any_between(
        begun, early.span.end_us, late.span.start_us + STATE_SLACK_US
    ):
        return False
    return not any(
        between.messages or total_us(between.spans) >= SPEECH_US
        for between in turns[early.index + 1 : late.index]
        if between.role != turn.role
    )
