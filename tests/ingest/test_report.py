"""LiveKit's own report and audio, from a real session with ``record=True``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lkgate.bundle import read, verify
from lkgate.errors import BundleError
from lkgate.ingest import ImportOptions, import_call
from lkgate.measure import measure, turns_of
from lkgate.measure.registry import METRICS
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.measurement import Evidence
from lkgate.secret import Secrets
from tests.ingest.conftest import Recorded
from tests.ingest.files import RATE, both, voice, write


def imported(out: Path, *sources: Path, **options: Any) -> Bundle:
    import_call(ImportOptions(sources, out, **options))
    verify(out)
    return read(out)


def changed(recorded: Recorded, path: Path, **fields: Any) -> Path:
    """The report with some fields replaced, or left out if they are ``...``."""
    report = json.loads(recorded.report.read_text()) | fields
    path.write_text(json.dumps({k: v for k, v in report.items() if v is not ...}))
    return path


def test_a_report_and_its_audio_are_a_session(tmp_path: Path, recorded: Recorded) -> None:
    bundle = imported(tmp_path / "a", recorded.report, recorded.audio)
    manifest = bundle.manifest
    assert (manifest.id, manifest.source, manifest.room) == ("a", "import", "clinic-7")
    assert [(t.id, t.role, t.sample_rate_hz) for t in manifest.tracks] == [
        ("caller", "caller", 48_000),
        ("agent", "agent", 48_000),
    ]
    assert manifest.session["sdk_version"] == "1.8.9"
    assert manifest.cassette == "none"
    assert sorted(manifest.absent) == [
        "arrival", "build", "cassette", "media", "participants", "room",
    ]  # fmt: skip
    turns = turns_of(bundle)
    assert [(turn.role, turn.text) for turn in turns] == [
        ("agent", "How can I help you? "),
        ("caller", "I want a table."),
        ("agent", "For how many people, and at what"),
        ("caller", "How is the weather?"),
        ("agent", "I found this: eighteen degrees in Berlin. "),
        ("caller", "Good bye."),
        ("agent", "Good bye, and thank you for calling. "),
    ]
    assert turns[2].interrupted
    assert [barge.outcome for barge in turns[3].barge_ins] == ["yielded"]
    (call,) = turns[4].tools
    assert (call.name, call.arguments) == ("get_weather", {"city": "Berlin"})
    assert call.output == "eighteen degrees in Berlin"


def test_it_is_the_session_that_the_room_heard(tmp_path: Path, recorded: Recorded) -> None:
    bundle = imported(tmp_path / "a", recorded.report, recorded.audio)
    there, here = turns_of(recorded.room), turns_of(bundle)
    assert [(t.role, t.text, t.interrupted) for t in here] == [
        (t.role, t.text, t.interrupted) for t in there
    ]
    ours, theirs = measure(bundle, here, None), measure(recorded.room, there, None)
    for name in ("interruptions", "tool_calls", "tool_errors", "agent_words", "caller_words"):
        assert ours[name].value == theirs[name].value, name
    for name in ("end_of_turn_delay", "llm_ttft", "tts_ttfb"):
        assert ours[name].value == pytest.approx(theirs[name].value, abs=2_000), name
    # The network, there and back, and LiveKit's own jitter buffer.
    here_us, there_us = ours["response_latency"].value, theirs["response_latency"].value
    assert here_us is not None and there_us is not None
    assert 0 < there_us - here_us < 300_000


def test_its_events_are_those_that_the_room_told(tmp_path: Path, recorded: Recorded) -> None:
    """Kind by kind: what both tell, under the same names and with the same values."""
    bundle = imported(tmp_path / "a", recorded.report, recorded.audio)
    for kind in (
        "agent_state_changed",
        "user_state_changed",
        "user_input_transcribed",
        "conversation_item_added",
        "function_tools_executed",
        "tool_execution_updated",
    ):
        here = [plain(event.data) for event in bundle.of_kind(kind)]
        there = [plain(event.data) for event in recorded.room.of_kind(kind)]
        assert here == there, kind


def plain(value: Json | Mapping[str, Json]) -> Json:
    """Without ids and times, and what LiveKit does not send to the room."""
    if isinstance(value, Mapping):
        left_out = ("id", "call_id", "identity", "playback_latency", "language")
        return {
            key: plain(item)
            for key, item in value.items()
            if key not in left_out and not key.endswith("_us")
        }
    if isinstance(value, list):
        return [plain(item) for item in value]
    return round(value, 2) if isinstance(value, float) else value


def test_what_a_report_cannot_tell_is_no_data(tmp_path: Path, recorded: Recorded) -> None:
    bundle = imported(tmp_path / "a", recorded.report, recorded.audio)
    found = measure(bundle, turns_of(bundle), None)
    lacking: dict[Evidence, str] = {
        "arrival": "imported: nothing tells when the caller came into the room",
        "media": "imported: nothing tells what was lost or late before it was written",
        "replay": "only a replay has it, and this is not one",
        "labels": "the recording has no labels",
        "prices": "no table of prices was given",
        "media_quality": "nobody asked LiveKit for the statistics of the connection",
        "job": "nobody saw the agent's job being dispatched",
        "levels": "nobody listened to the audio",
        "speech_quality": "nobody listened to the audio",
        "spoken": "nobody listened to the agent's voice",
        "caller_history": "nobody looked for other recordings of the caller",
        "synthesis": "no cassette tells how long the voice took",
    }
    assert {name: m.reason for name, m in found.items() if m.missing} == {
        name: next(lacking[evidence] for evidence in metric.spec.evidence if evidence in lacking)
        for name, metric in METRICS.items()
        if lacking.keys() & set(metric.spec.evidence)
    }


def test_a_report_without_audio_has_its_session(tmp_path: Path, recorded: Recorded) -> None:
    warnings: list[str] = []
    import_call(ImportOptions((recorded.report,), tmp_path / "a"), on_warning=warnings.append)
    bundle = read(tmp_path / "a")
    found = measure(bundle, turns_of(bundle), None)
    assert found["tool_calls"].value == 1
    assert found["response_latency"].value is None
    assert found["response_latency"].reason == "imported without audio"
    assert warnings == [
        "no caller audio: imported without audio",
        "no agent audio: imported without audio",
    ]


def test_a_report_without_events_has_its_conversation(tmp_path: Path, recorded: Recorded) -> None:
    report = changed(recorded, tmp_path / "r.json", events=...)
    bundle = imported(tmp_path / "a", report, recorded.audio)
    whole = imported(tmp_path / "b", recorded.report, recorded.audio)
    here, there = turns_of(bundle), turns_of(whole)
    assert [(t.role, t.text, t.interrupted, t.messages[0].llm_ttft_us) for t in here] == [
        (t.role, t.text, t.interrupted, t.messages[0].llm_ttft_us) for t in there
    ]
    assert [call.name for turn in here for call in turn.tools] == ["get_weather"]
    assert "events" in bundle.manifest.absent
    found = measure(bundle, here, None)["llm_input_tokens"]
    # The report leaves out what is 0, as it is here: that is not the same as being told.
    assert (found.value, found.reason) == (None, "the session's usage has no input_tokens")


def test_the_totals_of_a_report_count(tmp_path: Path, recorded: Recorded) -> None:
    usage = [{"type": "llm_usage", "model": "m", "input_tokens": 120, "output_tokens": 30}]
    bundle = imported(
        tmp_path / "a", changed(recorded, tmp_path / "r.json", events=[], usage=usage)
    )
    found = measure(bundle, turns_of(bundle), None)
    assert (found["llm_input_tokens"].value, found["llm_output_tokens"].value) == (120, 30)


def test_two_imports_are_the_same_bundle(tmp_path: Path, recorded: Recorded) -> None:
    first = imported(tmp_path / "a", recorded.report, recorded.audio, id="call")
    second = imported(tmp_path / "b", recorded.audio, recorded.report, id="call")
    assert first.manifest == second.manifest


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"sdk_version": "2.0.0"},
            "r.json: a session report of an unknown version: livekit-agents 2.0.0 wrote it, and "
            "this lkgate reads those of 1.8\n"
            "  Update lkgate; or import its audio.ogg alone, without what was said.",
        ),
        (
            {"sdk_version": ...},
            "r.json: a session report of an unknown version: it names no livekit-agents, and this "
            "lkgate reads those of 1.8\n"
            "  Update lkgate; or import its audio.ogg alone, without what was said.",
        ),
        (
            {"audio_recording_started_at": None},
            "audio.ogg: r.json says that its session recorded no audio: nothing tells when this "
            "began",
        ),
        (
            {"timestamp": 1735689610.2000158},
            "audio.ogg: lasts 23.2 s, and r.json was written 10.0 s after its audio began: they "
            "are not of one call",
        ),
        ({"events": ..., "chat_history": ...}, "r.json: neither a session report nor a manifest "
         "of LiveKit's egress\n  A transcript is JSON Lines, and its name ends with .jsonl."),
        (
            {"audio_recording_started_at": 1735344000.5},
            "r.json: the times in the sources lie 4.0 days apart: they are not of one call",
        ),
        ({"timestamp": 10**400}, "r.json: timestamp should be a number"),
        ({"events": ..., "chat_history": None}, "r.json: holds neither events nor a conversation"),
        ({"events": [{"type": "close"}]}, "r.json: events[0].created_at is missing"),
        ({"events": {}}, "r.json: events should be a list"),
        (
            {"events": [{"type": "conversation_item_added", "created_at": 1735689611}]},
            "r.json: conversation_item_added.item is missing",
        ),
    ],
    ids=[
        "new", "nameless", "no-audio", "other-call", "other-day", "huge", "no-report", "empty",
        "no-time", "no-list", "no-item",
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_read(
    tmp_path: Path,
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    changed(recorded, Path("r.json"), **fields)
    Path("audio.ogg").write_bytes(recorded.audio.read_bytes())
    with pytest.raises(BundleError) as error:
        import_call(ImportOptions((Path("r.json"), Path("audio.ogg")), Path("out")))
    assert str(error.value) == message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio.ogg", "r.json"]


def test_an_audio_with_a_channel_missing(
    tmp_path: Path, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("audio.ogg"), voice([(1, 2)]), subtype="OPUS")
    with pytest.raises(BundleError) as error:
        import_call(ImportOptions((recorded.report, Path("audio.ogg")), Path("out")))
    assert str(error.value) == (
        "audio.ogg: has one channel; a session's audio.ogg has two: caller left, agent right"
    )


def test_a_key_of_the_environment_is_not_kept(tmp_path: Path, recorded: Recorded) -> None:
    report = changed(recorded, tmp_path / "r.json", tags=["key:sk-12345678"])
    text = report.read_text().replace("eighteen degrees", "sk-12345678")
    report.write_text(text)
    secrets = Secrets.of({"MODEL_API_KEY": "sk-12345678"})
    import_call(ImportOptions((report, recorded.audio), tmp_path / "a"), secrets=secrets)
    for path in (tmp_path / "a").rglob("*.json*"):
        assert "sk-12345678" not in path.read_text()
    assert read(tmp_path / "a").manifest.session["tags"] == ["key:[MODEL_API_KEY]"]


def test_any_event_that_is_no_event_of_livekit_is_told(tmp_path: Path, recorded: Recorded) -> None:
    """A later patch release may have a new event: it is kept as it came."""
    event = {"type": "new_thing", "created_at": 1735689611.2000158, "level": 3}
    report = changed(recorded, tmp_path / "r.json", events=[event])
    audio = write(tmp_path / "short.wav", both()[: 3 * RATE])
    bundle = imported(tmp_path / "a", report, audio)
    (kept,) = bundle.of_kind("new_thing")
    assert (kept.t_us, dict(kept.data)) == (
        11_000_000,
        {"level": 3, "identity": "agent", "created_us": 11_000_000},
    )
