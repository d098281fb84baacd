"""Baselines and seals: what changes, and the digest that does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate import bundle
from lkgate.bundle.manifest import amend
from lkgate.errors import BundleError
from tests.bundle.sessions import make_bundle, make_replay, paths_of, write_journal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "made")


def test_a_baseline_is_the_replay_without_its_audio(tmp_path: Path) -> None:
    recording = bundle.close_journal(write_journal(tmp_path / "j"), tmp_path / "recording")
    replay = make_replay(tmp_path, recording)
    whole = bundle.read(replay)
    stripped = bundle.strip_audio(
        replay, tmp_path / "recording" / "baseline", accepted={"metrics": {"wer": 2}}
    )
    assert paths_of(tmp_path / "recording" / "baseline") == ["events.jsonl", "manifest.json"]
    assert stripped.events == whole.events
    assert stripped.manifest.digest == whole.manifest.digest
    assert stripped.manifest.build == whole.manifest.build
    assert stripped.manifest.cassette == "none"
    assert stripped.manifest.accepted == {"metrics": {"wer": 2}}
    assert [(track.path, track.absent_reason) for track in stripped.manifest.tracks] == [
        (None, "left out of a baseline, kept by its digest")
    ] * 2
    assert [track.speech for track in stripped.manifest.tracks] == [
        track.speech for track in whole.manifest.tracks
    ]
    assert bundle.read_baseline(tmp_path / "recording") == stripped
    assert bundle.read(tmp_path / "recording") == recording


def test_a_baseline_replaces_the_one_before(root: Path, tmp_path: Path) -> None:
    replay = tmp_path / "made" / "replay"
    bundle.strip_audio(replay, root / "baseline", accepted={"metrics": {"wer": 3}})
    found = bundle.read_baseline(root)
    assert found is not None
    assert found.manifest.accepted == {"metrics": {"wer": 3}}
    assert sorted(path.name for path in root.iterdir()) == [
        "audio",
        "baseline",
        "cassette",
        "events.jsonl",
        "labels.yaml",
        "manifest.json",
    ]


_DIES = """
import os, sys
from pathlib import Path
from lkgate.bundle import strip_audio
left, whole = int(sys.argv[1]), Path.rename
def rename(self, target):
    global left
    left -= 1
    if left == 0:
        os._exit(9)
    return whole(self, target)
