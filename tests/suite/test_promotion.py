"""A call from production among the recordings, and what each of those has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lkgate import bundle
from lkgate.errors import BundleError, ConfigError
from lkgate.report.accepting import listed, rows
from lkgate.suite import entries, promote
from tests.bundle.sessions import make_bundle, make_replay, write_journal


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """As it comes from production: nobody labelled it."""
    bundle.close_journal(write_journal(tmp_path / "j", {"cassette": "full"}), tmp_path / "room-7")
    return tmp_path / "room-7"


def test_it_is_copied_and_its_labels_are_drafted(call: Path, tmp_path: Path) -> None:
    made = promote(call, tmp_path / "recordings", None)
    assert (made.copied, made.drafted) == (True, True)
    assert made.recording.call == "room-7"
    assert made.recording.path == tmp_path / "recordings" / "room-7"
    assert made.recording.bundle.labels is not None
    assert not made.recording.bundle.labels.reviewed
    assert bundle.verify(made.recording.path).manifest.digest == bundle.read(call).manifest.digest
    assert bundle.read(call).labels is None


def test_again_goes_on_where_it_was_stopped(call: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    promote(call, recordings, "refund")
    again = promote(call, recordings, "refund")
    assert (again.copied, again.drafted) == (False, False)
    shutil.rmtree(recordings / "refund")
    shutil.copytree(call, recordings / "refund")
    again = promote(call, recordings, "refund")
    assert (again.copied, again.drafted) == (False, True)


def test_nothing_is_copied_if_no_labels_can_be_drafted(
    call: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkgate.bundle.draft.MAX_BYTES", 10)
    with pytest.raises(BundleError, match="a draft of its labels would be larger than 10 bytes"):
        promote(call, tmp_path / "recordings", None)
    assert not (tmp_path / "recordings").exists()


def test_an_archive_with_labels_and_a_baseline_keeps_the_labels(tmp_path: Path) -> None:
    bundle.pack(make_bundle(tmp_path / "made"), tmp_path / "a-call.lkb")
    made = promote(tmp_path / "a-call.lkb", tmp_path / "recordings", None)
    assert (made.recording.call, made.drafted) == ("a-call", False)
    assert bundle.read_baseline(made.recording.path) is None


def test_what_cannot_be_a_test_case(call: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    for name in ("../out", "", ".hidden", "a/b", "x.unfinished", "x.lkb", "a\x1b[2J"):
        with pytest.raises(ConfigError, match="a call cannot be called"):
            promote(call, recordings, name)
    replay = make_replay(tmp_path / "r", bundle.read(call))
    with pytest.raises(BundleError, match="this is a replay"):
        promote(replay, recordings, None)
    bundle.close_journal(write_journal(tmp_path / "k", {"id": "b"}), recordings / "room-7")
    with pytest.raises(BundleError, match="another recording has this name already"):
        promote(call, recordings, None)
    bundle.pack(call, recordings / "other.lkb")
    with pytest.raises(BundleError, match=r"other\.lkb: another recording has this name"):
        promote(call, recordings, "other")
    flac = call / "audio" / "caller.flac"
    flac.write_bytes(flac.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"caller\.flac"):
        promote(call, recordings, "cut")
    assert sorted(path.name for path in recordings.iterdir()) == ["other.lkb", "room-7"]


def test_the_list_says_what_each_has(call: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    promote(call, recordings, "draft")
    shutil.copytree(make_bundle(tmp_path / "made"), recordings / "whole")
    bundle.pack(call, recordings / "bare.lkb")
    (recordings / "README.md").write_text("not a recording")
    (recordings / "damaged").mkdir()
    shutil.copytree(recordings / "whole", recordings / "old")
    (recordings / "old" / "baseline" / "events.jsonl").unlink()
    (recordings / "cut.unfinished").mkdir()
    found = list(entries(recordings))
    assert listed(found).plain == (
        "recording       source  length  turns  cassette  labels    baseline\n"
        "bare            record   0.5 s      2  full      none      none\n"
        "cut.unfinished  was never finished\n"
        "damaged         no bundle: it has no manifest.json\n"
        "draft           record   0.5 s      2  full      draft     none\n"
        "old             record   0.5 s      2  full      reviewed  damaged "
        "(baseline/events.jsonl: is missing)\n"
        "whole           record   0.5 s      2  full      reviewed  v2\n"
    )
    assert [one.call for one in found if one.wrong is not None] == [
        "cut.unfinished", "damaged", "old",
    ]  # fmt: skip
    by_name = {row["recording"]: row for row in rows(found)}
    assert by_name["whole"]["baseline"] == {
        "build": "v2",
        "digest": bundle.read(recordings / "whole" / "baseline").manifest.digest,
        "by": None,
        "on": None,
        "reason": None,
        "stale": [],
    }
    assert by_name["old"]["error"] == "baseline/events.jsonl: is missing"
    assert "lkgate accept old " in str(by_name["old"]["next_step"])
    assert (by_name["old"]["labels"], by_name["old"]["baseline"]) == ("reviewed", None)
    assert by_name["draft"]["labels"] == "draft"
    assert by_name["cut.unfinished"]["next_step"] == f"lkgate recover {recordings}/cut.unfinished"
    assert list(entries(tmp_path / "nowhere")) == []
