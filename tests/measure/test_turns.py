"""From speech and events to turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.turns import turns_of
from lkgate.model.bundle import Bundle, Span
from lkgate.model.event import Json
from tests.measure.builders import V1, Agent, Step, bundle, play, said, span, tool, us, without


def shape(session: Bundle) -> list[tuple[str, str | None]]:
    return [(turn.role, turn.text) for turn in turns_of(session)]


def state(old: str, new: str) -> tuple[str, dict[str, Json]]:
    return "agent_state_changed", {"old_state": old, "new_state": new}


def test_agent_greets_first() -> None:
    session = bundle(
        agent=[span(1, 3), span(7, 9)],
        caller=[span(4, 6)],
        events=[
            (3.1, *said("assistant", "Hello.")),
            (6.5, *said("user", "Hi.")),
            (9.1, *said("assistant", "How are you?")),
        ],
    )
    assert shape(session) == [("agent", "Hello."), ("caller", "Hi."), ("agent", "How are you?")]
    assert [turn.answers for turn in turns_of(session)] == [None, None, 1]


def test_nobody_speaks() -> None:
    assert turns_of(bundle()) == ()
    assert turns_of(bundle(caller=None, agent=None)) == ()


def test_caller_silent() -> None:
    session = bundle(agent=[span(1, 3), span(10, 12)])
    assert [(turn.role, len(turn.spans)) for turn in turns_of(session)] == [("agent", 2)]


def test_agent_silent() -> None:
    session = bundle(caller=[span(1, 3)], events=[(3.5, *said("user", "Hello?"))])
    assert shape(session) == [("caller", "Hello?")]


def test_filler_then_tool_then_answer_is_one_turn() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4), span(6, 8)],
        events=[
            (2.5, *said("user", "Am I booked?")),
            (4.05, *said("assistant", "Let me look.")),
            (5.0, *tool("look_up")),
            (8.05, *said("assistant", "You are.")),
        ],
    )
    assert shape(session) == [("caller", "Am I booked?"), ("agent", "Let me look. You are.")]
    assert [call.name for call in turns_of(session)[1].tools] == ["look_up"]


def test_tool_before_the_first_sound_belongs_to_the_answer() -> None:
    session = bundle(
        caller=[span(1, 2), span(6, 7)],
        agent=[span(3, 4), span(9, 10)],
        events=[(8.0, *tool("book"))],
    )
    assert [[call.name for call in turn.tools] for turn in turns_of(session)] == [
        [],
        [],
        [],
        ["book"],
    ]


def test_agent_that_acts_without_a_sound_has_a_turn() -> None:
    session = bundle(caller=[span(1, 2), span(9, 10)], events=[(3.0, *tool("end_call"))])
    turns = turns_of(session)
    assert [(turn.role, turn.spans) for turn in turns] == [
        ("caller", (span(1, 2),)),
        ("agent", ()),
        ("caller", (span(9, 10),)),
    ]
    assert turns[1].span == span(3, 3)


def test_tool_started_and_executed_are_one_call() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(5, 6)],
        events=[
            (3.0, "tool_execution_updated", {"phase": "started", "call_id": "c", "name": "book"}),
            (3.5, "tool_execution_updated", {"phase": "ended", "call_id": "c", "status": "done"}),
            (3.6, "tool_execution_updated", {"phase": "reply", "update_ids": [], "status": "done"}),
            (3.6, *tool("book", '{"day": "monday"}', "ok", "c")),
        ],
    )
    (call,) = turns_of(session)[1].tools
    assert (call.name, call.arguments, call.output) == ("book", {"day": "monday"}, "ok")
    assert (call.t_us, call.ended_us) == (us(3.0), us(3.5))


def test_handoff_but_not_the_first_agent() -> None:
    def handoff(old: str | None, new: str) -> tuple[str, dict[str, Json]]:
        item: Json = {"type": "agent_handoff", "old_agent_id": old, "new_agent_id": new}
        return "conversation_item_added", {"item": item}

    session = bundle(
        agent=[span(1, 2), span(5, 6)],
        caller=[span(3, 4)],
        events=[(0.5, *handoff(None, "desk")), (4.5, *handoff("desk", "nurse"))],
    )
    assert [[h.new_agent for h in turn.handoffs] for turn in turns_of(session)] == [
        [],
        [],
        ["nurse"],
    ]


def barge(*events: tuple[float, str, dict[str, Json]], agent_ends: float) -> list[str]:
    session = bundle(agent=[span(1, agent_ends), span(11, 12)], caller=[span(3, 5)], events=events)
    turns = turns_of(session)
    assert [turn.role for turn in turns] == ["agent", "caller", "agent"]
    return [one.outcome for one in turns[1].barge_ins]


def test_barge_in_outcomes() -> None:
    cut = (3.7, *said("assistant", "I was", interrupted=True))
    whole = (9.1, *said("assistant", "I spoke to my end."))
    assert barge(cut, agent_ends=3.6) == ["yielded"]
    assert barge(whole, agent_ends=9.0) == ["ignored"]
    assert barge((3.9, *said("assistant", "Bye.")), agent_ends=3.8) == ["finished"]
    # Without the session's word the sound decides.
    assert barge(agent_ends=3.9) == ["yielded"]
    assert barge(agent_ends=5.5) == ["ignored"]
    # Too little of the agent's speech was left for it to be an interruption.
    assert barge(agent_ends=3.1) == []


def test_backchannel_is_no_barge_in() -> None:
    session = bundle(agent=[span(1, 9)], caller=[span(3, 3.4)])
    assert turns_of(session)[1].barge_ins == ()


def test_message_of_the_next_reply_says_nothing_about_this_one() -> None:
    session = bundle(
        agent=[span(1, 3.6), span(6, 8)],
        caller=[span(3, 5)],
        events=[
            (3.6, *state("speaking", "listening")),
            (8.1, *said("assistant", "Yes?")),
        ],
    )
    assert [one.outcome for one in turns_of(session)[1].barge_ins] == ["yielded"]


def test_caller_going_on_in_one_breath_is_one_turn_and_one_barge_in() -> None:
    session = bundle(agent=[span(1, 3.9)], caller=[span(3, 3.5), span(3.8, 5)])
    turns = turns_of(session)
    assert [turn.role for turn in turns] == ["agent", "caller"]
    assert len(turns[1].barge_ins) == 1


def test_caller_again_after_the_agent_spoke_on_is_another_turn() -> None:
    session = bundle(agent=[span(1, 8)], caller=[span(3, 4), span(9, 10)])
    assert [turn.role for turn in turns_of(session)] == ["agent", "caller", "caller"]


def test_caller_again_for_want_of_an_answer_is_another_turn() -> None:
    assert len(turns_of(bundle(caller=[span(1, 2), span(8, 9)]))) == 2
    assert len(turns_of(bundle(caller=[span(1, 2), span(4, 5)]))) == 1
    tired: list[tuple[float, str, dict[str, Json]]] = [
        (4.0, "lkgate.caller_impatient", {"index": 1, "reason": "the agent did not answer"}),
        (4.0, "lkgate.caller_utterance", {"index": 1, "phase": "start", "at_us": us(4)}),
        (5.0, "lkgate.caller_utterance", {"index": 1, "phase": "end", "at_us": us(5)}),
    ]
    turns = turns_of(bundle(caller=[span(1, 2), span(4, 5)], events=tired))
    assert [turn.utterances for turn in turns] == [(), (1,)]


def test_a_quick_reply_after_a_quick_caller_is_not_the_old_reply() -> None:
    events = [(3.5, *state("speaking", "listening")), (3.8, *state("thinking", "speaking"))]
    session = bundle(agent=[span(1, 3.5), span(3.9, 6)], caller=[span(2.9, 3.45)], events=events)
    assert [turn.role for turn in turns_of(session)] == ["agent", "caller", "agent"]
    # A pause inside one reply: the state says nothing, so the agent spoke on.
    session = bundle(agent=[span(1, 3.5), span(3.9, 6)], caller=[span(2.9, 3.45)])
    assert [turn.role for turn in turns_of(session)] == ["agent", "caller"]


@pytest.mark.parametrize("marked", [True, False])  # by agents in Python, and in Node
def test_outside_recording_has_words_from_the_streams(marked: bool) -> None:
    def stream(sid: str, text: str, final: bool = True) -> tuple[str, dict[str, Json]]:
        data: dict[str, Json] = {
            "identity": "agent-1",
            "segment_id": text[:3],
            "track_sid": sid,
            "final": final,
            "text": text,
        }
        return "transcription", data

    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[
            (1.5, *stream("TR_caller", "Hell", final=False)),
            (2.2, *stream("TR_caller", "Hello")),
            (4.0, *stream("TR_agent", "Good day", final=marked)),
        ],
    )
    assert shape(session) == [("caller", "Hello"), ("agent", "Good day")]


def test_without_any_words_the_reason_is_told() -> None:
    session = bundle(caller=[span(1, 2)], absent={"session": "recorded from the outside"})
    (turn,) = turns_of(session)
    assert (turn.text, turn.text_absent) == (None, "recorded from the outside")
    session = bundle(
        caller=[span(1, 2), span(5, 6)], agent=[span(3, 4)], events=[(2.5, *said("user", "Hi."))]
    )
    assert turns_of(session)[2].text_absent == "the session reported no words for this turn"


def test_a_reply_that_nobody_heard_is_a_turn_without_sound() -> None:
    session = bundle(
        agent=[span(1, 2)],
        caller=[span(3, 4)],
        events=[(2.1, *said("assistant", "Hello.")), (6.0, *said("assistant", "Not heard."))],
    )
    assert shape(session) == [("agent", "Hello."), ("caller", None), ("agent", "Not heard.")]


def test_estimates_are_marked_on_their_turn() -> None:
    answer: dict[str, Json] = {"modality": "tts", "key": "k", "origin": "policy"}
    session = bundle(
        agent=[span(1, 2), span(5, 6)],
        caller=[span(3, 4)],
        events=[(4.5, "lkgate.model_answer", answer)],
    )
    assert [turn.estimated for turn in turns_of(session)] == [(), (), ("tts",)]


def test_missing_events_change_no_turn() -> None:
    steps = [Step("One.", "Two.", into=None), Step("Three.", "Four.", into=1.0)]
    full = play(steps, V1)
    outside = without(full, "conversation_item_added", "agent_state_changed")
    roles = [(turn.role, turn.spans) for turn in turns_of(full)]
    assert [(turn.role, turn.spans) for turn in turns_of(outside)] == roles


def test_utterances_of_the_plan_find_their_turns() -> None:
    steps = [Step("a", "b"), Step("c", "d", into=1.0), Step("e", "f")]
    for build in (V1, Agent(interruptible=False)):
        turns = [turn for turn in turns_of(play(steps, build)) if turn.role == "caller"]
        assert [turn.utterances for turn in turns] == [(0,), (1,), (2,)]


stretches = st.lists(
    st.tuples(st.integers(0, 60_000), st.integers(1, 8_000)).map(
        lambda at: Span(at[0] * 1000, (at[0] + at[1]) * 1000)
    ),
    max_size=12,
)


@given(caller=stretches, agent=stretches)
def test_every_sound_is_in_one_turn_and_turns_are_in_order(
    caller: list[Span], agent: list[Span]
) -> None:
    turns = turns_of(bundle(caller=caller, agent=agent))
    assert [turn.index for turn in turns] == list(range(len(turns)))
    onsets = [turn.span.start_us for turn in turns]
    assert onsets == sorted(onsets)
    for role, spans in (("caller", caller), ("agent", agent)):
        mine = [s for turn in turns if turn.role == role for s in turn.spans]
        assert mine == sorted(mine)
        assert all(
            any(s.start_us <= x.start_us and x.end_us <= s.end_us for s in mine) for x in spans
        )
    for turn in turns:
        for one in turn.barge_ins:
            assert turns[one.agent_turn].role == "agent"
            assert one.silent_us > one.onset_us
