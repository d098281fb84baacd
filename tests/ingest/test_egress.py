"""Files of LiveKit's egress with their manifests, made by FFmpeg through PyAV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lkgate.bundle import read, verify
from lkgate.errors import LkgateError
from lkgate.ingest import Channel, ImportOptions, import_call
from lkgate.measure import measure, turns_of
from lkgate.model.bundle import Bundle
from tests.ingest.files import AGENT, CALLER, RATE, SAID, both, encode, manifest, transcript, voice
from tests.ingest.files import write as write_sound

OUT = Path("out")
BEGAN_NS = 1_735_689_600_000_000_000
CODECS = {"ogg": "libopus", "mp4": "aac", "webm": "libopus"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tracks(kind: str, *, late_s: float = 0.5, **fields: Any) -> tuple[Path, ...]:
    """Two track egresses; the agent's began later."""
    made = []
    for who, spans, began in (("sip_ann", CALLER, 0.0), ("agent-AJ_7", AGENT, late_s)):
        shifted = [(start - began, end - began) for start, end in spans]
        name = f"{who}.{kind}"
        made.append(encode(Path(name), voice(shifted), CODECS[kind]))
        made.append(
            manifest(
                Path(f"{name}.json"),
                **{
                    "started_at": BEGAN_NS + round(began * 1e9),
                    "ended_at": BEGAN_NS + 10**10,
                    "publisher_identity": who,
                    "track_id": f"TR_{who}",
                    "track_kind": "audio",
                    "track_source": "microphone",
                    "files": [{"filename": f"calls/{name}", "location": f"s3/{name}"}],
                    **fields,
                },
            )
        )
    return tuple(made)


def imported(*sources: Path, channels: tuple[Channel, ...] | None = None) -> Bundle:
    import_call(ImportOptions(sources, OUT, channels=channels))
    verify(OUT)
    return read(OUT)


