"""The call as a whole, its models and its media: what the one example does not show."""

from __future__ import annotations

import pytest

from lkgate.measure.brief import brief
from lkgate.model.event import Json
from lkgate.model.price import Price, PriceTable
from tests.measure.builders import bundle, handoff, labels, said, span, tool, us
from tests.measure.measuring import measured


def test_silent_agent_did_not_answer() -> None:
    silent = bundle(caller=[span(1, 2)], agent=[], lasts=30)
    found = measured("call_answered", silent)
    assert (found.value, found.samples[0].note) == (0, "the agent never made a sound")
    assert measured("unanswered_turns", silent).value == 1
    assert measured("response_latency", silent).value is None


def test_agent_that_nobody_saw_come() -> None:
    session = bundle(caller=[span(1, 2)], agent=[span(3, 4)])
    assert measured("agent_join_time", session).samples[0].reason == "nobody saw the agent come"
    there = bundle(
        caller=[],
        agent=[],
        events=[
            (1.0, "participant_connected", {"identity": "agent-1"}),
            (2.0, "participant_connected", {"identity": "caller-1"}),
        ],
    )
    assert measured("agent_join_time", there).value == 0


def test_job_that_never_began() -> None:
    asked = bundle(events=[(1.0, "lkgate.job", {"phase": "requested"})])
    assert measured("dispatch_time", asked).samples[0].reason == "no worker took the job"
    assert measured("job_start_time", asked).samples[0].status == "not_applicable"
    assert measured("job_faults", asked).value == 0
    fault: dict[str, Json] = {"phase": "fault", "fault": "no_worker", "what": "no worker is there"}
    late = bundle(events=[(1.0, "lkgate.job", {"phase": "requested"}), (9.0, "lkgate.job", fault)])
    found = measured("job_faults", late)
    assert (found.value, found.samples[0].note) == (1, "no worker is there")


def test_escalations_go_by_name() -> None:
    for event in (tool("escalate_to_human"), handoff("operator")):
        assert measured("escalated", bundle(events=[(1.0, *event)])).value == 1
    assert measured("escalated", bundle(events=[(1.0, *tool("book"))])).value == 0


def test_caller_who_leaves_before_the_goal() -> None:
    truth = labels("x", tools=[("book", {})])
    hangup = ("participant_disconnected", {"identity": "caller-1"})
    session = bundle(events=[(1.0, *said("user", "Oh.")), (5.0, *hangup)])
    found = measured("hung_up_early", session, truth)
    assert (found.value, found.samples[0].note) == (1, "the caller left: book was not called")
    agent: dict[str, Json] = {"identity": "agent-1"}
    left = bundle(
        events=[
            (1.0, *said("user", "Oh.")),
            (4.0, "participant_disconnected", agent),
            (5.0, *hangup),
        ]
    )
    assert measured("hung_up_early", left, truth).value == 0


def test_caller_repeats_and_corrects() -> None:
    lines = (
        "I would like to book a room",
        "A room I would like to book",
        "Would like to book a room",
        "No, I said a room",
        "No thank you, that is all",
        "Actually, make it two",
        "Yes",
        "Yes",
    )
    session = bundle(
        caller=[span(3 * n + 1, 3 * n + 2) for n in range(len(lines))],
        agent=[span(3 * n + 2.4, 3 * n + 2.8) for n in range(len(lines))],
        events=[(3 * n + 2.2, *said("user", words)) for n, words in enumerate(lines)],
    )
    repeats = [s.value for s in measured("caller_repeats", session).samples]
    # other order is other words; one word is too little to be a repetition
    assert repeats == [0, 0, 1, 0, 0, 0, 0, 0]
    corrects = [s.value for s in measured("caller_corrections", session).samples]
    assert corrects == [0, 0, 0, 1, 0, 1, 0, 0]


def test_a_note_is_a_sentence_and_no_book() -> None:
    assert brief("x" * 4_000) == "x" * 4_000
    assert brief("x" * 5_000) == "x" * 4_000 + "\u2026 [1,000 more characters]"
    words = "I want it back. " * 1_000
    heard = bundle(
        caller=[span(1, 2), span(5, 6)],
        agent=[span(3, 4), span(7, 8)],
        events=[(2.5, *said("user", words)), (6.5, *said("user", words))],
    )
    again = measured("caller_repeats", heard).samples[1]
    assert again.value == 1
    assert (again.note or "").endswith("\u2026 [12,008 more characters]")


