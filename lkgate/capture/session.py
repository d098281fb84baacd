"""``lk.agent.session`` messages as events, under AgentSession's own names.

Source: ``livekit.agents.voice.remote_session.SessionHost``, which sends them, and
``livekit.protocol.agent_pb.agent_session``, which defines them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from livekit.protocol.agent_pb import agent_session as pb

from lkgate.model.event import Json
from lkgate.model.message import MEASURED, UNMEASURED

_ADDRESS = re.compile(r"(?<=\w) at 0x[0-9A-Fa-f]{6,}(?=>)")

M = TypeVar("M", bound=Message)
Fields = dict[str, Json]


class SessionDecoder:
    """Turns the events of an agent's session into ``(kind, data)``.

    Args:
        started_at_unix_us: wall clock at session time 0, to place the host's own timestamps;
            ``None`` leaves them ``None``.
    """

    def __init__(self, started_at_unix_us: int | None):
        self._started_at_unix_us = started_at_unix_us
        self._decoders: dict[str, Callable[[pb.AgentSessionEvent], Fields]] = {
            "agent_state_changed": _agent_state,
            "user_state_changed": _user_state,
            "user_input_transcribed": _transcript,
            "conversation_item_added": self._conversation_item,
            "function_tools_executed": _tools_executed,
            "function_tools_started": lambda event: {
                "calls": [_call(call) for call in event.function_tools_started.function_calls]
            },
            "tool_execution_updated": _tool_execution,
            "session_usage_updated": _usage,
            "eot_prediction": _eot_prediction,
            "overlapping_speech": self._overlapping_speech,
            "agent_false_interruption": lambda event: {
                "resumed": event.agent_false_interruption.resumed
            },
            "error": lambda event: {"message": event.error.message},
            "amd_prediction": _amd_prediction,
            "debug_message": lambda event: {"payload": _plain(event.debug_message.payload)},
        }

    def decode(self, event: pb.AgentSessionEvent) -> tuple[str, Fields] | None:
        """The event's LiveKit name and fields; ``None`` if it is one that this version lacks."""
        kind = event.WhichOneof("event")
        if kind is None or kind not in self._decoders:
            return None
        data = self._decoders[kind](event)
        data["created_us"] = self._time_us(_set(event, "created_at", event.created_at))
        return kind, data

    def _time_us(self, stamp: Timestamp | None) -> int | None:
        if stamp is None or self._started_at_unix_us is None:
            return None
        return stamp.seconds * 1_000_000 + stamp.nanos // 1_000 - self._started_at_unix_us

    def _conversation_item(self, event: pb.AgentSessionEvent) -> Fields:
        item = event.conversation_item_added.item
        kind = item.WhichOneof("item")
        fields: Fields
        if kind == "message":
            fields = self._message(item.message)
        elif kind == "function_call":
            call = item.function_call
            fields = {"id": call.id, **_call(call)}
        elif kind == "function_call_output":
            result = item.function_call_output
            fields = {
                "id": result.id,
                "call_id": result.call_id,
                "name": result.name,
                "output": _told(result.output),
                "is_error": result.is_error,
            }
        elif kind == "agent_handoff":
            handoff = item.agent_handoff
            old = handoff.old_agent_id if handoff.HasField("old_agent_id") else None
            fields = {
                "id": handoff.id,
                "old_agent_id": old,
                "new_agent_id": handoff.new_agent_id,
            }
        elif kind == "agent_config_update":
            update = item.agent_config_update
            fields = {
                "id": update.id,
                "instructions": update.instructions if update.HasField("instructions") else None,
                "tools_added": list(update.tools_added),
                "tools_removed": list(update.tools_removed),
            }
        else:
            fields = {}
        return {"item": {"type": kind, **fields}}

    def _message(self, message: pb.ChatMessage) -> Fields:
        report = message.metrics
        metrics: Fields = {}
        for name in MEASURED:
            value = getattr(report, name) if report.HasField(name) else None
            metrics[name] = None if value == UNMEASURED.get(name) else value
        metrics["started_speaking_us"] = self._time_us(
            _set(report, "started_speaking_at", report.started_speaking_at)
        )
        metrics["stopped_speaking_us"] = self._time_us(
            _set(report, "stopped_speaking_at", report.stopped_speaking_at)
        )
        confidence = message.transcript_confidence
        return {
            "id": message.id,
            "role": pb.ChatRole.Name(message.role).lower(),
            "text": "\n".join(part.text for part in message.content),
            "interrupted": message.interrupted,
            "transcript_confidence": (
                confidence if message.HasField("transcript_confidence") else None
            ),
            "metrics": metrics,
        }

    def _overlapping_speech(self, event: pb.AgentSessionEvent) -> Fields:
        overlap = event.overlapping_speech
        return {
            "is_interruption": overlap.is_interruption,
            "detection_delay": overlap.detection_delay,
            "detected_us": self._time_us(_set(overlap, "detected_at", overlap.detected_at)),
            "overlap_started_us": self._time_us(
                _set(overlap, "overlap_started_at", overlap.overlap_started_at)
            ),
        }