def refused(*sources: Path, channels: tuple[Channel, ...] | None = None) -> str:
    with pytest.raises(LkgateError) as error:
        import_call(ImportOptions(sources, OUT, channels=channels))
    return str(error.value)


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_tracks_lie_where_their_egresses_began(kind: str) -> None:
    bundle = imported(*tracks(kind))
    found = bundle.manifest
    assert [(t.id, t.role, t.participant, t.sid, t.offset_us) for t in found.tracks] == [
        ("caller", "caller", "sip_ann", "TR_sip_ann", 0),
        ("agent", "agent", "agent-AJ_7", "TR_agent-AJ_7", 500_000),
    ]
    assert (found.room, found.started_at_unix_us) == ("clinic", BEGAN_NS // 1_000)
    for track, spans in zip(found.tracks, (CALLER, AGENT), strict=True):
        heard = [(s.start_us / 1e6, s.end_us / 1e6) for s in track.speech]
        assert np.allclose(heard, spans, atol=0.06), track.id
    assert [turn.role for turn in turns_of(bundle)] == ["caller", "agent"] * 2
    assert "alignment" in found.absent
    assert "participants" not in found.absent


def test_a_transcript_is_from_the_first_of_them(tmp_path: Path) -> None:
    words = transcript(Path("words.jsonl"), *SAID)
    bundle = imported(*tracks("ogg"), words)
    assert [turn.text for turn in turns_of(bundle)] == [text for _, _, _, text in SAID]


def test_a_track_with_the_same_sound_twice_is_one_voice() -> None:
    twice = np.stack([voice(CALLER)] * 2, axis=1)
    audio = encode(Path("a.ogg"), twice, "libopus")
    bundle = imported(audio, manifest(Path("a.ogg.json"), publisher_identity="ann"))
    assert [(t.id, t.participant) for t in bundle.manifest.tracks] == [("caller", "ann")]
    assert bundle.manifest.absent["agent_audio"] == "none of the imported channels is theirs"
    OUT.rename("first")
    audio = encode(Path("a.ogg"), both(), "libopus")
    assert refused(audio, Path("a.ogg.json")).startswith(
        "a.ogg: has 2 different channels of one participant\n"
    )


def test_an_older_manifest_goes_by_its_name() -> None:
    bundle = imported(*tracks("ogg", files=None))
    assert [t.participant for t in bundle.manifest.tracks] == ["sip_ann", "agent-AJ_7"]


def test_a_room_composite_is_a_mix_and_measures_say_so() -> None:
    mix = voice([*CALLER, *AGENT])
    video = encode(Path("room.mp4"), np.stack([mix, mix], axis=1), "aac")
    beside = manifest(Path("room.mp4.json"), started_at=BEGAN_NS, files=[{"filename": "room.mp4"}])
    bundle = imported(video, beside)
    assert [(t.id, t.role) for t in bundle.manifest.tracks] == [("mixed", "other")]
    found = measure(bundle, turns_of(bundle), None)
    for name in ("response_latency", "unanswered_turns", "talk_over_ratio", "silence_gap"):
        assert (found[name].value, found[name].reason) == (
            None,
            "caller and agent are mixed on one channel",
        ), name


def test_a_room_composite_with_the_agent_on_its_own_channel() -> None:
    video = encode(Path("room.mp4"), both()[:, ::-1], "aac")
    beside = manifest(Path("room.mp4.json"), started_at=BEGAN_NS, files=[{"filename": "room.mp4"}])
    assert refused(video, beside) == (
        "room.mp4: has 2 different channels, and its egress manifest does not say who is on which\n"
        "  DUAL_CHANNEL_AGENT puts the agent left: --channels agent,caller."
    )
    bundle = imported(video, beside, channels=("agent", "caller"))
    assert [turn.role for turn in turns_of(bundle)] == ["caller", "agent"] * 2


def test_a_gap_in_a_webm_is_silence() -> None:
    """A muted microphone sends nothing: the next packet has a later time."""
    sound = voice([(0.0, 2.0)], lasts=2.0)
    with av.open("a.webm", "w") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        convert = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        packets = [p for f in (*convert.resample(frame), None) for p in stream.encode(f)]
        for packet in packets:
            assert packet.pts is not None and packet.time_base is not None
            if packet.pts * packet.time_base >= 1:
                packet.pts += round(3 / packet.time_base)
                packet.dts = packet.pts
            container.mux(packet)
    bundle = imported(Path("a.webm"), channels=("caller",))
    (track,) = bundle.manifest.tracks
    heard = [(s.start_us / 1e6, s.end_us / 1e6) for s in track.speech]
    assert np.allclose(heard, [(0.0, 1.0), (4.0, 5.0)], atol=0.1)


def test_an_mp4_and_a_webm_that_are_truncated() -> None:
    whole = encode(Path("a.mp4"), both(), "aac").read_bytes()
    Path("a.mp4").write_bytes(whole[: len(whole) // 2])
    assert refused(Path("a.mp4")) == (
        "a.mp4: cannot be decoded: Invalid data found when processing input\n"
        "  Copy it again from where it came: an MP4 without its end is no MP4."
    )
    whole = encode(Path("a.webm"), both(), "libopus").read_bytes()
    Path("a.webm").write_bytes(whole[: len(whole) // 2])
    told = refused(Path("a.webm"))
    assert told.startswith("a.webm: was cut off: it should last 9.0 s, and its audio ends after ")


def test_a_video_without_sound() -> None:
    with av.open("a.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=10, width=16, height=16)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refused(Path("a.mp4")) == "a.mp4: holds no audio"


def test_without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    encode(Path("a.mp4"), both(), "aac")
    monkeypatch.setitem(sys.modules, "av", None)
    assert refused(Path("a.mp4")) == (
        "a.mp4: MP4 and WebM are read with PyAV, which is not installed\n"
        "  python -m pip install 'lkgate[media]'"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"files": [{"filename": "calls/other.ogg"}]},
            "a.json: is an egress manifest of none of the files; it names other.ogg\n"
            "  Name the file that the egress wrote as well, under its own name.",
        ),
        ({"started_at": 1_735_689_600}, "a.json: started_at should be Unix nanoseconds, as egress "
         "writes them"),
        ({"track_kind": "video"}, "a.json: is the manifest of a track of kind video, not of audio"),
        ({"started_at": "now"}, "a.json: started_at should be an integer"),
    ],
    ids=["other-file", "seconds", "video", "text"],
)  # fmt: skip
def test_a_manifest_that_is_wrong(fields: dict[str, Any], message: str) -> None:
    write_sound(Path("a.ogg"), voice(CALLER), subtype="OPUS")
    assert refused(Path("a.ogg"), manifest(Path("a.json"), **fields)) == message


def test_one_file_without_a_manifest_among_others() -> None:
    made = tracks("ogg")
    assert refused(*made[:3], channels=("caller", "agent")) == (
        "agent-AJ_7.ogg: nothing tells when it began, and the other files have times\n"
        "  Name its egress manifest as well."
    )
