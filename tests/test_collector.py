"""Traces sent to a receiver on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from lkgate.cli.export import command
from lkgate.collector import headers_of, send
from lkgate.errors import ConfigError, ExportError

BOOK = Path(__file__).parents[1] / "recordings" / "book"
TRACES = b'{"resourceSpans": []}'


@contextmanager
def collector(status: int) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """An OTLP/HTTP receiver on loopback, and what it was sent."""
    got: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers.items()), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()


def test_a_collector_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=a%20b")
    out = tmp_path / "book.json"
    done = CliRunner().invoke(command, [str(BOOK), "--otlp", str(out)])
    assert done.exit_code == 0, done.output
    with collector(200) as (url, got):
        done = CliRunner().invoke(command, [str(BOOK), "--otlp", url])
        assert done.exit_code == 0, done.output
        assert done.stderr == f"sent to {url}/v1/traces\n"
        send(f"{url}/custom", TRACES, {})
    (path, headers, body), (other, _, again) = got
    assert (path, other, again) == ("/v1/traces", "/custom", TRACES)
    assert headers["Content-Type"] == "application/json"
    assert {name.lower(): value for name, value in headers.items()}["x-api-key"] == "a b"
    assert json.loads(body) == json.loads(out.read_bytes())


def test_a_collector_that_refuses_or_is_not_there() -> None:
    with collector(401) as (url, _), pytest.raises(ExportError, match="answered 401") as refused:
        send(f"{url}?key=secret", TRACES, {})
    assert "secret" not in str(refused.value)
    with pytest.raises(ConfigError, match="no name and no password") as wrong:
        send("http://me:secret@127.0.0.1:1", TRACES, {})
    assert "secret" not in str(wrong.value)
    with pytest.raises(ConfigError, match="this is no address"):
        send("http://[::1", TRACES, {})
    with pytest.raises(ExportError, match="could not be reached"):
        send("http://127.0.0.1:1", TRACES, {})


@pytest.mark.parametrize("value", ["key", "=v", "k=a%0Ab", "k=v,w"])
def test_headers_that_are_none(value: str) -> None:
    with pytest.raises(ConfigError, match="no list of name=value"):
        headers_of({"OTEL_EXPORTER_OTLP_HEADERS": value})
