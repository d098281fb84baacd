"""LiveKit's OpenAI plugin as a judge, against a server on loopback that answers as OpenAI does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lkgate.judge.store import Store
from tests.judge.asking import POLITE, RUDE, asked, entry

_ASKED: list[dict[str, Any]] = []


class _Openai(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _ASKED.append(request)
        bad = "Not my problem" in request["messages"][-1]["content"]
        said = {"verdict": "fail" if bad else "pass", "reasoning": "read it"}
        function = {"name": "submit_verdict", "arguments": json.dumps(said)}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        head = {"id": "c-1", "object": "chat.completion.chunk", "created": 0, "model": "judge-1"}
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        delta = {"role": "assistant", "content": None, "tool_calls": [call]}
        for choices, used in (
            ([{"index": 0, "delta": delta, "finish_reason": None}], None),
            ([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], None),
            ([], usage),
        ):
            chunk = {**head, "choices": choices, "usage": used}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Openai)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_API_KEY", "for-loopback-only")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_openai_plugin(openai: None, tmp_path: Path) -> None:
    judge = replace(
        entry(), llm="livekit.plugins.openai:LLM", arguments={"model": "judge-1"}, votes=2
    )
    found, spent = asked(judge, tmp_path, [("good", POLITE), ("bad", RUDE)])
    assert [one.judgement.verdict for one in found if one.judgement] == ["pass", "fail"]
    assert (spent.calls, spent.tokens, spent.estimated) == (4, 400, False)
    assert _ASKED[-1]["tool_choice"] == "required"
    text = (tmp_path / "helpful.jsonl").read_text()
    assert "for-loopback-only" not in text
    assert {
        vote.model.rpartition("/")[2] for vote in Store.read(tmp_path, "helpful").votes.values()
    } == {"judge-1"}
