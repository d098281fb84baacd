"""Who speaks when: what the one example of each metric does not show."""

from __future__ import annotations

import pytest

from lkgate.model.bundle import Span
from lkgate.model.event import Json
from tests.measure.builders import bundle, said, span, us
from tests.measure.measuring import measured


def test_agent_that_begins_in_the_callers_pause_has_stopped_it_falsely() -> None:
    session = bundle(
        caller=[span(1, 2), span(2.6, 4), span(6, 7)], agent=[span(2.3, 3), span(8, 9)]
    )
    found = measured("endpointing_false_stops", session)
    assert [(s.value, s.note) for s in found.samples] == [
        (1.0, "1.4 s of the caller's words came after it"),
        (0.0, None),
    ]
    assert found.samples[0].span == span(2.6, 4)
    assert measured("agent_cut_ins", session).value == 0
    assert measured("caller_cut_off", session).value == us(1.4)


def test_agent_that_begins_while_the_caller_speaks_has_cut_it_off() -> None:
    session = bundle(caller=[span(1, 4)], agent=[span(3, 6)])
    assert measured("endpointing_false_stops", session).value == 1
    assert measured("caller_cut_off", session).value == us(1)


def test_caller_who_speaks_after_a_long_pause_had_finished() -> None:
    session = bundle(caller=[span(1, 2), span(3, 4)], agent=[span(2.5, 3.5)])
    assert measured("endpointing_false_stops", session).value == 0
    greeting = bundle(caller=[span(3, 4)], agent=[span(1, 2)])
    assert measured("endpointing_false_stops", greeting).value == 0
    assert measured("caller_cut_off", greeting).value == 0


def test_end_of_a_sound_is_not_cut_off() -> None:
    session = bundle(caller=[span(1, 2.1)], agent=[span(2, 3)])
    assert measured("endpointing_false_stops", session).value == 0


def test_turn_that_livekit_ended_twice() -> None:
    session = bundle(
        caller=[span(1, 2), span(2.5, 4)],
        agent=[span(5, 6)],
        events=[(2.2, *said("user", "I would")), (4.5, *said("user", "like to book"))],
    )
    found = measured("split_turns", session)
    assert (found.value, found.samples[0].note) == (1, "ended after 'I would'")


def test_missed_turns() -> None:
    session = bundle(caller=[span(1, 2), span(20, 21)], agent=[span(8, 9), span(14, 15)])
    found = measured("missed_turns", session)
    # 6 s, and 5 s twice: only more than 5 s is missed
    assert [(s.value, s.span, s.turn) for s in found.samples] == [(1.0, span(2, 8), 0)]
    assert found.samples[0].note == "nobody spoke for 6.0 s"


def test_repeated_interruptions() -> None:
    agent = [(2, True), (5, True), (8, False), (11, True)]
    session = bundle(
        caller=[span(t + 1, t + 2) for t, _ in agent],
        agent=[span(t - 1, t) for t, _ in agent],
        events=[(t + 0.1, *said("assistant", "So.", cut)) for t, cut in agent],
    )
    found = measured("repeated_interruptions", session)
    assert [s.value for s in found.samples] == [0, 1, 0, 0]
    assert measured("interrupted_share", session).value == 3 / 4


def test_false_interruption_that_was_resumed() -> None:
    session = bundle(
        caller=[span(4, 4.2)],
        agent=[span(1, 3)],
        events=[
            (3.1, *said("assistant", "Well.")),
            (5.0, "agent_false_interruption", {"resumed": True}),
        ],
    )
    assert measured("false_interruptions", session).value == 1
    assert measured("false_interruptions_not_resumed", session).value == 0
    none = bundle(events=[(3.1, *said("assistant", "Well."))])
    assert measured("false_interruptions", none).value == 0
    found = measured("false_interruptions_not_resumed", none)
    assert (found.value, found.missing) == (None, False)


# The agent speaks until 3.2 s and is cut short at a sound of the caller's from 2.8 s on.
CUT = (3.2, *said("assistant", "Your test is", interrupted=True))
LATER = (9.0, *said("user", "What do I bring?"))


@pytest.mark.parametrize(
    ("caller", "more", "stops"),
    [
        pytest.param([span(2.8, 3.5)], [], 1, id="no words came of the sound"),
        pytest.param([span(2.8, 3.5)], [(4.5, *said("user", "Wait."))], 0, id="it was words"),
        pytest.param([span(4.0, 4.5)], [], 0, id="the program stopped the agent"),
        pytest.param(
            [span(2.8, 3.5), span(5.6, 7.0)],
            [(7.2, "user_input_transcribed", {"transcript": "What do I bring?"})],
            1,
            id="the words are of two seconds later",
        ),
        pytest.param(
            [span(2.8, 3.5), span(5.6, 7.0)],
            [
                (3.9, "user_input_transcribed", {"transcript": "Wait"}),
                (7.2, "user_input_transcribed", {"transcript": "What do I bring?"}),
            ],
            0,
            id="words, and more words later",
        ),
        pytest.param(
            [span(2.8, 3.5)], [(4.0, "agent_false_interruption", {"resumed": False})], 1,
            id="LiveKit tells of it too",
        ),
    ],
)  # fmt: skip
def test_false_interruption_of_which_livekit_does_not_tell(
    caller: list[Span], more: list[tuple[float, str, dict[str, Json]]], stops: int
) -> None:
    session = bundle(
        caller=caller,
        agent=[span(1, 3.2), span(10, 11)],
        events=[CUT, *more, *([LATER] if len(caller) > 1 else [])],
    )
    assert measured("false_interruptions", session).value == stops
    found = measured("false_interruptions_not_resumed", session)
    assert found.value == (stops or None)
    assert found.n == stops


def test_words_spoken_over_need_words() -> None:
    session = bundle(caller=[span(3, 5)], agent=[span(1, 9)])
    assert measured("words_spoken_over", session).missing
    heard = bundle(
        caller=[span(3, 5)], agent=[span(1, 9)], events=[(5.5, *said("user", "Stop it."))]
    )
    assert measured("words_spoken_over", heard).samples[0].status == "absent"


def test_pause_inside_one_reply() -> None:
    left = {"old_state": "speaking", "new_state": "listening"}
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4), span(4.5, 5), span(7, 8)],
        events=[(5.0, "agent_state_changed", left), (8.0, "agent_state_changed", left)],
    )
    found = measured("speech_pause", session)
    # the two seconds are between two replies
    assert (found.value, found.samples[0].span) == (us(0.5), span(4, 4.5))


def test_pace_of_what_was_cut_short_or_is_short_is_none() -> None:
    session = bundle(
        caller=[span(4, 5), span(7, 8)],
        agent=[span(1, 3), span(6, 6.5), span(10, 14)],
        events=[
            (3.1, *said("assistant", "one two", True)),
            (5.5, *said("user", "x")),
            (6.6, *said("assistant", "three")),
            (8.5, *said("user", "x")),
        ],
    )
    assert [s.reason for s in measured("speaking_rate", session).samples] == [
        "it was cut short",
        "too short to have a pace",
        "the session reported no words for this turn",
    ]
