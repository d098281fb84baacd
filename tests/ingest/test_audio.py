"""Plain audio and transcripts: two channels, two files, and everything that can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from lkgate.bundle import read, read_pcm, verify
from lkgate.errors import BundleError, LkgateError
from lkgate.ingest import Channel, ImportOptions, import_call
from lkgate.measure import measure, turns_of
from lkgate.model.bundle import Bundle
from tests.ingest.files import AGENT, CALLER, RATE, SAID, both, transcript, voice, write

OUT = Path("out")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name files as they were named: without a directory."""
    monkeypatch.chdir(tmp_path)


def imported(*names: str, channels: tuple[Channel, ...] | None = None) -> Bundle:
    import_call(ImportOptions(tuple(map(Path, names)), OUT, channels=channels))
    verify(OUT)
    return read(OUT)


def refused(
    *names: str, channels: tuple[Channel, ...] | None = None, truncated: bool = False
) -> str:
    before = sorted(Path().iterdir())
    with pytest.raises(LkgateError) as error:
        import_call(ImportOptions(tuple(map(Path, names)), OUT, None, channels, truncated))
    assert sorted(Path().iterdir()) == before  # nothing is left of it
    return str(error.value)


def speech(bundle: Bundle, track: str) -> list[tuple[float, float]]:
    (found,) = [t for t in bundle.manifest.tracks if t.id == track]
    return [(s.start_us / 1e6, s.end_us / 1e6) for s in found.speech]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_two_channels_are_caller_and_agent(name: str) -> None:
    write(Path(name), both())
    bundle = imported(name)
    assert [(t.id, t.role, t.participant) for t in bundle.manifest.tracks] == [
        ("caller", "caller", "caller"),
        ("agent", "agent", "agent"),
    ]
    assert np.allclose(speech(bundle, "caller"), CALLER, atol=0.06)
    assert np.allclose(speech(bundle, "agent"), AGENT, atol=0.06)
    found = measure(bundle, turns_of(bundle), None)
    assert found["response_latency"].value == pytest.approx(500_000, abs=60_000)
    assert bundle.manifest.started_at_unix_us is None


def test_the_samples_of_a_wav_are_kept() -> None:
    write(Path("a.wav"), both())
    bundle = imported("a.wav")
    kept = [read_pcm(OUT, track) for track in bundle.manifest.tracks]
    assert np.array_equal(np.stack(kept, axis=1), both())


def test_a_float_wav_beyond_full_scale_is_clipped() -> None:
    loud = both().astype(np.float32) / np.float32(4000)
    write(Path("a.wav"), loud, subtype="FLOAT")
    bundle = imported("a.wav")
    pcm = read_pcm(OUT, bundle.manifest.tracks[0])
    assert (pcm.max(), pcm.min()) == (32767, -32768)


def test_two_files_and_a_transcript_are_a_conversation() -> None:
    write(Path("a.wav"), voice(CALLER))
    write(Path("b.wav"), voice(AGENT, frequency=500))
    transcript(Path("words.jsonl"), *SAID)
    bundle = imported("a.wav", "b.wav", "words.jsonl")
    turns = turns_of(bundle)
    assert [(t.role, t.text) for t in turns] == [(role, text) for role, _, _, text in SAID]
    found = measure(bundle, turns, None)
    assert (found["caller_words"].value, found["agent_words"].value) == (4, 6)
    for name in ("tool_calls", "interruptions", "end_of_turn_delay", "handoffs"):
        assert (found[name].value, found[name].reason) == (
            None,
            "imported without a report of the agent's session",
        )


def test_words_of_one_side_say_nothing_of_the_other() -> None:
    write(Path("a.wav"), both())
    transcript(Path("words.jsonl"), SAID[0], SAID[2])
    bundle = imported("a.wav", "words.jsonl")
    found = measure(bundle, turns_of(bundle), None)
    assert found["caller_words"].value == 4
    assert (found["agent_words"].value, found["agent_words"].reason) == (
        None,
        "no words of the agent",
    )


def test_the_other_way_round_and_one_left_out() -> None:
    write(Path("a.wav"), both())
    bundle = imported("a.wav", channels=("agent", "caller"))
    assert [t.role for t in bundle.manifest.tracks] == ["agent", "caller"]
    OUT.rename("first")
    bundle = imported("a.wav", channels=("none", "agent"))
    assert [t.role for t in bundle.manifest.tracks] == ["agent"]
    assert bundle.manifest.absent["caller_audio"] == "none of the imported channels is theirs"


