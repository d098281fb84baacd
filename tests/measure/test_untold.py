"""Turns that were heard and have no message: what is told elsewhere, no words, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from lkgate.model.bundle import Bundle, Span
from lkgate.model.event import Json
from lkgate.model.label import ExpectedTool, Labels, Step
from tests.measure.builders import bundle, handoff, labels, said, span, tool, us
from tests.measure.measuring import measured

Told = tuple[float, str, Mapping[str, Json]]
QUESTION = said("assistant", "Where would you like to go today?", llm_node_ttft=0.3)
ANSWER = said("user", "To the clinic.", end_of_turn_delay=0.3)
THINKING: dict[str, Json] = {"old_state": "thinking", "new_state": "speaking"}
RESUMED: dict[str, Json] = {"old_state": "listening", "new_state": "speaking"}
LONG = (3.1, 4.3)


def hummed(*more: Told, hum: tuple[float, float] = (3.1, 3.6)) -> Bundle:
    """The agent speaks, something sounds, the agent speaks again; one message comes of it."""
    return bundle(
        caller=[span(*hum), span(8, 9)],
        agent=[span(1, 3), span(4.5, 6.5)],
        events=[(6.6, *QUESTION), *more],
    )


def spoken(start: float, stop: float, ahead: float = 0.0) -> Told:
    """The question, with its own times on a clock that is ``ahead``."""
    item = QUESTION[1]["item"]
    assert isinstance(item, dict)
    began, ended, made = (us(t + ahead) for t in (start, stop, 6.6))
    metrics: Json = {"started_speaking_us": began, "stopped_speaking_us": ended}
    return 6.6, QUESTION[0], {"created_us": made, "item": {**item, "metrics": metrics}}


def first(metric: str, session: Bundle, truth: Labels | None = None) -> str:
    return measured(metric, session, truth).samples[0].status


@pytest.mark.parametrize(
    ("session", "status"),
    [
        (hummed((9.5, *ANSWER)), "not_applicable"),
        (hummed((4.4, "agent_state_changed", RESUMED), (9.5, *ANSWER)), "not_applicable"),
        # The caller's words were told; they are of another kind than a hum; nobody tells any; the
        # agent began anew.
        (hummed((3.7, *said("user", "Wait.", end_of_turn_delay=0.3)), (9.5, *ANSWER)), "absent"),
        (hummed((9.5, *ANSWER), hum=LONG), "absent"),
        (hummed(), "absent"),
        (hummed((4.4, "agent_state_changed", THINKING), (9.5, *ANSWER)), "absent"),
    ],
)
def test_a_speech_that_goes_on_after_a_sound_is_told_once(session: Bundle, status: str) -> None:
    assert first("llm_ttft", session) == status


@pytest.mark.parametrize("ahead", [0.0, 40.0, -7.0])
@pytest.mark.parametrize("hum", [(3.1, 3.6), LONG])
def test_a_message_that_says_when_it_was_spoken_is_believed(
    ahead: float, hum: tuple[float, float]
) -> None:
    """Whatever else there is, and whatever the agent's clock says."""
    for begun, status in ((1, "not_applicable"), (4.5, "absent")):
        for more in ((), ((9.5, *ANSWER),)):
            session = hummed(*more, hum=hum)
            told = [e for e in session.events if e.t_us != us(6.6)]
            one = bundle(events=[spoken(begun, 6.5, ahead)]).events[0]
            session = replace(session, events=(one, *told))
            assert first("interruptions", session) == status


def test_no_message_tells_of_what_comes_after_it() -> None:
    """An item is made when its speech has ended; a transcription may come when it begins."""
    streamed: dict[str, Json] = {"text": "Where to?", "final": True, "track_sid": "TR_agent"}
    shape: Sequence[tuple[Told, str]] = [
        ((3.05, *QUESTION), "absent"),
        ((1.2, "transcription", streamed), "not_applicable"),
    ]
    for told, status in shape:
        session = bundle(
            caller=[span(3.1, 3.6), span(8, 9)],
            agent=[span(1, 3), span(4.5, 6.5)],
            events=[told, (9.5, *ANSWER)],
        )
        assert measured("interruptions", session).samples[1].status == status


def test_the_words_of_a_speech_that_went_on_are_of_all_of_it() -> None:
    heard: list[Told] = [
        (3.0, "lkgate.spoken", {"start_us": us(1), "end_us": us(3), "role": "agent", "text": a})
        for a in ["Where would you"]
    ]
    heard += [
        (6.5, "lkgate.spoken", {"start_us": us(4.5), "end_us": us(6.5), "role": "agent", "text": b})
        for b in ["like to go today"]
    ]
    session = hummed((9.5, *ANSWER), *heard)
    # Seven words in four seconds.
    pace = measured("speaking_rate", session)
    assert [s.status for s in pace.samples] == ["not_applicable", "measured"]
    assert pace.value == pytest.approx(105)
    wrong = measured("spoken_word_error_rate", session)
    assert (wrong.value, [s.status for s in wrong.samples]) == (0, ["not_applicable", "measured"])


