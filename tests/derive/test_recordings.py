"""The demo's recordings, which know what was really asked and answered: derived from without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lkgate.bundle import read
from lkgate.cassette import Cassette, Exchange
from lkgate.derive import derive
from lkgate.model.event import Json

RECORDINGS = Path(__file__).parents[2] / "recordings"
CALLS = sorted(path.name for path in RECORDINGS.iterdir() if path.is_dir())
# Of an event between the agent's process and its report, and of the first sound in a voice.
SOON_US = 50_000


class Call:
    """A recording's own cassette and the one that was derived of it."""

    def __init__(self, name: str, out: Path):
        self.path = RECORDINGS / name
        self.made = derive(self.path, read(self.path), out)
        self.true = Cassette.open(self.path / "cassette")
        self.derived = Cassette.open(out)

    def recorded(self, modality: Any) -> list[Exchange]:
        found = [one for one in self.true.of(modality) if one.origin == "recorded"]
        return sorted(found, key=lambda one: one.t_us)

    def derived_of(self, modality: Any) -> list[Exchange]:
        return sorted(self.derived.of(modality), key=lambda one: one.t_us)


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest, tmp_path: Path) -> Call:
    return Call(request.param, tmp_path / "cassette")


def said(exchange: Exchange) -> tuple[str, list[tuple[str, Json]]]:
    """Text and tool calls of a model's answer."""
    text, calls = "", []
    chunks: Any = exchange.response["chunks"]
    for _, chunk in chunks:
        if isinstance(chunk, str):
            text += chunk
        else:
            for made in (chunk.get("delta") or {}).get("tool_calls", []):
                calls.append((made["name"], json.loads(made["arguments"])))
    return " ".join(text.split()), calls


def heard(exchange: Exchange) -> list[tuple[int, str, str]]:
    events: Any = exchange.response["events"]
    return [
        (event["t_us"], event["type"], event["alternatives"][0]["text"])
        for event in events
        if event.get("alternatives") and event["alternatives"][0]["text"]
    ]


def test_it_lacks_nothing_and_is_marked(call: Call) -> None:
    assert call.made.lacks == ()
    assert {exchange.origin for exchange in call.derived.exchanges} == {"derived"}


def test_the_recogniser_says_the_same_at_the_same_time(call: Call) -> None:
    true = sorted(event for one in call.recorded("stt") for event in heard(one))
    (stream,) = [one for one in call.derived_of("stt") if "events" in one.response]
    found = heard(stream)
    assert [event[1:] for event in found] == [event[1:] for event in true]
    assert max(abs(a[0] - b[0]) for a, b in zip(found, true, strict=True)) < SOON_US


def test_the_model_says_the_same_and_as_soon(call: Call) -> None:
    true = [said(one) for one in call.recorded("llm")]
    whole = [one for one in call.derived_of("llm") if one.whole]
    cut = {
        str(call.derived.request(one)["text"]) for one in call.derived_of("tts") if not one.whole
    }
    for one in whole:
        text, calls = said(one)
        if text in cut:
            assert any(other.startswith(text) for other, _ in true)
        else:
            assert (text, calls) in true
    # All that had consequences is there: an answer that was asked for ahead of time had none.
    assert sum(len(said(one)[1]) for one in whole) == len(call.recorded("tool"))
    firsts: Any = [one.response["chunks"] for one in whole]
    assert all(100_000 < chunks[0][0] < 160_000 for chunks in firsts)


def test_tools_return_the_same(call: Call) -> None:
    def results(found: list[Exchange]) -> list[tuple[str, Json]]:
        return [(one.key, one.response.get("run") or one.response.get("value")) for one in found]

    assert results(call.derived_of("tool")) == results(call.recorded("tool"))


def test_the_agents_voice_is_as_long_as_it_was(call: Call) -> None:
    true = {
        str(call.true.request(one)["text"]): length_us(one, call.true)
        for one in call.recorded("tts")
    }
    found = 0
    for one in call.derived_of("tts"):
        text = str(call.derived.request(one)["text"])
        parts = [us for part, us in true.items() if part in text]
        if one.whole and parts:
            assert abs(length_us(one, call.derived) - sum(parts)) < 300_000, text
            found += len(parts)
    # But for what was interrupted, and what was asked for and never said.
    assert found >= len(true) / 2


def length_us(exchange: Exchange, cassette: Cassette) -> int:
    audio: Any = exchange.response["audio"]
    return len(cassette.blob(audio["blob"])) // 2 * 1_000_000 // int(audio["sample_rate_hz"])


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    path = RECORDINGS / "barge-in"
    for name in ("one", "two"):
        derive(path, read(path), tmp_path / name)
    one, two = (
        {file.name: file.read_bytes() for file in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two")
    )
    assert one == two
