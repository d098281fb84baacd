"""Each metric, once, on numbers that can be checked by hand."""

from __future__ import annotations

import pytest

from lkgate.measure.registry import METRICS
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.history import Before, History
from lkgate.model.label import Entity, ExpectedTool, Step
from lkgate.model.price import Price, PriceTable
from tests.measure.builders import (
    bundle,
    handoff,
    labels,
    said,
    span,
    started,
    tool,
    us,
    without,
    without_confidence,
)
from tests.measure.measuring import measured


def quality(received: int, lost: int, concealed: int, jitter: int, there: int) -> dict[str, Json]:
    return {
        "track": "caller",
        "interval_us": 5_000_000,
        "packets_received": received,
        "packets_lost": lost,
        "samples": 1_000,
        "concealed_samples": concealed,
        "jitter_us": jitter,
        "round_trip_us": there,
    }


def heard(words: str, language: str) -> tuple[str, dict[str, Json]]:
    return "user_input_transcribed", {"transcript": words, "is_final": True, "language": language}


def sound(
    kind: str, role: str, start: float, end: float, **found: Json
) -> tuple[float, str, dict[str, Json]]:
    where: dict[str, Json] = {"role": role, "start_us": us(start), "end_us": us(end)}
    return end, kind, {**where, **found}


LEVEL, RATED, SPOKEN = "lkgate.audio_level", "lkgate.speech_quality", "lkgate.spoken"
MADE = "lkgate.synthesis"
BOOK: Json = {"day": "tuesday", "n": 2}
TALK = bundle(
    agent=[span(1, 3), span(6, 8), span(12, 16)],
    caller=[span(4, 5), span(9, 11), span(13, 14)],
    events=[
        (0.1, "lkgate.job", {"phase": "requested", "agent_name": "clinic"}),
        (0.2, "participant_connected", {"identity": "caller-1"}),
        (0.4, "lkgate.job", {"phase": "assigned", "job_id": "j"}),
        (0.7, "participant_connected", {"identity": "agent-1"}),
        (0.8, "lkgate.job", {"phase": "joined", "identity": "agent-1"}),
        (3.1, *said("assistant", "Good day.", tts_node_ttfb=0.2)),
        (5.0, "lkgate.media_quality", quality(90, 10, 100, 5_000, 20_000)),
        (5.5, *heard("Book a room", "en-GB")),
        (
            5.6,
            *said(
                "user",
                "Book a room",
                confidence=0.9,
                end_of_turn_delay=0.6,
                transcription_delay=0.3,
            ),
        ),
        (5.7, "lkgate.model_answer", {"modality": "llm", "origin": "recorded"}),
        (8.1, *said("assistant", "Which day?", llm_node_ttft=0.25, tts_node_ttfb=0.15)),
        (8.5, "agent_false_interruption", {"resumed": False}),
        (10.0, "lkgate.media_quality", quality(100, 0, 0, 3_000, 30_000)),
        (11.7, *heard("on tuesday please", "de")),
        (
            11.8,
            *said(
                "user",
                "on tuesday please",
                confidence=0.4,
                end_of_turn_delay=0.8,
                transcription_delay=0.5,
            ),
        ),
        (11.81, "lkgate.model_answer", {"modality": "llm", "origin": "recorded"}),
        (11.82, "error", {"message": "the LLM was slow"}),
        (11.85, *started("book", BOOK, "1")),
        (11.9, *tool("book", BOOK, call_id="1")),
        (11.9, *started("mail", {}, "2")),
        (12.0, *tool("mail", {}, "no server", call_id="2", is_error=True)),
        (12.0, *handoff("nurse")),
        (16.1, *said("assistant", "It is booked.", llm_node_ttft=0.35, tts_node_ttfb=0.25)),
        (16.5, "session_usage_updated", {"usage": [{"type": "llm", "input_tokens": 1}]}),
        (
            17.0,
            "session_usage_updated",
            {
                "usage": [
                    {
                        "type": "llm",
                        "provider": "p",
                        "model": "m1",
                        "input_tokens": 70,
                        "input_cached_tokens": 20,
                        "output_tokens": 7,
                    },
                    {"type": "llm", "model": "m2", "input_tokens": 30, "output_tokens": 5},
                    {
                        "type": "tts",
                        "model": "v",
                        "output_tokens": 999,
                        "characters_count": 1_000,
                    },
                ]
            },
        ),
        (18.0, "lkgate.caller_hangup", {"reason": "everything was said"}),
        (0.9, MADE, {"took_us": us(0.5), "audio_us": us(2)}),
        (5.8, MADE, {"took_us": us(1.0), "audio_us": us(2)}),
        (11.9, MADE, {"took_us": us(0.5), "audio_us": us(4)}),
        sound(LEVEL, "agent", 1, 3, level_dbfs=-20.0, samples=2_000, clipped_samples=0),
        sound(LEVEL, "caller", 4, 5, level_dbfs=-30.0, samples=1_000, clipped_samples=60),
        sound(LEVEL, "caller", 9, 11, level_dbfs=-26.0, samples=2_000, clipped_samples=0),
        sound(RATED, "agent", 1, 3, overall=4.0, packet_loss=4.5),
        sound(RATED, "caller", 9, 11, overall=3.0, packet_loss=2.5),
        sound(SPOKEN, "agent", 1, 3, text="Good day"),
        sound(SPOKEN, "agent", 6, 8, text="which way"),
        sound(SPOKEN, "agent", 12, 16, text="It is, um, booked."),
        (19.0, "lkgate.job", {"phase": "ended", "status": "failed", "error": "it crashed"}),
    ],
    lasts=20,
)
TRUTH = labels(
    "book a room",
    "for tuesday",
    tools=[
        ExpectedTool("book", {"day": "tuesday"}, changes=True, after=("look_up",)),
        ("pay", {}),
    ],
    cohort={"language": "en"},
    entities=[Entity(0, "thing", "room"), Entity(1, "date", "for tuesday")],
    handoffs=["doctor"],
    required=[Step("says", "which day"), Step("tool", "pay")],
    forbidden_tools=["mail"],
    forbidden_phrases=["is booked"],
)
PAST = History(Before("yesterweek", 7 * 24 * 3600 * 1_000_000))
PRICES = PriceTable(
    "2026-11-20",
    "EUR",
    {
        "p/m1": Price(input_tokens=10.0, cached_input_tokens=5.0, output_tokens=100.0),
        "m2": Price(input_tokens=20.0, output_tokens=40.0),
        "v": Price(characters=3.0),
    },
)

EXPECTED: dict[str, tuple[float, int]] = {
    # 6 - 5 and 12 - 11; the third caller turn ended while the agent spoke
    "response_latency": (us(1), 2),
    "unanswered_turns": (0, 2),
    "time_to_first_audio": (us(0.8), 1),
    "call_answered": (1, 1),
    # from 0.2 to 0.7
    "agent_join_time": (us(0.5), 1),
    "dispatch_time": (us(0.3), 1),
    "job_start_time": (us(0.4), 1),
    "job_faults": (1, 1),
    # from 0.2 to 18
    "call_duration": (us(17.8), 1),
    "end_of_turn_delay": (us(0.6), 2),
    "endpointing_false_stops": (0, 3),
    "caller_cut_off": (0, 3),
    "split_turns": (0, 2),
    "missed_turns": (0, 1),
    "llm_ttft": (us(0.25), 2),
    "tts_ttfb": (us(0.2), 3),
    "interruptions": (0, 3),
    "interrupted_share": (0, 3),
    "repeated_interruptions": (0, 3),
    "false_interruptions": (1, 1),
    "false_interruptions_not_resumed": (1, 1),
    "barge_ins": (1, 3),
    "barge_in_yield": (us(3), 1),
    "barge_ins_ignored": (1, 1),
    # three words in four seconds, of which three came after the caller began
    "words_spoken_over": (2.25, 1),
    "agent_cut_ins": (0, 3),
    # 1 s of both in 11 s of any: 2 + 2 + 4 of the agent, 3 more of the caller
    "talk_over_ratio": (1 / 11, 1),
    "silence_gap": (us(1), 1),
    "caller_words": (6, 3),
    "agent_words": (7, 3),
    # "on" for "for", "please" too much: 2 of 5
    "word_error_rate": (2 / 5, 2),
    "substitution_rate": (1 / 5, 2),
    "deletion_rate": (0, 2),
    "insertion_rate": (1 / 5, 2),
    # Tuesday was heard; "for tuesday" was not
    "number_error_rate": (0, 1),
    "entity_error_rate": (1 / 2, 2),
    "transcript_confidence": (0.4, 2),
    "low_confidence_share": (1 / 2, 2),
    "transcription_delay": (us(0.3), 2),
    # en-GB is en, de is not
    "language_mismatches": (1, 2),
    "tool_calls": (2, 1),
    "tool_errors": (1, 2),
    "tool_retries": (0, 2),
    # 0.05 and 0.1
    "tool_latency": (us(0.1), 2),
    # pay is missing, mail is not to be called
    "tool_selection_errors": (2, 3),
    # which is mail in place of pay
    "tools_wrong": (1, 2),
    "tools_missing": (0, 2),
    "tools_extra": (0, 2),
    "tool_order_errors": (0, 1),
    "tool_argument_errors": (0, 1),
    # both after words that were heard with 40 %
    "tools_after_unclear_intent": (2, 2),
    # "on tuesday please" is no yes, and nothing was looked up
    "tools_unconfirmed": (1, 1),
    "tool_precondition_errors": (1, 1),
    "task_completed": (0, 1),
    # it was said, but pay was not called
    "required_steps_missed": (1, 2),
    "forbidden_tools": (1, 2),
    "forbidden_phrases": (1, 3),
    "hung_up_early": (1, 1),
    "handoffs": (1, 1),
    # none to the doctor, one to the nurse
    "handoff_errors": (2, 2),
    "handoff_context_lost": (0, 1),
    "escalated": (0, 1),
    "caller_repeats": (0, 2),
    "caller_corrections": (0, 2),
    # seven days before to the second
    "repeat_call": (1, 1),
    # the task was not completed
    "eval_failed": (1, 1),
    "llm_input_tokens": (100, 1),
    "llm_output_tokens": (12, 1),
    "llm_requests": (2, 2),
    "llm_models": (2, 1),
    # three messages, two tools, one handoff
    "trajectory_steps": (6, 3),
    "session_errors": (1, 1),
    # m1: 50 at 10, 20 at 5, 7 at 100; m2: 30 at 20, 5 at 40; v: 1000 at 3; all a million
    "call_cost": ((500 + 100 + 700 + 600 + 200 + 3_000) / 1e6, 1),
    "model_misses": (0, 1),
    "speech_misses": (0, 1),
    "call_completed": (1, 1),
    "caller_impatient": (0, 1),
    "speech_pause": (0, 3),
    # 2 s of computing for 8 s of speech
    "tts_real_time_factor": (0.25, 3),
    # 2 words in 2 s, twice, and 3 in 4 s
    "speaking_rate": (60, 3),
    "media_gaps": (0, 1),
    # 10 of 200 packets, 100 of 2000 samples, the worse of two
    "packet_loss": (0.05, 2),
    "concealed_audio": (0.05, 2),
    "jitter": (5_000, 2),
    "round_trip_time": (30_000, 2),
    # the lower of -30 and -26; 60 of 5000 samples
    "caller_level": (-30.0, 2),
    "agent_level": (-20.0, 1),
    "clipped_audio": (60 / 5_000, 3),
    "caller_speech_quality": (3.0, 1),
    "agent_speech_quality": (4.0, 1),
    "packet_loss_quality": (2.5, 2),
    # "way" for "day", and an "um": 2 of 7
    "spoken_word_error_rate": (2 / 7, 3),
}


def test_every_metric_has_an_example() -> None:
    assert set(EXPECTED) == set(METRICS)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_value(name: str) -> None:
    found = measured(name, TALK, TRUTH, PRICES, PAST)
    assert found.value == pytest.approx(EXPECTED[name][0])
    assert found.n == EXPECTED[name][1]
    assert (found.reason, found.missing) == (None, False)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_missing_evidence_is_no_value(name: str) -> None:
    """Each kind of evidence that a metric needs is taken away in turn."""
    lacking = {
        "caller_audio": bundle(caller=None, agent=[span(1, 2)], events=_events(TALK)),
        "agent_audio": bundle(agent=None, caller=[span(1, 2)], events=_events(TALK)),
        "session": bundle(caller=[span(1, 2)], agent=[span(3, 4)]),
        "caller_transcript": bundle(
            caller=[span(1, 2)], agent=[span(3, 4)], events=[_said("agent", 4.5)]
        ),
        "agent_transcript": bundle(
            caller=[span(1, 2)], agent=[span(3, 4)], events=[_said("caller", 2.5)]
        ),
        "arrival": bundle(caller=[span(1, 2)], agent=[span(3, 4)], absent={"arrival": "unknown"}),
        "media": bundle(caller=[span(1, 2)], agent=[span(3, 4)], absent={"media": "unknown"}),
        "replay": bundle(caller=[span(1, 2)], agent=[span(3, 4)], source="record"),
        "confidence": without_confidence(TALK),
        "language": without(TALK, "user_input_transcribed"),
        "media_quality": without(TALK, "lkgate.media_quality"),
        "job": without(TALK, "lkgate.job"),
        "levels": without(TALK, LEVEL),
        "speech_quality": without(TALK, RATED),
        "spoken": without(TALK, SPOKEN),
        "synthesis": without(TALK, MADE),
        "caller_history": TALK,
        "labels": TALK,
        "prices": TALK,
    }
    for evidence in METRICS[name].spec.evidence:
        truth = None if evidence == "labels" else TRUTH
        prices = None if evidence == "prices" else PRICES
        past = None if evidence == "caller_history" else PAST
        found = measured(name, lacking[evidence], truth, prices, past)
        assert (found.value, found.n, found.missing) == (None, 0, True), evidence
        assert found.reason