def test_a_mix_has_no_sides() -> None:
    mix = voice([*CALLER, *AGENT])
    write(Path("a.wav"), np.stack([mix, mix], axis=1))
    bundle = imported("a.wav")
    assert [(t.id, t.role) for t in bundle.manifest.tracks] == [("mixed", "other")]
    found = measure(bundle, turns_of(bundle), None)
    assert found["response_latency"].reason == "caller and agent are mixed on one channel"
    assert refused("a.wav", channels=("caller", "agent")).startswith("out: already exists")
    OUT.rename("first")
    assert refused("a.wav", channels=("caller", "agent")) == (
        "a.wav: has the same sound on both channels: it is a mix of everybody\n"
        "  --channels mixed,none imports it as one."
    )


def test_one_channel_is_not_enough() -> None:
    write(Path("a.wav"), voice(CALLER))
    assert refused("a.wav") == (
        "a.wav: has one channel; caller and agent need one each\n"
        "  Name a second file; or say who is on this one: --channels caller, agent or mixed."
    )
    assert [t.role for t in imported("a.wav", channels=("caller",)).manifest.tracks] == ["caller"]


def test_more_channels_than_two_need_names() -> None:
    write(Path("a.wav"), both())
    write(Path("b.wav"), voice(CALLER))
    assert refused("a.wav", "b.wav") == (
        "a.wav: 3 channels in 2 files, and nothing tells who is on which\n"
        "  Say who is on which: --channels caller,agent (or mixed, other, none), in the files' "
        "order."
    )
    assert refused("a.wav", "b.wav", channels=("caller",)) == (
        "--channels names 1, and the files have 3\n"
        "  Say it once for each channel, in the files' order; none leaves one out."
    )


def test_files_of_different_lengths() -> None:
    write(Path("a.wav"), voice(CALLER))
    write(Path("b.wav"), voice(AGENT, lasts=8.5))
    assert refused("a.wav", "b.wav") == (
        "files of different lengths: a.wav 9.0 s and b.wav 8.5 s\n"
        "  They must have begun together: pad one with silence where it lacks sound."
    )


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
def test_an_ogg_that_is_truncated(codec: str) -> None:
    path = write(Path("a.ogg"), both(), subtype=codec)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert refused("a.ogg") == (
        f"a.ogg: was cut off: it ends within a page of Ogg, at byte {len(whole) - 100}\n"
        "  Copy it again from where it came; if it is cut off there too, --allow-truncated takes "
        "what there is."
    )
    path.write_bytes(whole[: whole.rindex(b"OggS")])
    assert refused("a.ogg").startswith("a.ogg: was cut off: it ends before its last page of Ogg\n")


def test_an_ogg_that_is_cut_anywhere_is_told_or_whole() -> None:
    path = write(Path("a.ogg"), both(), subtype="OPUS")
    whole = path.read_bytes()
    for length in range(0, len(whole), 997):
        path.write_bytes(whole[:length])
        told = refused("a.ogg")
        assert told.startswith(("a.ogg: was cut off", "a.ogg: no audio", "a.ogg: holds no audio"))


def test_what_there_is_of_a_truncated_ogg() -> None:
    path = write(Path("a.ogg"), both(), subtype="OPUS")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    import_call(ImportOptions((path,), OUT, allow_truncated=True))
    bundle = read(OUT)
    assert 1_000_000 < bundle.manifest.duration_us < 9_000_000
    assert bundle.manifest.absent["end"] == (
        f"a.ogg ends within a page of Ogg, at byte {len(whole) // 2}"
    )


def test_a_wav_that_is_truncated() -> None:
    path = write(Path("a.wav"), both())
    whole = path.read_bytes()
    path.write_bytes(whole[:-4000])
    assert refused("a.wav").startswith(
        f"a.wav: was cut off: it should be {len(whole)} bytes long, and is {len(whole) - 4000}\n"
    )


