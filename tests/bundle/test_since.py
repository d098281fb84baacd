"""A baseline and the cassette that answered it: unchanged, grown, or another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate import bundle
from lkgate.bundle.manifest import file_out
from lkgate.model.bundle import FileEntry
from tests.bundle.sessions import make_bundle, write_journal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "made", baseline=False)


def answered_by(root: Path) -> FileEntry:
    found = bundle.cassette_index(bundle.read(root).manifest)
    assert found is not None
    return found


def test_a_replay_and_its_baseline_keep_what_answered_them(root: Path, tmp_path: Path) -> None:
    recording, index = bundle.read(root), answered_by(root)
    header = {"source": "replay", "recording_digest": recording.manifest.digest}
    plain = bundle.close_journal(write_journal(tmp_path / "p", header), tmp_path / "plain")
    journal = write_journal(tmp_path / "j", {**header, "answered_by": file_out(index)})
    closed = bundle.close_journal(journal, tmp_path / "replay")
    assert bundle.read(tmp_path / "replay").manifest.answered_by == index
    # It is what a replay was made from, and no part of what happened in it.
    assert closed.manifest.digest == plain.manifest.digest
    assert plain.manifest.answered_by is None
    bundle.strip_audio(tmp_path / "replay", root / "baseline")
    baseline = bundle.read_baseline(root)
    assert baseline is not None
    assert baseline.manifest.answered_by == index


@pytest.mark.parametrize("packed", [False, True])
def test_states(root: Path, tmp_path: Path, packed: bool) -> None:
    def state(index: FileEntry | None) -> str:
        if not packed:
            return bundle.cassette_since(root, index)
        archive = tmp_path / "now.lkb"
        archive.unlink(missing_ok=True)
        bundle.pack(root, archive)
        return bundle.cassette_since(archive, index)

    before, path = answered_by(root), root / "cassette" / "index.jsonl"
    assert state(None) == "unknown"
    assert state(before) == "same"
    path.write_text(path.read_text() + '{"key":"l"}\n')
    bundle.reseal(root)
    assert state(before) == "grown"
    assert state(answered_by(root)) == "same"
    path.write_text(path.read_text().replace('"k"', '"j"'))
    bundle.reseal(root)
    assert state(before) == "changed"
    path.unlink()
    bundle.reseal(root)
    assert state(before) == "changed"
    assert state(None) == "none"