def _said(side: str, at: float) -> tuple[float, str, dict[str, Json]]:
    """Words without a session: a transcript that was imported."""
    return at, "transcription", {"identity": f"{side}-1", "final": True, "text": "hello"}


def _events(session: Bundle) -> list[tuple[float, str, dict[str, Json]]]:
    return [(e.t_us / 1e6, e.kind, dict(e.data)) for e in session.events]


def test_silent_agent_is_not_fast() -> None:
    session = bundle(caller=[span(1, 2), span(9, 10)], agent=[], lasts=30)
    assert measured("response_latency", session).value is None
    assert [s.status for s in measured("response_latency", session).samples] == ["absent", "absent"]
    assert measured("unanswered_turns", session).value == 2
    found = measured("time_to_first_audio", session)
    assert (found.value, found.reason) == (None, "the agent never made a sound")


def test_nobody_speaks() -> None:
    session = bundle()
    for name in ("response_latency", "unanswered_turns", "barge_in_yield"):
        found = measured(name, session)
        assert (found.value, found.reason) == (None, "nothing to measure in this call")
    for name in ("talk_over_ratio", "silence_gap"):
        assert measured(name, session).reason == "nobody spoke"


def test_who_waits_for_an_answer() -> None:
    def reasons(session: Bundle) -> list[str | None]:
        return [s.reason for s in measured("response_latency", session).samples]

    goodbye = bundle(agent=[span(1, 2)], caller=[span(3, 4)], lasts=5)
    assert reasons(goodbye) == ["the caller left"]
    assert reasons(bundle(caller=[span(3, 4)], lasts=15)) == ["the agent did not answer"]
    assert reasons(bundle(caller=[span(3, 3.2)], lasts=15)) == ["too short to be a word"]
    cut_in = bundle(caller=[span(1, 5)], agent=[span(4, 6)])
    assert reasons(cut_in) == ["the agent was speaking when the caller stopped"]
    noise = bundle(caller=[span(1, 5)], agent=[span(2, 3)], lasts=15)
    assert reasons(noise) == ["the agent spoke before the caller had stopped"]


def test_agent_that_spoke_in_a_pause_answers_at_its_next_word() -> None:
    session = bundle(caller=[span(1, 5)], agent=[span(2, 3), span(6, 7)])
    assert measured("response_latency", session).value == us(1)


def test_agent_cut_in() -> None:
    found = measured("agent_cut_ins", bundle(caller=[span(1, 5)], agent=[span(4, 6)]))
    assert found.value == 1
    assert found.samples[0].span == span(4, 5)
    assert found.samples[0].note == "1.0 s of the caller's words were still to come"


def test_livekit_sentinels_are_absent() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[
            (2.5, *said("user", "Hi", end_of_turn_delay=0.0, transcription_delay=0.3)),
            (4.1, *said("assistant", "Hello", llm_node_ttft=-1.0)),
        ],
    )
    assert measured("end_of_turn_delay", session).samples[0].status == "not_applicable"
    assert measured("llm_ttft", session).value is None
    bare = bundle(agent=[span(3, 4)], events=[(4.1, *said("assistant", "Hello"))])
    assert measured("llm_ttft", bare).samples[0].status == "absent"


