"""A session as OpenTelemetry spans: OTLP's JSON, by the names that LiveKit's own traces have.

Spans are ``agent_session``, below it ``user_turn`` and ``agent_turn`` with ``user_speaking``,
``agent_speaking`` and ``function_tool``; attributes are LiveKit's ``lk.*`` and OpenTelemetry's
``gen_ai.*``. Times are those heard in the room, not those of the agent's process: LiveKit's
``llm_node`` and ``tts_node`` cannot be seen from there, and their latencies are attributes of the
turn. What people said stands, as LiveKit has it, in attributes with ``pii`` in their names, and in
``gen_ai.tool.call.arguments`` and ``gen_ai.tool.call.result``.

One session always gives the same trace: ids are made of the bundle's digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from lkgate import __version__
from lkgate.model.bundle import Bundle, Manifest, Span
from lkgate.model.event import Event, Json
from lkgate.model.turn import ToolCall, Turn

# Where no wall clock is known; the same moment as a replay has then.
UNKNOWN_START_US = 1_735_689_600_000_000
_INTERNAL = 1  # SPAN_KIND_INTERNAL
_ERROR = 2  # STATUS_CODE_ERROR
_STATES = ("agent_state_changed", "user_state_changed")


def render(bundle: Bundle, turns: Sequence[Turn]) -> dict[str, Json]:
    """An ``ExportTraceServiceRequest`` in OTLP's JSON encoding (OTLP 1.x, "JSON Protobuf").

    Args:
        turns: of the bundle.
    """
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(_resource(bundle.manifest))},
                "scopeSpans": [
                    {
                        "scope": {"name": "lkgate", "version": __version__},
                        "spans": list(_Trace(bundle).spans(turns)),
                    }
                ],
            }
        ]
    }


def _resource(manifest: Manifest) -> dict[str, Json]:
    build = manifest.build
    return {
        "service.name": build.name if build else "livekit-agent",
        "service.version": build.digest if build else None,
        "lk.pii.room_name": manifest.room,
        "lkgate.bundle.id": manifest.id,
        "lkgate.bundle.digest": manifest.digest,
        "lkgate.bundle.source": manifest.source,
        "lkgate.recording.digest": manifest.recording_digest,
    }


class _Trace:
    """The spans of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._digest = bundle.manifest.digest
        started = bundle.manifest.started_at_unix_us
        self._start_us = UNKNOWN_START_US if started is None else started

    def spans(self, turns: Sequence[Turn]) -> Iterator[Json]:
        manifest = self._bundle.manifest
        whole = Span(0, manifest.duration_us)
        attributes: dict[str, Json] = {
            "gen_ai.conversation.id": manifest.id,
            "lkgate.start_known": manifest.started_at_unix_us is not None,
        }
        states = [self._event(event) for event in self._bundle.of_kind(*_STATES)]
        yield self._span("agent_session", (), None, whole, attributes, states)
        for turn in turns:
            yield from self._turn(turn)

    def _turn(self, turn: Turn) -> Iterator[Json]:
        place = ("turn", str(turn.index))
        agent = turn.role == "agent"
        attributes = self._agent(turn) if agent else _caller(turn)
        attributes["lkgate.turn"] = turn.index
        name = "agent_turn" if agent else "user_turn"
        # A tool's end may be told of after the last word.
        ends = [turn.span.end_us, *(tool.ended_us or tool.t_us for tool in turn.tools)]
        starts = [turn.span.start_us, *(tool.t_us for tool in turn.tools)]
        span = Span(min(starts), max(ends))
        barged = [
            self._moment(one.onset_us, "lkgate.barge_in", {"lkgate.outcome": one.outcome})
            for one in turn.barge_ins
        ]
        yield self._span(name, place, (), span, attributes, barged)
        speaking = "agent_speaking" if agent else "user_speaking"
        for number, stretch in enumerate(turn.spans):
            yield self._span(speaking, (*place, "speech", str(number)), place, stretch, {})
        for number, tool in enumerate(turn.tools):
            yield self._tool(tool, (*place, "tool", str(number)), place)

    def _agent(self, turn: Turn) -> dict[str, Json]:
        attributes: dict[str, Json] = {
            "gen_ai.operation.name": "invoke_agent",
            "lk.pii.response.text": turn.text,
            "lk.interrupted": turn.interrupted,
        }
        llm = self._bundle.manifest.session.get("llm")
        if isinstance(llm, dict):
            attributes["gen_ai.provider.name"] = llm.get("provider")
            attributes["gen_ai.request.model"] = llm.get("model")
        for message in turn.messages[:1]:
            attributes["lk.response.ttft"] = _seconds(message.llm_ttft_us)
            attributes["lk.response.ttfb"] = _seconds(message.tts_ttfb_us)
        return attributes

    def _tool(self, tool: ToolCall, place: tuple[str, ...], parent: tuple[str, ...]) -> Json:
        given, gave = _text(tool.arguments), _text(tool.output)
        attributes: dict[str, Json] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.name": tool.name,
            "gen_ai.tool.call.id": tool.call_id,
            "gen_ai.tool.call.arguments": given,
            "gen_ai.tool.call.result": gave,
            "lk.function_tool.name": tool.name,
            "lk.function_tool.id": tool.call_id,
            "lk.function_tool.is_error": tool.is_error,
            "lk.pii.function_tool.arguments": given,
            "lk.pii.function_tool.output": gave,
        }
        span = Span(tool.t_us, tool.t_us if tool.ended_us is None else tool.ended_us)
        return self._span("function_tool", place, parent, span, attributes, error=tool.is_error)

    def _span(
        self,
        name: str,
        place: tuple[str, ...],
        parent: tuple[str, ...] | None,
        span: Span,
        attributes: Mapping[str, Json],
        events: Sequence[Json] = (),
        *,
        error: bool = False,
    ) -> Json:
        made: dict[str, Json] = {
            "traceId": self._digest[:32],
            "spanId": self._id(place),
            "name": name,
            "kind": _INTERNAL,
            "startTimeUnixNano": self._nanoseconds(span.start_us),
            "endTimeUnixNano": self._nanoseconds(max(span.start_us, span.end_us)),
            "attributes": _attributes(attributes),
        }
        if parent is not None:
            made["parentSpanId"] = self._id(parent)
        if events:
            made["events"] = list(events)
        if error:
            made["status"] = {"code": _ERROR}
        return made

    def _event(self, event: Event) -> Json:
        states: dict[str, Json] = {
            "lk.old_state": event.data.get("old_state"),
            "lk.new_state": event.data.get("new_state"),
        }
        return self._moment(event.t_us, event.kind, states)

    def _moment(self, t_us: int, name: str, attributes: Mapping[str, Json]) -> Json:
        return {
            "timeUnixNano": self._nanoseconds(t_us),
            "name": name,
            "attributes": _attributes(attributes),
        }

    def _id(self, place: tuple[str, ...]) -> str:
        return hashlib.sha256("/".join((self._digest, *place)).encode()).hexdigest()[:16]

    def _nanoseconds(self, t_us: int) -> str:
        """64-bit integers are texts in the JSON of protocol buffers."""
        return str((self._start_us + t_us) * 1000)


def _caller(turn: Turn) -> dict[str, Json]:
    attributes: dict[str, Json] = {"lk.pii.user_transcript": turn.text}
    # Of the last one: with it the turn ended.
    for message in turn.messages[-1:]:
        attributes["lk.transcription_delay"] = _seconds(message.transcription_delay_us)
        attributes["lk.end_of_turn_delay"] = _seconds(message.end_of_turn_delay_us)
        attributes["lk.transcript_confidence"] = message.confidence
    return attributes


def _seconds(duration_us: int | None) -> float | None:
    """LiveKit's unit."""
    return None if duration_us is None else duration_us / 1_000_000


def _text(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _attributes(values: Mapping[str, Json]) -> Json:
    """Those that are known, as OTLP's ``KeyValue``."""
    return [
        {"key": key, "value": _any(value)} for key, value in values.items() if value is not None
    ]


def _any(value: Json) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    text = _text(value) or ""
    # A lone surrogate is no Unicode, and no protocol buffer can hold it.
    return {"stringValue": text.encode("utf-8", "replace").decode()}
