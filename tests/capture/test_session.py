from __future__ import annotations

import pytest
from livekit.protocol.agent_pb import agent_session as pb

from lkgate.capture.session import SessionDecoder
from lkgate.model.event import Json

STARTED_UNIX_US = 1_700_000_000_000_000


def decode(event: pb.AgentSessionEvent) -> tuple[str, dict[str, Json]]:
    # As on the wire.
    parsed = pb.AgentSessionEvent.FromString(event.SerializeToString())
    decoded = SessionDecoder(STARTED_UNIX_US).decode(parsed)
    assert decoded is not None
    return decoded


def stamped(**fields: object) -> pb.AgentSessionEvent:
    event = pb.AgentSessionEvent(**fields)  # type: ignore[arg-type]
    event.created_at.FromNanoseconds((STARTED_UNIX_US + 2_500_000) * 1_000)
    return event


EVENTS = [field.name for field in pb.AgentSessionEvent.DESCRIPTOR.oneofs_by_name["event"].fields]


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_of_the_installed_protocol_is_decoded(kind: str) -> None:
    event = pb.AgentSessionEvent()
    getattr(event, kind).SetInParent()
    assert decode(event)[0] == kind


def test_an_event_of_a_newer_protocol_is_not_taken_for_another() -> None:
    assert SessionDecoder(None).decode(pb.AgentSessionEvent()) is None


def test_states_are_livekits_strings_and_times_the_sessions() -> None:
    change = pb.AgentSessionEvent.AgentStateChanged(
        old_state=pb.AS_LISTENING, new_state=pb.AS_SPEAKING
    )
    assert decode(stamped(agent_state_changed=change)) == (
        "agent_state_changed",
        {"old_state": "listening", "new_state": "speaking", "created_us": 2_500_000},
    )
    user = pb.AgentSessionEvent.UserStateChanged(old_state=pb.US_SPEAKING, new_state=pb.US_AWAY)
    assert decode(stamped(user_state_changed=user))[1]["new_state"] == "away"


def test_without_a_wall_clock_the_hosts_times_are_absent() -> None:
    event = stamped(error=pb.AgentSessionEvent.Error(message="boom"))
    assert SessionDecoder(None).decode(event) == ("error", {"message": "boom", "created_us": None})


def test_message_metrics_are_seconds_and_livekits_marks_for_absent_are_null() -> None:
    message = pb.ChatMessage(
        id="item_1",
        role=pb.ASSISTANT,
        content=[pb.ChatMessage.ChatContent(text="a"), pb.ChatMessage.ChatContent(text="b")],
        interrupted=True,
        metrics=pb.MetricsReport(llm_node_ttft=-1, tts_node_ttfb=0.25, end_of_turn_delay=0),
    )
    message.metrics.started_speaking_at.FromNanoseconds((STARTED_UNIX_US + 7) * 1_000)
    item = pb.ChatContext.ChatItem(message=message)
    added = pb.AgentSessionEvent.ConversationItemAdded(item=item)
    assert decode(stamped(conversation_item_added=added)) == (
        "conversation_item_added",
        {
            "item": {
                "type": "message",
                "id": "item_1",
                "role": "assistant",
                "text": "a\nb",
                "interrupted": True,
                "transcript_confidence": None,
                "metrics": {
                    "transcription_delay": None,
                    "end_of_turn_delay": None,
                    "on_user_turn_completed_delay": None,
                    "llm_node_ttft": None,
                    "llm_node_tps": None,
                    "llm_node_ttfs": None,
                    "tts_node_ttfb": 0.25,
                    "e2e_latency": None,
                    "started_speaking_us": 7,
                    "stopped_speaking_us": None,
                },
            },
            "created_us": 2_500_000,
        },
    )


def test_handoff() -> None:
    handoff = pb.AgentHandoff(id="h", new_agent_id="triage")
    added = pb.AgentSessionEvent.ConversationItemAdded(
        item=pb.ChatContext.ChatItem(agent_handoff=handoff)
    )
    _, data = decode(stamped(conversation_item_added=added))
    assert data["item"] == {
        "type": "agent_handoff",
        "id": "h",
        "old_agent_id": None,
        "new_agent_id": "triage",
    }


def test_tools_are_matched_by_call_id_not_by_place() -> None:
    executed = pb.AgentSessionEvent.FunctionToolsExecuted(
        function_calls=[
            pb.FunctionCall(name="book", call_id="1", arguments='{"day": 2}'),
            pb.FunctionCall(name="note", call_id="2", arguments="not json"),
            pb.FunctionCall(name="quiet", call_id="3", arguments="[1]"),
        ],
        function_call_outputs=[
            pb.FunctionCallOutput(call_id="2", output="no", is_error=True),
            pb.FunctionCallOutput(call_id="1", output="ok"),
        ],
    )
    _, data = decode(stamped(function_tools_executed=executed))
    assert data["calls"] == [
        {
            "name": "book",
            "call_id": "1",
            "arguments": {"day": 2},
            "output": "ok",
            "is_error": False,
        },
        {
            "name": "note",
            "call_id": "2",
            "arguments": "not json",
            "output": "no",
            "is_error": True,
        },
        {
            "name": "quiet",
            "call_id": "3",
            "arguments": "[1]",
            "output": None,
            "is_error": None,
        },
    ]


def test_tool_execution_phases() -> None:
    update = pb.AgentSessionEvent.ToolExecutionUpdated
    call = pb.FunctionCall(name="book", call_id="1", arguments="{}")
    started = update(started=update.Started(function_call=call))
    ended = update(ended=update.Ended(call_id="1", status=pb.TC_DONE, message="ok"))
    assert decode(stamped(tool_execution_updated=started))[1] == {
        "phase": "started",
        "name": "book",
        "call_id": "1",
        "arguments": {},
        "created_us": 2_500_000,
    }
    assert decode(stamped(tool_execution_updated=ended))[1] == {
        "phase": "ended",
        "call_id": "1",
        "status": "done",
        "output": "ok",
        "created_us": 2_500_000,
    }


def test_usage_names_the_model_and_keeps_zeros() -> None:
    usage = pb.AgentSessionUsage(
        model_usage=[pb.ModelUsage(stt=pb.STTModelUsage(provider="p", model="m"))]
    )
    updated = pb.AgentSessionEvent.SessionUsageUpdated(usage=usage)
    assert decode(stamped(session_usage_updated=updated))[1]["usage"] == [
        {
            "type": "stt",
            "provider": "p",
            "model": "m",
            "input_tokens": 0,
            "output_tokens": 0,
            "audio_duration": 0.0,
        }
    ]


def test_eot_prediction_has_no_noise_of_32_bit_floats() -> None:
    guess = pb.AgentSessionEvent.EotPrediction(probability=0.1, threshold=0.35)
    guess.delay.FromMilliseconds(1500)
    assert decode(stamped(eot_prediction=guess))[1] == {
        "probability": 0.1,
        "threshold": 0.35,
        "inference_duration": 0.0,
        "delay": 1.5,
        "created_us": 2_500_000,
    }