def _agent_state(event: pb.AgentSessionEvent) -> Fields:
    change = event.agent_state_changed
    return {
        "old_state": pb.AgentState.Name(change.old_state).removeprefix("AS_").lower(),
        "new_state": pb.AgentState.Name(change.new_state).removeprefix("AS_").lower(),
    }


def _user_state(event: pb.AgentSessionEvent) -> Fields:
    change = event.user_state_changed
    return {
        "old_state": pb.UserState.Name(change.old_state).removeprefix("US_").lower(),
        "new_state": pb.UserState.Name(change.new_state).removeprefix("US_").lower(),
    }


def _transcript(event: pb.AgentSessionEvent) -> Fields:
    said = event.user_input_transcribed
    return {
        "transcript": said.transcript,
        "is_final": said.is_final,
        "language": said.language if said.HasField("language") else None,
    }


def _told(output: str) -> str:
    """What a tool returned, without the addresses of objects: they mean nothing elsewhere."""
    return _ADDRESS.sub("", output)


def _tools_executed(event: pb.AgentSessionEvent) -> Fields:
    done = event.function_tools_executed
    outputs = {output.call_id: output for output in done.function_call_outputs}
    calls: list[Json] = []
    for call in done.function_calls:
        # A tool that returned nothing has no output (FunctionToolsExecutedEvent.zipped).
        output = outputs.get(call.call_id)
        calls.append(
            {
                **_call(call),
                "output": None if output is None else _told(output.output),
                "is_error": None if output is None else output.is_error,
            }
        )
    return {"calls": calls}


def _tool_execution(event: pb.AgentSessionEvent) -> Fields:
    update = event.tool_execution_updated
    phase = update.WhichOneof("update")
    if phase == "started":
        return {"phase": "started", **_call(update.started.function_call)}
    if phase == "call_updated":
        call = update.call_updated
        return {"phase": "updated", "call_id": call.call_id, "message": call.message}
    if phase == "ended":
        ended = update.ended
        return {
            "phase": "ended",
            "call_id": ended.call_id,
            "status": pb.ToolCallStatus.Name(ended.status).removeprefix("TC_").lower(),
            "output": _told(ended.message) if ended.HasField("message") else None,
        }
    reply = update.reply_updated
    return {
        "phase": "reply",
        "update_ids": list(reply.update_ids),
        "status": pb.ToolReplyStatus.Name(reply.status).removeprefix("TR_").lower(),
        "speech_id": reply.speech_id,
    }


def _usage(event: pb.AgentSessionEvent) -> Fields:
    usage: list[Json] = []
    for entry in event.session_usage_updated.usage.model_usage:
        variant = entry.WhichOneof("usage")
        if variant is not None:
            usage.append({"type": variant, **_plain(getattr(entry, variant))})
    return {"usage": usage}


def _eot_prediction(event: pb.AgentSessionEvent) -> Fields:
    guess = event.eot_prediction
    return {
        # 32-bit on the wire: seven digits are what was sent.
        "probability": round(guess.probability, 7),
        "threshold": round(guess.threshold, 7),
        "inference_duration": _seconds(guess.inference_duration),
        "delay": _seconds(guess.delay),
    }


def _amd_prediction(event: pb.AgentSessionEvent) -> Fields:
    guess = event.amd_prediction
    return {
        "category": pb.AmdCategory.Name(guess.category).removeprefix("AMD_").lower(),
        "reason": guess.reason,
        "transcript": guess.transcript,
        "speech_duration": _seconds(guess.speech_duration),
        "delay": _seconds(guess.delay),
    }


def _call(call: pb.FunctionCall) -> Fields:
    return {
        "name": call.name,
        "call_id": call.call_id,
        "arguments": _arguments(call.arguments),
    }


def _arguments(text: str) -> Json:
    """Arguments as the JSON object they are, or as sent if they are none."""
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def _seconds(duration: Duration) -> float:
    return round(duration.seconds + duration.nanos / 1e9, 9)


def _set(message: Message, name: str, value: M) -> M | None:
    return value if message.HasField(name) else None


def _plain(message: Message) -> Fields:
    fields: Fields = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields
