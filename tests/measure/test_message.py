"""What was said, where conversation items and transcripts do not tell the same.

What LiveKit Agents 1.8 does in each of these cases was seen in replays of small agents.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.message import messages_of
from lkgate.model.event import Json
from lkgate.model.turn import TurnRole
from tests.measure.builders import bundle, said

Made = tuple[float, str, dict[str, Json]]


def final(t: float, words: str) -> Made:
    return t, "user_input_transcribed", {"transcript": words, "is_final": True}


def stream(t: float, words: str, side: str = "agent") -> Made:
    data: dict[str, Json] = {
        "identity": "agent-1",
        "segment_id": f"SG_{t}",
        "track_sid": f"TR_{side}",
        "final": True,
        "text": words,
    }
    return t, "transcription", data


def item(t: float, role: str, words: str, *, cut: bool = False) -> Made:
    """An item that was spoken: it has LiveKit's metrics."""
    return t, *said(role, words, interrupted=cut, end_of_turn_delay=0.5)


def written(t: float, words: str) -> Made:
    """What ``generate_reply(user_input=...)`` makes."""
    return t, *said("user", words)


def texts(role: TurnRole, events: Sequence[Made]) -> list[tuple[str, bool]]:
    """Each message's text, and whether it has LiveKit's metrics."""
    session = bundle(caller=[], agent=[], events=events)
    return [(message.text, message.timed) for message in messages_of(session, role) or ()]


def test_a_line_without_an_item_was_said() -> None:
    filler = stream(2.0, "One moment.")
    reply = [stream(5.0, "You are booked."), item(5.1, "assistant", "You are booked.")]
    told = [("One moment.", False), ("You are booked.", True)]
    assert texts("agent", [filler, *reply]) == told
    assert texts("agent", [*reply, stream(7.0, "Anything else?")])[-1] == ("Anything else?", False)


@pytest.mark.parametrize("later", [False, True])
def test_an_item_and_its_stream_come_in_either_order(later: bool) -> None:
    at = 5.3 if later else 4.9
    events = [
        item(5.0, "assistant", "You are booked."),
        stream(at, "You are booked."),
        item(9.0, "assistant", "You are booked."),
        stream(9.1, "You are booked."),
    ]
    assert texts("agent", events) == [("You are booked.", True)] * 2


def test_a_repeated_line_is_told_as_often_as_it_was_said() -> None:
    events = [
        stream(2.0, "One moment."),
        stream(5.0, "One moment."),
        item(5.1, "assistant", "One moment."),
    ]
    assert texts("agent", events) == [("One moment.", False), ("One moment.", True)]


def test_a_line_that_was_cut_short_is_told_once() -> None:
    events = [
        stream(5.0, "You are booked for Wednesday at nine o'clock."),
        item(5.1, "assistant", "You are booked for Wednesday", cut=True),
    ]
    assert texts("agent", events) == [("You are booked for Wednesday", True)]


def test_a_turn_that_the_program_left_out_was_heard() -> None:
    """``StopResponse``: the transcript is there, and no item."""
    events = [
        final(2.0, "Hang on, please."),
        final(5.0, "Tuesday at nine."),
        item(5.1, "user", "Tuesday at nine."),
    ]
    assert texts("caller", events) == [("Hang on, please.", False), ("Tuesday at nine.", True)]
    last = [item(5.1, "user", "Yes."), final(5.0, "Yes."), final(9.0, "Hang on.")]
    assert texts("caller", last) == [("Yes.", True), ("Hang on.", False)]


def test_what_the_program_wrote_for_the_caller_nobody_said() -> None:
    events = [
        final(2.0, "Book it."),
        item(2.1, "user", "Book it."),
        written(9.0, "The caller is silent."),
    ]
    assert texts("caller", events) == [("Book it.", True)]
    # Also where no transcript is on record, and where a transcript is waiting for its turn.
    assert texts("caller", [events[1], events[2]]) == [("Book it.", True)]
    waiting = [*events[:2], final(8.0, "Wait."), events[2], item(10.0, "user", "Wait.")]
    assert texts("caller", waiting) == [("Book it.", True), ("Wait.", True)]


def test_items_of_a_source_that_measures_nothing_are_words() -> None:
    """A realtime model of an older LiveKit: neither metrics nor confidence."""
    assert texts("caller", [written(2.0, "Hello.")]) == [("Hello.", False)]
    heard = [final(2.0, "Hello."), written(2.1, "Hello.")]
    assert texts("caller", heard) == [("Hello.", False)]


def test_of_an_edited_item_the_words_are_those_heard() -> None:
    """``on_user_turn_completed`` may change what the model is given."""
    heard = [final(2.0, "I am sore"), final(2.4, "since Monday.")]
    told = [("I am sore since Monday.", True)]
    assert texts("caller", [*heard, item(2.5, "user", "I am sore since Monday.")]) == told
    assert texts("caller", [*heard, item(2.5, "user", "[caller 17, verified]")]) == told
    one = [final(2.0, "I am sore"), item(2.1, "user", "I am sore [caller 17]")]
    assert texts("caller", one) == [("I am sore", True)]


def test_an_item_without_a_transcript_keeps_its_words() -> None:
    events = [final(2.0, "Hello."), item(2.1, "user", "Hello."), item(9.0, "user", "Book it.")]
    assert texts("caller", events) == [("Hello.", True), ("Book it.", True)]


def test_streams_of_the_caller_stand_in_for_lost_transcripts() -> None:
    heard = [stream(2.0, "Hang on.", "caller"), stream(5.0, "Tuesday.", "caller")]
    events = [*heard, item(5.1, "user", "Tuesday.")]
    assert texts("caller", events) == [("Hang on.", False), ("Tuesday.", True)]


WORDS = st.lists(st.sampled_from(["yes", "no", "book", "it"]), min_size=1, max_size=3)
PARTS = st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=3), st.booleans()), max_size=6)


@given(PARTS)
def test_no_word_is_lost_or_told_twice(turns: list[tuple[list[list[str]], bool]]) -> None:
    """Each turn of the caller has some transcripts, and an item unless the program left it out."""
    events: list[Made] = []
    wanted: list[str] = []
    for number, (parts, kept) in enumerate(turns):
        spoken = [" ".join(part) for part in parts]
        at = 10.0 * number
        events += [final(at + n, words) for n, words in enumerate(spoken)]
        events += [item(at + 5, "user", " ".join(spoken))] if kept else []
        wanted += spoken
    told = texts("caller", events)
    assert " ".join(words for words, _ in told).split() == " ".join(wanted).split()
    assert sum(timed for _, timed in told) == sum(kept for _, kept in turns)