def test_what_was_spoken_over_counts_the_words_of_the_whole_speech() -> None:
    session = bundle(
        caller=[span(2, 2.8), span(8, 9)],
        agent=[span(1, 4), span(5.5, 6.5)],
        events=[(6.6, *QUESTION), (9.5, *ANSWER)],
    )
    found = measured("words_spoken_over", session).samples[0]
    assert found.value == pytest.approx(7 * 2 / 4)


PHRASE = labels("x", forbidden_phrases=["I guarantee"])
SAYS = labels("x", required=[Step("says", "good morning")])


@pytest.mark.parametrize("metric", ["task_completed", "eval_failed", "forbidden_phrases"])
def test_a_sound_is_no_forbidden_phrase_and_a_lost_message_may_be(metric: str) -> None:
    whole = hummed((9.5, *ANSWER))
    click = bundle(
        caller=[span(8, 9)],
        agent=[span(1, 3), span(11, 11.1)],
        events=[(3.1, *QUESTION), (9.5, *ANSWER)],
    )
    lost = bundle(
        caller=[span(8, 9)],
        agent=[span(1, 3), span(11, 12)],
        events=[(3.1, *QUESTION), (9.5, *ANSWER)],
    )
    for session, hole in ((whole, False), (click, False), (lost, True)):
        found = [s.status for s in measured(metric, session, PHRASE).samples]
        assert ("absent" in found, "measured" in found) == (hole, not hole or len(found) > 1)


@pytest.mark.parametrize("metric", ["task_completed", "eval_failed", "required_steps_missed"])
def test_what_is_due_may_be_in_a_message_that_was_lost(metric: str) -> None:
    said_all = bundle(agent=[span(1, 3)], events=[(3.1, *QUESTION)])
    lost = bundle(
        caller=[span(4, 5)],
        agent=[span(1, 3), span(6, 8)],
        events=[(3.1, *QUESTION), (5.5, *ANSWER)],
    )
    assert first(metric, said_all, SAYS) == "measured"
    assert first(metric, lost, SAYS) == "absent"
    # What is wrong without it is wrong with it.
    more = replace(SAYS, tools=(ExpectedTool("book", {}),))
    assert first("task_completed", lost, more) == "measured"


@pytest.mark.parametrize(
    "metric",
    [
        "end_of_turn_delay",
        "transcription_delay",
        "transcript_confidence",
        "low_confidence_share",
        "split_turns",
    ],
)
@pytest.mark.parametrize(
    ("caller", "agent", "status"),
    [
        ([span(4, 6)], [span(6.5, 8)], "absent"),
        ([span(4, 6.7)], [span(6.5, 8)], "absent"),
        # A cough; two; the agent was not listening; the caller is gone.
        ([span(4, 4.4)], [span(6.5, 8)], "not_applicable"),
        ([span(4, 4.4), span(5.2, 5.5)], [span(6.5, 8)], "not_applicable"),
        ([span(4, 6)], [span(3.2, 7)], "not_applicable"),
        ([span(4, 6.5)], [span(3.2, 6.2)], "not_applicable"),
        ([span(4, 6), span(58.5, 59.8)], [span(6.5, 8)], "not_applicable"),
    ],
)
def test_a_lost_message_of_the_caller_is_a_hole_and_a_cough_is_none(
    metric: str, caller: list[Span], agent: list[Span], status: str
) -> None:
    there = said("user", "Hello.", confidence=0.9, end_of_turn_delay=0.3, transcription_delay=0.1)
    events: list[Told] = [(2.2, *there)]
    if len(caller) == 2 and caller[1].start_us > us(50):
        events.append((6.2, *there))
    session = bundle(caller=[span(1, 2), *caller], agent=[span(2.5, 3), *agent], events=events)
    assert [s.status for s in measured(metric, session).samples][-1] == status
    words = measured("caller_words", session).samples[-1].status
    assert words == ("absent" if status == "absent" else "measured")


def test_a_question_that_was_lost_may_be_asked_again() -> None:
    question = said("assistant", "What is your full name?")
    events: list[Told] = [(2.1, *question), (3.6, *ANSWER), (4.0, *handoff("nurse"))]
    for more, status in (([(6.1, *said("assistant", "Come in."))], "measured"), ([], "absent")):
        session = bundle(
            caller=[span(3, 3.5), span(7, 8)],
            agent=[span(1, 2), span(5, 6)],
            events=[*events, *more, (8.1, *ANSWER)],
        )
        assert measured("handoff_context_lost", session).samples[-1].status == status


STATES = {
    "replied": [(5.2, "listening", "thinking"), (5.5, "thinking", "speaking")],
    "replied later": [(11.2, "listening", "thinking"), (11.5, "thinking", "speaking")],
    "went on": [(3.9, "speaking", "listening"), (5.2, "listening", "speaking")],
    "had a tool": [(3.9, "listening", "speaking"), (5.2, "speaking", "thinking")],
}