def test_time_to_first_audio_begins_when_the_caller_is_there() -> None:
    early = bundle(
        agent=[span(1, 4)],
        caller=[],
        events=[(2.0, "participant_connected", {"identity": "caller-1"})],
    )
    assert measured("time_to_first_audio", early).value == 0
    later = bundle(
        agent=[span(1, 4), span(9, 10)],
        caller=[],
        events=[(5.0, "participant_connected", {"identity": "caller-1"})],
    )
    assert measured("time_to_first_audio", later).value == us(4)


def test_word_errors_lie_in_their_turn() -> None:
    session = bundle(
        caller=[span(1, 2), span(5, 6)],
        agent=[span(3, 4)],
        events=[(2.5, *said("user", "book")), (6.5, *said("user", "on thursday please"))],
    )
    found = measured("word_error_rate", session, labels("book it", "on tuesday please"))
    assert [(s.turn, s.value, s.note) for s in found.samples] == [
        (0, 0.5, "'it' not heard"),
        (2, 1 / 3, "'tuesday' heard as 'thursday'"),
    ]
    assert found.value == pytest.approx(2 / 5)


def test_unheard_caller_is_all_errors_and_no_reference_is_no_value() -> None:
    session = bundle(
        caller=[span(1, 2)], agent=[span(3, 4)], events=[(4.1, *said("assistant", "Hm?"))]
    )
    assert measured("word_error_rate", session, labels("one two")).value == 1.0
    found = measured("word_error_rate", session, labels(""))
    assert (found.value, found.reason) == (None, "the labels hold no words of the caller")


def test_tools_against_labels() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(5, 6)],
        events=[
            (3.0, *tool("pay", {"sum": 5}, call_id="1")),
            (4.0, *tool("book", {"day": "monday", "note": "free"}, call_id="2")),
        ],
    )
    truth = labels("x", tools=[("book", {"day": "tuesday"}), ("pay", {"sum": 5.0})])
    assert measured("tool_selection_errors", session, truth).value == 0
    assert measured("tool_order_errors", session, truth).value == 1
    found = measured("tool_argument_errors", session, truth)
    assert found.value == 1
    assert [s.note for s in found.samples if s.value] == ['book $.day: "tuesday" became "monday"']
    assert measured("task_completed", session, truth).value == 0
    right = labels("x", tools=[("pay", {}), ("book", {"day": "monday"})])
    assert measured("task_completed", session, right).value == 1


def test_no_tool_due_and_none_called_is_right() -> None:
    session = bundle(caller=[span(1, 2)], agent=[span(3, 4)], events=[(2.5, *said("user", "Hi"))])
    for name in ("tool_selection_errors", "tool_order_errors", "tool_argument_errors"):
        found = measured(name, session, labels("hi"))
        assert (found.value, found.n) == (0, 1)
    # But labels that want a tool are not content with none.
    found = measured("tool_selection_errors", session, labels("hi", tools=[("book", {})]))
    assert found.value == 1


def test_call_not_completed() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[
            (1.0, "lkgate.caller_utterance", {"index": 0, "phase": "start"}),
            (5.0, "lkgate.program_error", {"message": "KeyError: 'x'"}),
        ],
    )
    found = measured("call_completed", session)
    assert (found.value, found.samples[0].note) == (
        0,
        "KeyError: 'x'; the caller did not get to the end; utterance 0 was not said to its end",
    )


def test_misses_name_their_turn() -> None:
    miss: dict[str, Json] = {"modality": "llm", "difference": "a word"}
    speech: dict[str, Json] = {"modality": "tts"}
    session = bundle(
        agent=[span(1, 2)],
        caller=[span(3, 4)],
        events=[(4.5, "lkgate.model_miss", miss), (4.6, "lkgate.model_miss", speech)],
    )
    found = measured("model_misses", session)
    assert [(s.turn, s.note) for s in found.samples] == [(1, "llm: a word")]
    assert measured("speech_misses", session).samples[0].note == "tts: never recorded"


def test_a_number_that_is_none_is_missing() -> None:
    usage: Json = [{"type": "llm", "input_tokens": float("nan"), "output_tokens": 1}]
    session = bundle(events=[(1.0, "session_usage_updated", {"usage": usage})])
    found = measured("llm_input_tokens", session)
    assert (found.value, found.missing, found.reason) == (None, True, "the value is nan")
