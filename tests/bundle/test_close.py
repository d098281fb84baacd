"""What closing a journal makes, and that it makes it whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from lkgate import bundle
from lkgate.bundle import Journal, close
from lkgate.bundle.audio import Pcm
from lkgate.errors import BundleError
from lkgate.model.bundle import BuildIdentity, Span
from lkgate.model.event import Event, Json
from tests.bundle.sessions import LABELS, RATE, paths_of, silence, tone, write_journal


def test_a_bundle_holds_what_the_journal_held(tmp_path: Path) -> None:
    journal = write_journal(
        tmp_path / "j",
        {
            "build": {"name": "v1", "digest": None, "versions": {"python": "3.11"}},
            "absent": {"rtc_stats": "the room gave none"},
        },
    )
    closed = bundle.close_journal(journal, tmp_path / "out", labels_yaml=LABELS)
    manifest = closed.manifest
    assert closed.events == (
        Event(0, 0, "connected", {"room": "clinic", "sid": "RM_1"}),
        Event(200_000, 1, "user_state_changed", {"old_state": "a", "new_state": "b"}),
        Event(250_000, 2, "transcription", {"text": "¿Qué tal?", "final": True}),
        Event(250_000, 3, "agent_state_changed", {"old_state": "a", "new_state": "b"}),
    )
    assert manifest.session == {"vad": "silero", "min_delay": 0.5}
    assert manifest.build == BuildIdentity("v1", None, {"python": "3.11"})
    assert manifest.absent == {"rtc_stats": "the room gave none"}
    assert (manifest.duration_us, manifest.room, manifest.source) == (500_000, "clinic", "record")
    assert manifest.cassette == "partial", "the journal does not say that it is full"
    caller, agent = manifest.tracks
    assert (caller.samples, caller.offset_us, caller.path) == (4000, 10, "audio/caller.flac")
    ((start_us, end_us),) = [(span.start_us, span.end_us) for span in caller.speech]
    assert start_us == 10
    assert abs(end_us - 200_010) <= 2000
    assert agent.speech[0].start_us == 250_000 - 500
    assert paths_of(tmp_path / "out") == [
        "audio/agent.flac",
        "audio/caller.flac",
        "cassette/blobs/ab12",
        "cassette/index.jsonl",
        "events.jsonl",
        "labels.yaml",
        "manifest.json",
    ]
    assert bundle.verify(tmp_path / "out") == closed
    assert bundle.read(tmp_path / "out") == closed
    np.testing.assert_array_equal(
        bundle.read_pcm(tmp_path / "out", caller), np.concatenate([tone(200), silence(300)])
    )


def test_the_text_of_events(tmp_path: Path) -> None:
    bundle.close_journal(write_journal(tmp_path / "j"), tmp_path / "out")
    assert (tmp_path / "out" / "events.jsonl").read_text("utf-8").splitlines()[:2] == [
        '{"t_us":0,"seq":0,"kind":"connected","data":{"room":"clinic","sid":"RM_1"}}',
        '{"t_us":200000,"seq":1,"kind":"user_state_changed",'
        '"data":{"new_state":"b","old_state":"a"}}',
    ]


def test_the_journal_stays_and_closes_to_the_same_bytes(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "j")
    bundle.close_journal(journal, tmp_path / "a")
    bundle.close_journal(journal, tmp_path / "b")
    for path in paths_of(tmp_path / "a"):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_the_digest_is_of_what_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bundle.close_journal(write_journal(tmp_path / "j"), tmp_path / "a")

    def otherwise(pcm: Pcm, sample_rate_hz: int, path: Path) -> None:
        soundfile.write(path, pcm[:], sample_rate_hz, format="FLAC", compression_level=0.0)

    monkeypatch.setattr(close, "encode", otherwise)
    monkeypatch.setattr(close, "__version__", "99.0")
    monkeypatch.setattr("lkgate.signal.segment", lambda pcm, rate: [])
    again = bundle.close_journal(tmp_path / "j", tmp_path / "b", labels_yaml=LABELS)
    assert again.manifest.digest == first.manifest.digest
    assert again.manifest.files != first.manifest.files
    assert bundle.verify(tmp_path / "b") == again


@pytest.mark.parametrize(
    "header",
    [
        {"id": "other"},
        {"source": "import"},
        {"room": "other"},
        {"started_at_unix_us": None},
        {"recording_digest": "0" * 64},
        {"build": {"name": "v1", "digest": None, "versions": {}}},
    ],
    ids=lambda header: next(iter(header)),
)
def test_the_digest_covers_the_header(tmp_path: Path, header: dict[str, Json]) -> None:
    plain = bundle.close_journal(write_journal(tmp_path / "j"), tmp_path / "a")
    other = bundle.close_journal(write_journal(tmp_path / "k", header), tmp_path / "b")
    assert plain.manifest.digest != other.manifest.digest


@pytest.mark.parametrize("what", ["sample", "event", "offset", "duration"])
def test_the_digest_covers_audio_events_and_time(tmp_path: Path, what: str) -> None:
    def closed(name: str, spoiled: str) -> str:
        journal = Journal.create(tmp_path / name, header={"id": "a", "source": "record"})
        writer = journal.track(
            "caller",
            role="caller",
            participant="p",
            sid=None,
            sample_rate_hz=RATE,
            offset_us=1 if spoiled == "offset" else 0,
        )
        writer.write(b"\x01\x00\x03\x00" if spoiled == "sample" else b"\x01\x00\x02\x00")
        journal.event(0, "x", {"a": 2 if spoiled == "event" else 1})
        journal.finish(duration_us=6 if spoiled == "duration" else 5)
        result = bundle.close_journal(tmp_path / name, tmp_path / (name + ".out"))
        return result.manifest.digest

    assert closed("a", "") == closed("b", "")
    assert closed("c", what) != closed("d", "")


def test_a_track_without_audio_says_so(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j", header={"id": "a", "source": "record"})
    journal.track("agent", role="agent", participant="p", sid=None, sample_rate_hz=8, offset_us=0)
    journal.finish(duration_us=0)
    with pytest.raises(BundleError, match="sample_rate_hz is 8, outside 2000 to 192000"):
        bundle.close_journal(tmp_path / "j", tmp_path / "out")
    journal = Journal.create(tmp_path / "k", header={"id": "a", "source": "record"})
    journal.track(
        "agent", role="agent", participant="p", sid=None, sample_rate_hz=8000, offset_us=0
    )
    journal.finish(duration_us=0)
    (track,) = bundle.close_journal(tmp_path / "k", tmp_path / "out").manifest.tracks
    assert (track.path, track.absent_reason) == (None, "no audio came on this track")
    assert track.speech == ()
    bundle.verify(tmp_path / "out")
    with pytest.raises(BundleError) as caught:
        bundle.read_pcm(tmp_path / "out", track)
    assert caught.value.what == "holds no audio of track agent: no audio came on this track"


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_rates_are_kept(tmp_path: Path, rate: int) -> None:
    journal = Journal.create(tmp_path / "j", header={"id": "a", "source": "record"})
    writer = journal.track(
        "agent", role="agent", participant="p", sid=None, sample_rate_hz=rate, offset_us=7
    )
    pcm = (9000 * np.cos(np.arange(rate) * 0.2)).astype(np.int16)
    writer.write(pcm.tobytes())
    journal.finish(duration_us=0)
    (track,) = bundle.close_journal(tmp_path / "j", tmp_path / "out").manifest.tracks
    assert track.span == Span(7, 1_000_007)
    assert len(track.speech) == 1
    np.testing.assert_array_equal(bundle.read_pcm(tmp_path / "out", track), pcm)


def test_out_must_be_free(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "j")
    out = tmp_path / "out"
    out.mkdir()
    bundle.close_journal(journal, out)
    with pytest.raises(BundleError) as caught:
        bundle.close_journal(journal, out)
    assert str(caught.value) == (f"{out}: already exists\n  Choose another place, or move it away.")
    bundle.verify(out)


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = write_journal(tmp_path / "j")

    def full(*args: Any) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(close, "encode_manifest", full)
    with pytest.raises(OSError, match="no space left"):
        bundle.close_journal(journal, tmp_path / "outs" / "out")
    assert list((tmp_path / "outs").iterdir()) == []


def test_wrong_labels_close_nothing(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "j")
    with pytest.raises(BundleError, match="'reviewed' is a required property"):
        bundle.close_journal(journal, tmp_path / "out", labels_yaml="{}")
    assert not (tmp_path / "out").exists()


def test_a_cassette_is_never_called_more_than_it_is(tmp_path: Path) -> None:
    none = write_journal(tmp_path / "j", {"cassette": "full"}, tape=False)
    assert bundle.close_journal(none, tmp_path / "a").manifest.cassette == "none"
    full = write_journal(tmp_path / "k", {"cassette": "full"})
    assert bundle.close_journal(full, tmp_path / "b").manifest.cassette == "full"


def test_links_in_a_cassette_are_refused(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "j")
    (journal / "cassette" / "blobs" / "secret").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="a bundle holds plain files only"):
        bundle.close_journal(journal, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ({"source": "dream"}, "source should be one of record, import, replay"),
        ({"id": ""}, "id should be text"),
        ({"started_at_unix_us": 1.5}, "started_at_unix_us should be an integer"),
        ({"build": {"name": "v"}}, "build.digest is missing"),
        ({"absent": {"x": 1}}, "absent.x should be text"),
    ],
)
def test_a_header_of_the_wrong_shape(tmp_path: Path, header: dict[str, Json], what: str) -> None:
    journal = write_journal(tmp_path / "j", header)
    with pytest.raises(BundleError) as caught:
        bundle.close_journal(journal, tmp_path / "out")
    assert caught.value.what == what
    assert caught.value.where == f"{journal}/journal/header.jsonl"