Path.rename = rename
strip_audio(Path(sys.argv[2]), Path(sys.argv[3]), accepted={"metrics": {"wer": 3}})
"""


@pytest.mark.parametrize("rename", [1, 2])
def test_a_crash_while_a_baseline_is_replaced_blocks_nothing(
    root: Path, tmp_path: Path, rename: int
) -> None:
    before = bundle.read_baseline(root)
    replay = tmp_path / "made" / "replay"
    words = [sys.executable, "-c", _DIES, str(rename), str(replay), str(root / "baseline")]
    assert subprocess.run(words, timeout=60).returncode == 9
    assert len(list(root.parent.glob(".*.tmp"))) == rename
    # The recording is as readable as before, with its old baseline or without one.
    assert bundle.read_baseline(root) == (before if rename == 1 else None)
    bundle.mend_baseline(root)
    assert bundle.read_baseline(root) == before
    assert list(root.parent.glob(".*.tmp")) == []
    bundle.strip_audio(replay, root / "baseline", accepted={"metrics": {"wer": 3}})
    after = bundle.read_baseline(root)
    assert after is not None
    assert after.manifest.accepted == {"metrics": {"wer": 3}}


def test_what_an_earlier_version_left_in_a_recording_is_mended(root: Path) -> None:
    before = bundle.read_baseline(root)
    (root / "baseline").rename(root / ".baseline.old-7.tmp")
    with pytest.raises(BundleError, match="is what an interrupted lkgate left behind"):
        bundle.read(root)
    bundle.mend_baseline(root)
    assert bundle.read_baseline(root) == before


def test_a_baseline_replaces_nothing_but_a_bundle(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"no bundle: it has no manifest\.json"):
        bundle.strip_audio(root, other)
    assert (other / "holiday.jpg").read_bytes() == b"x"


def test_a_grown_cassette_is_sealed_and_the_digest_stays(root: Path) -> None:
    before = bundle.read(root)
    with (root / "cassette" / "index.jsonl").open("a") as file:
        file.write('{"key":"l"}\n')
    (root / "cassette" / "blobs" / "cd34").write_bytes(b"\x02\x03")
    with pytest.raises(BundleError) as caught:
        bundle.read(root)
    assert caught.value.next_step == (
        f"If a replay with `--models record` was cut off: lkgate seal {root}"
    )
    after = bundle.reseal(root)
    assert after == bundle.read(root)
    assert after.manifest.digest == before.manifest.digest
    assert [entry.path for entry in after.manifest.files] == sorted(
        [entry.path for entry in before.manifest.files] + ["cassette/blobs/cd34"]
    )
    assert after.manifest.cassette == "full"


def test_a_first_cassette(tmp_path: Path) -> None:
    journal = write_journal(
        tmp_path / "j",
        {"absent": {"cassette": "recorded from outside", "usage": "none came"}},
        tape=False,
    )
    closed = bundle.close_journal(journal, tmp_path / "out")
    assert closed.manifest.cassette == "none"
    (tmp_path / "out" / "cassette").mkdir()
    (tmp_path / "out" / "cassette" / "index.jsonl").write_text("")
    partial = bundle.reseal(tmp_path / "out", cassette="partial").manifest
    assert (partial.cassette, partial.digest) == ("partial", closed.manifest.digest)
    full = bundle.reseal(tmp_path / "out", cassette="full").manifest
    assert full.absent == {"usage": "none came"}


def test_edited_labels_are_sealed_if_they_are_labels(root: Path) -> None:
    path = root / "labels.yaml"
    path.write_text(path.read_text().replace("outcome: booked", "outcome: moved"))
    sealed = bundle.reseal(root)
    assert sealed.labels is not None
    assert sealed.labels.outcome == "moved"
    manifest = (root / "manifest.json").read_bytes()
    path.write_text("reviewed: maybe\n")
    with pytest.raises(BundleError):
        bundle.reseal(root)
    assert (root / "manifest.json").read_bytes() == manifest
    path.unlink()
    assert bundle.reseal(root).labels is None


@pytest.mark.parametrize("path", ["events.jsonl", "audio/caller.flac", "manifest.json"])
def test_a_seal_does_not_bless_what_happened(root: Path, path: str) -> None:
    data = bytearray((root / path).read_bytes())
    data[len(data) // 2] ^= 1
    (root / path).write_bytes(data)
    with pytest.raises(BundleError):
        bundle.reseal(root)


def test_a_seal_does_not_take_in_strangers(root: Path) -> None:
    (root / "notes.txt").write_text("x")
    manifest = (root / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="is not in the manifest's list of files"):
        bundle.reseal(root)
    assert (root / "manifest.json").read_bytes() == manifest


def test_fields_of_a_newer_version_survive(root: Path) -> None:
    path = root / "manifest.json"
    path.write_bytes(amend(path.read_bytes(), {"from_the_future": [1]}))
    bundle.reseal(root)
    assert b'"from_the_future"' in path.read_bytes()


def test_an_archive_cannot_be_sealed(root: Path, tmp_path: Path) -> None:
    bundle.pack(root, tmp_path / "x.lkb")
    with pytest.raises(BundleError, match="is no directory"):
        bundle.reseal(tmp_path / "x.lkb")


def test_a_baseline_can_be_made_from_an_archive(root: Path, tmp_path: Path) -> None:
    bundle.pack(tmp_path / "made" / "replay", tmp_path / "r.lkb")
    shutil.rmtree(root / "baseline")
    bundle.strip_audio(tmp_path / "r.lkb", root / "baseline")
    assert bundle.read_baseline(root) is not None