def test_what_is_not_audio() -> None:
    Path("a.wav").write_text("This is a text.\n" * 9)
    Path("b.ogg").write_bytes(b"")
    assert refused("a.wav") == (
        "a.wav: no audio that can be read: Format not recognised.\n"
        "  Import takes WAV, FLAC and Ogg, and MP4 and WebM with PyAV."
    )
    assert refused("b.ogg").startswith("b.ogg: no audio that can be read: ")
    write(Path("c.wav"), both()[:0])
    assert refused("c.wav") == "c.wav: holds no audio"
    step = "  Name the files of one call; 'lkgate import --help' says which they may be."
    assert refused("d.wav") == f"d.wav: there is no such file\n{step}"
    Path("e").mkdir()
    assert refused("e") == f"e: is no file\n{step}"
    Path("f.json").write_text("{")
    assert refused("f.json").splitlines()[1] == (
        "  Copy it again from where it came. A transcript is JSON Lines, and its name ends with "
        ".jsonl."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers(value: float) -> None:
    sound = both().astype(np.float32) / np.float32(32768)
    sound[RATE // 2, 1] = value
    write(Path("a.wav"), sound, subtype="FLOAT")
    assert refused("a.wav") == (
        "a.wav: holds a sample that is no number, 0.500 s into it\n"
        "  Write it again with the program that made it, as 16-bit samples."
    )


def test_what_is_too_much_for_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write("a.wav", both(), 1_000)
    assert refused("a.wav") == "a.wav: has 1000 Hz; a bundle holds 2000 to 192000"
    write(Path("b.wav"), both())
    monkeypatch.setattr("lkgate.ingest.sound.MAX_SAMPLES", 8 * RATE)
    assert refused("b.wav") == "b.wav: is longer than a bundle holds: 0 hours at 16000 Hz"


def test_the_directory_exists() -> None:
    write(Path("a.wav"), both())
    OUT.mkdir()
    (OUT / "mine").write_text("keep me")
    assert refused("a.wav") == (
        "out: already exists\n  Choose another place with --out, or move it away."
    )


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("a.wav"), both())

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert refused("a.wav") == "a.wav: cannot be read: Permission denied"


def test_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("a.wav"), both())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lkgate.bundle.journal.TrackWriter.write", full)
    assert refused("a.wav") == "out: cannot be written: No space left on device"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"speaker": "caller"', "words.jsonl:2: no JSON: Expecting ',' delimiter: line 1 column "
         "21 (char 20)"),
        ('["caller", 1, 2, "x"]', "words.jsonl:2: the file should be an object"),
        ('{"speaker": "bob", "start": 1, "end": 2, "text": "x"}',
         "words.jsonl:2: speaker should be one of caller, user, agent, assistant"),
        ('{"speaker": "user", "start": 1, "text": "x"}', "words.jsonl:2: end is missing"),
        ('{"speaker": "user", "start": 3, "end": 2, "text": "x"}',
         "words.jsonl:2: start 3 and end 2 are no stretch of time"),
        ('{"speaker": "user", "start": 1, "end": 2, "text": ""}',
         "words.jsonl:2: text should be text"),
    ],
    ids=["json", "list", "speaker", "no-end", "backwards", "no-words"],
)  # fmt: skip
def test_a_transcript_that_is_wrong(line: str, message: str) -> None:
    write(Path("a.wav"), both())
    transcript(Path("words.jsonl"), SAID[0])
    with Path("words.jsonl").open("a") as file:
        file.write(line + "\n")
    assert refused("a.wav", "words.jsonl") == (
        f'{message}\n  A line is {{"speaker": "caller", "start": 1.25, "end": 3.0, '
        '"text": "Hello."}.'
    )


def test_a_transcript_of_another_call() -> None:
    write(Path("a.wav"), both())
    transcript(Path("words.jsonl"), *SAID, ("agent", 80.0, 81.5, "Bye."))
    assert refused("a.wav", "words.jsonl") == (
        "words.jsonl: 'Bye.' ends at 81.5 s, and the audio after 9.0 s: they are not of one call, "
        "or times are not in seconds"
    )
    Path("words.jsonl").write_text("\n")
    assert "words.jsonl: holds no line\n" in refused("a.wav", "words.jsonl")


def test_files_that_are_no_call() -> None:
    transcript(Path("words.jsonl"), *SAID)
    assert refused("words.jsonl") == (
        "no audio and no session report among the files: nothing to import"
    )
    transcript(Path("more.jsonl"), *SAID)
    assert refused("words.jsonl", "more.jsonl") == (
        "two transcripts: words.jsonl and more.jsonl\n"
        "  One import is one call; import the calls one after the other."
    )
    Path("package.json").write_text('{"name": "x"}')
    assert refused("package.json") == (
        "package.json: neither a session report nor a manifest of LiveKit's egress\n"
        "  A transcript is JSON Lines, and its name ends with .jsonl."
    )
    Path("package.json").write_text("{")
    assert refused("package.json").startswith("package.json: no JSON: ")


def test_an_error_is_a_bundle_error_or_a_config_error() -> None:
    """Both are exit 2."""
    with pytest.raises(BundleError):
        import_call(ImportOptions((Path("nothing.wav"),), OUT))