def test_what_the_caller_said_and_nobody_understood_is_no_clean_turn() -> None:
    session = bundle(
        caller=[span(1, 1.4), span(4, 6), span(9, 10)],
        agent=[span(2.4, 2.8), span(7, 8), span(11, 12)],
        events=[(10.5, *said("user", "Two rooms please"))],
    )
    for metric in ("caller_repeats", "caller_corrections"):
        found = measured(metric, session)
        told = [one.status for one in found.samples]
        assert told == ["not_applicable", "absent", "measured"]


def usage(*models: dict[str, Json]) -> tuple[float, str, dict[str, Json]]:
    return 5.0, "session_usage_updated", {"usage": list(models)}


LLM: dict[str, Json] = {"type": "llm", "model": "m", "input_tokens": 1_000_000, "output_tokens": 1}
STT: dict[str, Json] = {"type": "stt", "model": "s", "audio_duration": 90.0, "input_tokens": 0}


@pytest.mark.parametrize(
    ("models", "prices", "cost"),
    [
        ((LLM,), {"m": Price(input_tokens=2.0, output_tokens=0.0)}, 2.0),
        ((STT,), {"s": Price(audio_minutes=0.01)}, 0.015),
        ((), {}, 0.0),
        # No price of the output, of the model at all, of what this one is sold by.
        ((LLM,), {"m": Price(input_tokens=2.0)}, None),
        ((LLM, STT), {"m": Price(input_tokens=2.0, output_tokens=1.0)}, None),
        ((STT,), {"s": Price(characters=3.0)}, None),
    ],
)
def test_cost(models: tuple[dict[str, Json], ...], prices: dict[str, Price], cost: float) -> None:
    table = PriceTable("2026-11-20", "EUR", prices)
    found = measured("call_cost", bundle(events=[usage(*models)]), prices=table)
    assert found.value == (None if cost is None else pytest.approx(cost))
    if cost is None:
        assert found.samples[0].status == "absent"
        assert "2026-11-20" in (found.reason or "")
    else:
        assert found.samples[0].note == f"{cost:.4g} EUR, by the prices of 2026-11-20"


def test_no_usage_is_no_cost_and_no_model() -> None:
    session = bundle(events=[(1.0, *said("user", "x"))])
    table = PriceTable("2026-11-20", "EUR", {})
    for name in ("call_cost", "llm_models", "llm_input_tokens"):
        found = measured(name, session, prices=table)
        assert (found.value, found.samples[0].status) == (None, "absent"), name


def test_statistics_that_the_receiver_did_not_give() -> None:
    silent: dict[str, Json] = {"track": "caller", "interval_us": us(5), "packets_lost": None}
    session = bundle(events=[(6.0, "lkgate.media_quality", silent)])
    for name in ("packet_loss", "concealed_audio", "jitter", "round_trip_time"):
        found = measured(name, session)
        assert found.samples[0].reason == "the receiver gave no statistics"
        assert found.samples[0].span == span(1, 6)
    idle: dict[str, Json] = {"packets_lost": 0, "packets_received": 0}
    found = measured("packet_loss", bundle(events=[(6.0, "lkgate.media_quality", idle)]))
    assert (found.value, found.samples[0].status) == (None, "not_applicable")


def test_packets_that_came_late_are_no_loss_below_zero() -> None:
    session = bundle(
        events=[
            (5.0, "lkgate.media_quality", {"packets_lost": 2, "packets_received": 98}),
            (9.0, "lkgate.media_quality", {"packets_lost": -2, "packets_received": 102}),
        ]
    )
    assert measured("packet_loss", session).value == 2 / 200


def test_languages() -> None:
    heard: dict[str, Json] = {"is_final": True, "language": "EN_us"}
    session = bundle(events=[(1.0, "user_input_transcribed", heard)])
    assert (
        measured("language_mismatches", session, labels("x", cohort={"language": "en"})).value == 0
    )
    found = measured("language_mismatches", session, labels("x"))
    assert found.samples[0].reason == "the labels' cohort names no language"
