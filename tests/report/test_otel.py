"""Spans of a recorded call, read by OpenTelemetry's own protocol buffers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lkgate.bundle import read
from lkgate.cli.export import command
from lkgate.measure import turns_of
from lkgate.report.otel import render

BOOK = Path(__file__).parents[2] / "recordings" / "book"


def parsed(traces: bytes) -> ExportTraceServiceRequest:
    """As a receiver does it: unknown fields refused, ids from hex (OTLP's one deviation)."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, dict):
            return {
                key: base64.b64encode(bytes.fromhex(one)).decode()
                if key in ("traceId", "spanId", "parentSpanId")
                else plain(one)
                for key, one in value.items()
            }
        return value

    return json_format.ParseDict(plain(json.loads(traces)), ExportTraceServiceRequest())


def attributes(span: Span) -> dict[str, Any]:
    return {
        one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes
    }


def spans(traces: bytes) -> list[Span]:
    (resource,) = parsed(traces).resource_spans
    (scope,) = resource.scope_spans
    assert scope.scope.name == "lkgate"
    return list(scope.spans)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("otel") / "book.json"
    done = CliRunner().invoke(command, [str(BOOK), "--otlp", str(out)])
    assert done.exit_code == 0, done.output
    return out.read_bytes()


def test_a_call_is_one_trace(exported: bytes) -> None:
    made = spans(exported)
    bundle = read(BOOK)
    turns = turns_of(bundle)
    root, *others = made
    assert (root.name, root.parent_span_id) == ("agent_session", b"")
    assert {one.trace_id for one in made} == {bytes.fromhex(bundle.manifest.digest[:32])}
    ids = [one.span_id for one in made]
    assert len(set(ids)) == len(ids)
    by_id = {one.span_id: one for one in made}
    for one in others:
        parent = by_id[one.parent_span_id]
        assert parent.start_time_unix_nano <= one.start_time_unix_nano
        assert one.start_time_unix_nano <= one.end_time_unix_nano <= parent.end_time_unix_nano
    started = bundle.manifest.started_at_unix_us
    assert started is not None and root.start_time_unix_nano == started * 1000
    names = [one.name for one in made]
    assert names.count("agent_turn") == len([turn for turn in turns if turn.role == "agent"])
    assert names.count("user_turn") == len([turn for turn in turns if turn.role == "caller"])
    assert names.count("function_tool") == 1
    assert root.events[0].name == "agent_state_changed"


def test_names_are_livekits_and_gen_ais(exported: bytes) -> None:
    from livekit.agents.telemetry import trace_types

    known = {value for name, value in vars(trace_types).items() if name.startswith("ATTR_")}
    for one in spans(exported):
        for name in attributes(one):
            assert name in known or name.startswith("lkgate."), name
    (tool,) = (one for one in spans(exported) if one.name == "function_tool")
    told = attributes(tool)
    assert told["gen_ai.operation.name"] == "execute_tool"
    assert told["gen_ai.tool.name"] == "book_appointment"
    assert json.loads(told["gen_ai.tool.call.arguments"])["time"] == "14:30"
    (greeting, *_) = (one for one in spans(exported) if one.name == "agent_turn")
    told = attributes(greeting)
    assert told["gen_ai.request.model"] == "intent-tfidf-1"
    assert told["lk.response.ttfb"] == pytest.approx(1.398799, abs=1e-5)
    assert told["lk.pii.response.text"].startswith("Hello, this is Harbour Street Clinic.")


def test_one_session_is_the_same_trace_again(exported: bytes) -> None:
    bundle = read(BOOK)
    assert json.loads(exported) == render(bundle, turns_of(bundle))
