"""``lkgate derive``: kept in the recording, or said why not; what a source lacks is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lkgate.bundle import pack, read, reseal, verify
from lkgate.cassette import Cassette
from lkgate.cli.main import cli
from lkgate.config import OnMiss
from lkgate.derive import derive, keep_derived
from lkgate.errors import BundleError, ReplayError
from lkgate.ingest import ImportOptions, import_call
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.jobs import ReplayOptions, make_jobs
from lkgate.replay.recordings import read_recordings
from tests.derive.test_recordings import RECORDINGS
from tests.ingest.files import both, write


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A recording whose worker nobody taped."""
    path = tmp_path / "recordings" / "emergency"
    shutil.copytree(RECORDINGS / "emergency", path)
    shutil.rmtree(path / "cassette")
    reseal(path)
    return path


@pytest.fixture
def transcribed(tmp_path: Path) -> Path:
    """A call that is known by its sound and a transcript."""
    lines = [
        ("caller", 1.0, 2.0, "I want a table."),
        ("agent", 2.5, 4.5, "For how many? At what time?"),
        ("caller", 5.0, 6.0, "Two at eight."),
        ("agent", 7.0, 8.0, "Done."),
    ]
    script = tmp_path / "call.jsonl"
    names = ("speaker", "start", "end", "text")
    script.write_text(
        "".join(json.dumps(dict(zip(names, line, strict=True))) + "\n" for line in lines)
    )
    out = tmp_path / "transcribed"
    import_call(ImportOptions((write(tmp_path / "call.wav", both()), script), out))
    return out


def test_a_derived_cassette_becomes_part_of_the_recording(bare: Path) -> None:
    before = read(bare).manifest
    assert before.cassette == "none"
    made = keep_derived(bare)
    after = verify(bare).manifest
    assert (after.cassette, after.digest) == ("derived", before.digest)
    kept = Cassette.open(bare / "cassette")
    assert len(kept.exchanges) == sum(made.counts.values())
    assert all(kept.request(one) is not None for one in kept.exchanges)
    assert any(path.suffix == ".flac" for path in (bare / "cassette/blobs").iterdir())


def test_the_command_says_what_it_made(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare.parents[1])
    done = CliRunner().invoke(cli, ["derive", "emergency"])
    assert done.exit_code == 0, done.output
    assert done.output == (
        "recordings/emergency: derived answers: 5 llm, 5 stt, 1 tool, 5 tts\n"
        "Next: lkgate replay recordings/emergency --against BUILD, then "
        "lkgate accept recordings/emergency --build BUILD\n"
    )


def test_what_is_kept_is_what_a_replay_derives_by_itself(bare: Path, tmp_path: Path) -> None:
    """File by file: in another form it would be read in other time."""
    derive(bare, read(bare), tmp_path / "passing")
    keep_derived(bare)
    passing, kept = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "passing", bare / "cassette")
    )
    assert passing == kept


def test_it_is_not_derived_twice(bare: Path) -> None:
    keep_derived(bare)
    with pytest.raises(BundleError) as refused:
        keep_derived(bare)
    assert refused.value.what == "the recording holds a derived cassette already"
    assert str(refused.value.next_step).startswith("To derive it again, remove ")


def test_what_has_a_cassette_or_cannot_have_one_is_left_alone(bare: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds a full cassette already"):
        keep_derived(RECORDINGS / "book")
    archive = tmp_path / "a.lkb"
    pack(bare, archive)
    with pytest.raises(BundleError, match="nothing can be added to an archive"):
        keep_derived(archive)
    assert derive(archive, read(archive), tmp_path / "made").counts["llm"] == 5


def test_a_transcript_answers_and_what_it_lacks_is_told(transcribed: Path, tmp_path: Path) -> None:
    made = derive(transcribed, read(transcribed), tmp_path / "made")
    assert made.counts == {"llm": 2, "stt": 3, "tts": 2}
    assert made.lacks == (
        "it knows of no tool: a call of one is a miss, or goes by [tool.lkgate.tools]",
        "it holds none of LiveKit's latencies: models answer at once",
    )
    cassette = Cassette.open(tmp_path / "made")
    places = [cassette.request(one) for one in sorted(cassette.of("llm"), key=lambda x: x.t_us)]
    assert places == [
        {"conversation": [{"role": "user", "text": "I want a table."}]},
        {
            "conversation": [
                {"role": "user", "text": "I want a table."},
                {"role": "assistant"},
                {"role": "user", "text": "Two at eight."},
            ]
        },
    ]
    (asked,) = [one for one in cassette.of("tts") if "many" in str(cassette.request(one))]
    audio = asked.response["audio"]
    assert isinstance(audio, dict)
    pcm = np.frombuffer(cassette.blob(str(audio["blob"])), "<i2")
    rate = audio["sample_rate_hz"]
    assert isinstance(rate, int)
    assert abs(len(pcm) / rate - 2.0) < 0.1


def test_sound_alone_tells_nothing(tmp_path: Path) -> None:
    out = tmp_path / "mute"
    import_call(ImportOptions((write(tmp_path / "call.wav", both()),), out))
    with pytest.raises(ReplayError, match="does not tell what was said"):
        derive(out, read(out), tmp_path / "made")


def test_a_replay_derives_what_is_missing_and_leaves_the_recording_alone(
    transcribed: Path, tmp_path: Path
) -> None:
    before = sorted(transcribed.rglob("*"))
    options = ReplayOptions(tmp_path / "state", on_miss=OnMiss(tts="estimate"))
    identity = BuildIdentity("v1", None)
    jobs, failed = make_jobs(read_recordings([transcribed]), identity, options, tmp_path / "work")
    assert failed == []
    job = json.loads((jobs[0].directory / "job.json").read_text())
    assert job["room"] == "transcribed", "files do not know their room"
    assert job["cassette"]["on_miss"] == {"stt": "error", "llm": "error", "tts": "estimate"}
    assert len(Cassette.open(Path(job["cassette"]["directory"])).exchanges) == 7
    assert sorted(transcribed.rglob("*")) == before
