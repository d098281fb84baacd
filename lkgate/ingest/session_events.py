"""A report's events in the words that a recording of the room has for them.

The fields are those of ``lkgate.capture.session``, which reads the same events from the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Protocol

from lkgate.bundle.fields import Fields
from lkgate.model.event import Json
from lkgate.model.message import MEASURED, UNMEASURED

Data = dict[str, Json]

_PHASES = {
    "tool_call_started": "started",
    "tool_call_updated": "updated",
    "tool_call_ended": "ended",
    "tool_reply_updated": "reply",
}
_ADDRESS = re.compile(r"(?<=\w) at 0x[0-9A-Fa-f]{6,}(?=>)")


class _Clock(Protocol):
    def __call__(self, unix_seconds: float | None) -> int | None: ...


def translate(kind: str, raw: Mapping[str, Json], *, started_at_unix_us: int, where: str) -> Data:
    """The data of an event of a bundle.

    Args:
        kind: LiveKit's name of the event; one that is not known here keeps its fields.
        raw: the event's own fields.
        started_at_unix_us: session time 0.
        where: the report, for errors.

    Raises:
        BundleError: if a part that the event is about is missing, or is not what LiveKit writes.
    """
    fields = Fields(dict(raw), where=where, path=kind)

    def session_us(unix_seconds: float | None) -> int | None:
        return None if unix_seconds is None else round(unix_seconds * 1e6) - started_at_unix_us

    if kind == "user_input_transcribed":
        return fields.picked("transcript", "is_final", "language")
    if kind == "conversation_item_added":
        return {"item": _item(fields.fields("item"), session_us)}
    if kind == "function_tools_executed":
        return _tools(fields)
    if kind == "tool_execution_updated":
        return _execution(fields.fields("update"))
    if kind == "session_usage_updated":
        return {"usage": fields.fields("usage").value("model_usage")}
    if kind == "overlapping_speech":
        return {
            **fields.picked("is_interruption", "detection_delay"),
            "detected_us": session_us(fields.number_or_none("detected_at")),
            "overlap_started_us": session_us(fields.number_or_none("overlap_started_at")),
        }
    return fields.all()


def _item(fields: Fields, session_us: _Clock) -> Data:
    kind = fields.text("type")
    item: Data = {"type": kind, "id": fields.text("id")}
    if kind == "message":
        return {**item, **_message(fields, session_us)}
    if kind == "agent_handoff":
        return {**item, **fields.picked("old_agent_id", "new_agent_id")}
    if kind == "agent_config_update":
        return {**item, **fields.picked("instructions", "tools_added", "tools_removed")}
    return {name: value for name, value in fields.all().items() if name != "created_at"}


def _message(fields: Fields, session_us: _Clock) -> Data:
    metrics: Data = {}
    if fields.has("metrics"):
        told = fields.fields("metrics")
        for name in (*MEASURED, "playback_latency"):
            value = told.number_or_none(name)
            metrics[name] = None if value == UNMEASURED.get(name) else value
        for edge in ("started", "stopped"):
            at = session_us(told.number_or_none(f"{edge}_speaking_at"))
            metrics[f"{edge}_speaking_us"] = at
    # Images and audio in a message are objects.
    texts = [part for part in fields.items("content") if isinstance(part, str)]
    return {
        "role": fields.text("role"),
        "text": "\n".join(texts),
        **fields.picked("interrupted", "transcript_confidence"),
        "metrics": metrics,
    }


def _tools(fields: Fields) -> Data:
    outputs = {output.text("call_id"): output for output in fields.each("function_call_outputs")}
    calls: list[Json] = []
    for call in fields.each("function_calls"):
        output = outputs.get(call.text("call_id"))
        calls.append(
            {
                **_call(call),
                "output": None if output is None else _told(output.value("output")),
                "is_error": None if output is None else output.value("is_error"),
            }
        )
    return {"calls": calls}


def _execution(fields: Fields) -> Data:
    kind = fields.text("type")
    phase = _PHASES.get(kind, kind)
    if phase == "started":
        return {"phase": phase, **_call(fields.fields("function_call"))}
    if phase == "updated":
        return {"phase": phase, **fields.picked("call_id", "message")}
    if phase == "ended":
        output = _told(fields.value("message"))
        return {"phase": phase, **fields.picked("call_id", "status"), "output": output}
    return {"phase": phase, **fields.picked("update_ids", "status", "speech_id")}


def _call(fields: Fields) -> Data:
    arguments = fields.value("arguments")
    if isinstance(arguments, str):
        try:
            parsed: Json = json.loads(arguments)
        except ValueError:
            parsed = None
        # As sent if they are no object.
        arguments = parsed if isinstance(parsed, dict) else arguments
    return {**fields.picked("name", "call_id"), "arguments": arguments}


def _told(output: Json) -> Json:
    """What a tool returned, without the addresses of objects: they mean nothing elsewhere."""
    return _ADDRESS.sub("", output) if isinstance(output, str) else output