@pytest.mark.parametrize("coughs", [(), (span(5.3, 5.6),)])
@pytest.mark.parametrize("states", STATES)
def test_a_short_answer_that_the_agent_replied_to_was_words(
    states: str, coughs: tuple[Span, ...]
) -> None:
    session = bundle(
        caller=[span(1, 2), span(4, 4.6), *coughs],
        agent=[span(2.5, 3), span(5.5, 7)],
        events=[
            (2.2, *ANSWER),
            *(
                (t, "agent_state_changed", {"old_state": old, "new_state": new})
                for t, old, new in STATES[states]
            ),
        ],
    )
    lost = "absent" if states == "replied" else "not_applicable"
    for metric in ("end_of_turn_delay", "caller_corrections"):
        assert measured(metric, session).samples[1].status == lost


METRICS = ("end_of_turn_delay", "transcription_delay", "transcript_confidence", "split_turns")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("agent", "states", "status"),
    [
        (span(5.5, 7), STATES["replied"], "absent"),
        # The program stopped the reply; the agent spoke on; no state of the agent is known.
        (span(7.5, 8), STATES["replied later"], "not_applicable"),
        (span(3.2, 7), STATES["replied later"], "not_applicable"),
        (span(5.5, 7), [], "absent"),
    ],
)
def test_words_that_ended_no_turn_have_no_delay(
    metric: str, agent: Span, states: list[tuple[float, str, str]], status: str
) -> None:
    """The recogniser heard them, and LiveKit made no item of them."""
    first = said("user", "Hello.", confidence=0.9, end_of_turn_delay=0.3, transcription_delay=0.1)
    heard: dict[str, Json] = {"is_final": True, "transcript": "The second of May, please."}
    changed: list[Told] = [
        (t, "agent_state_changed", {"old_state": old, "new_state": new}) for t, old, new in states
    ]
    session = bundle(
        caller=[span(1, 2), span(4, 5.1)],
        agent=[span(2.5, 3), agent],
        events=[(2.2, *first), (5.15, "user_input_transcribed", heard), *changed],
    )
    assert measured(metric, session).samples[1].status == status
    assert measured("caller_words", session).value == 6


@pytest.mark.parametrize(
    ("old", "sounds", "llm", "cut"),
    [
        ("listening", [], "not_applicable", "measured"),
        ("thinking", [], "absent", "measured"),
        ("listening", [span(2.8, 3.4)], "not_applicable", "absent"),
    ],
)
def test_what_a_program_says_beside_the_conversation(
    old: str, sounds: list[Span], llm: str, cut: str
) -> None:
    """``say(..., add_to_chat_ctx=False)``: it is transcribed, and LiveKit makes no item of it."""
    streamed: dict[str, Json] = {"text": "Calls are kept.", "final": True, "track_sid": "TR_agent"}
    session = bundle(
        caller=[*sounds, span(5, 6)],
        agent=[span(1, 3), span(7, 8)],
        events=[
            (1, "agent_state_changed", {"old_state": old, "new_state": "speaking"}),
            (3.05, "transcription", streamed),
            (6.2, *ANSWER),
            (6.4, "agent_state_changed", {"old_state": "listening", "new_state": "thinking"}),
            (8.1, *QUESTION),
        ],
    )
    assert first("llm_ttft", session) == llm
    for metric in ("interruptions", "interrupted_share", "repeated_interruptions"):
        assert first(metric, session) == cut
    assert first("tts_ttfb", session) == "absent"


CANCEL = labels("x", tools=[ExpectedTool("cancel", {}, changes=True)])


@pytest.mark.parametrize(
    ("second", "events", "unconfirmed"),
    [
        ((4, 4.4), [], "absent"),
        ((4, 4.4), [(4.6, *said("user", "No, never."))], "measured"),
        # Too short for any word.
        ((4, 4.1), [], "measured"),
    ],
)
def test_a_no_that_was_lost_confirms_nothing(
    second: tuple[float, float], events: list[Told], unconfirmed: str
) -> None:
    session = bundle(
        caller=[span(1, 2), span(*second)],
        agent=[span(2.5, 3), span(6, 7)],
        events=[
            (2.2, *said("user", "Yes please.")),
            (3.1, *said("assistant", "All of them?")),
            *events,
            (5.0, *tool("cancel")),
            (7.1, *said("assistant", "Done.")),
        ],
    )
    for metric in ("tools_unconfirmed", "tools_after_unclear_intent"):
        assert first(metric, session, CANCEL) == unconfirmed


def test_two_coughs_are_no_speech() -> None:
    session = bundle(
        caller=[span(1, 2), span(4, 4.2), span(5.4, 5.6)],
        agent=[span(2.5, 3)],
        events=[(2.2, *ANSWER)],
    )
    for metric in ("caller_repeats", "caller_corrections"):
        found = [s.status for s in measured(metric, session).samples]
        assert found == ["measured", "not_applicable"]
