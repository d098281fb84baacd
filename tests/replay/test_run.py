"""Recordings into a build, from directory to digest, with a server that only pretends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lkgate.bundle import cassette_index, pack, read
from lkgate.config import load_config
from lkgate.errors import BuildError, BundleError, ConfigError
from lkgate.model.build import Build
from lkgate.replay.pool import Progress
from lkgate.replay.recordings import names_of_recordings
from lkgate.replay.run import (
    Recording,
    ReplayOptions,
    ReplaySet,
    find_recordings,
    read_recordings,
    replay,
    verify,
)
from lkgate.suite import entries
from tests.replay.recorded import record

FAKE = Path(__file__).with_name("fake_server.py")


def build(tmp_path: Path, does: str = "ok") -> Build:
    program = tmp_path / "agents" / "agent.py"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"# DO {does}\n")
    return Build("v9", Path(sys.executable), program, None, (), tmp_path, {})


def options(tmp_path: Path, **more: object) -> ReplayOptions:
    return ReplayOptions(state=tmp_path / ".lkgate", boot=FAKE, workers=2, **more)  # type: ignore[arg-type]


def recordings(tmp_path: Path) -> list[Recording]:
    return read_recordings(find_recordings(tmp_path / "recordings"))


def run(tmp_path: Path, does: str = "ok", **more: object) -> ReplaySet:
    chosen = options(tmp_path, **more)
    return replay(recordings(tmp_path), build(tmp_path, does), chosen, lambda _: None)


def test_a_replay_is_a_bundle_that_knows_its_recording(tmp_path: Path) -> None:
    record(tmp_path, "one")
    record(tmp_path, "two")
    done = run(tmp_path)
    assert [one.recording.call for one in done.calls] == ["one", "two"]
    assert done.digest is not None and done.build.name == "v9"
    for one in done.calls:
        assert one.path == tmp_path / ".lkgate/replays/v9" / one.recording.call
        manifest = read(one.path).manifest
        assert manifest.source == "replay" and manifest.id == one.recording.call
        assert manifest.recording_digest == one.recording.bundle.manifest.digest
        assert manifest.build == done.build
    assert list((tmp_path / ".lkgate/work").iterdir()) == []
    assert (tmp_path / ".lkgate/.gitignore").read_text() == "*\n"


def test_a_replay_knows_the_cassette_that_answered_it(tmp_path: Path) -> None:
    path = record(tmp_path, "one")
    index = cassette_index(read(path).manifest)
    assert index is not None
    for models, known in (("cassette", index), ("live", None)):
        (one,) = run(tmp_path, models=models).calls
        assert one.path is not None
        assert read(one.path).manifest.answered_by == known


def test_the_job_says_all_that_a_child_needs(tmp_path: Path) -> None:
    record(tmp_path, "one")
    run(tmp_path, does="tell", seed=4)
    told = json.loads((tmp_path / "told.json").read_text())
    plan = told.pop("plan")
    assert [said["anchor"]["kind"] for said in plan["utterances"]] == ["after_agent"]
    assert told.pop("cassette")["mode"] == "cassette"
    assert told.pop("seed") > 0
    assert told == {
        "call": "one",
        "started_at_unix_us": 1_735_689_600_000_000,
        "room": "room",
        "tools": {"default": "error", "by_name": {}},
        "link_latency_us": 45_000,
        "horizon_us": 132_000_000,
        "agent_identity": "bot",
        "memory": str(tmp_path / ".lkgate/memory/v9/one"),
    }


def test_a_replay_that_is_to_prove_something_remembers_nothing(tmp_path: Path) -> None:
    record(tmp_path, "one")
    chosen = options(tmp_path)
    verify(recordings(tmp_path), build(tmp_path, "tell"), chosen, lambda _: None, times=2)
    assert json.loads((tmp_path / "told.json").read_text())["memory"] is None


def test_a_failed_call_leaves_no_older_replay_behind(tmp_path: Path) -> None:
    record(tmp_path, "one")
    assert run(tmp_path).digest is not None
    done = run(tmp_path, does="crash")
    (one,) = done.calls
    assert done.digest is None and one.path is None
    assert one.outcome.failure is not None and one.outcome.failure.kind == "crash"
    home = tmp_path / ".lkgate/replays/v9"
    assert [path.name for path in home.iterdir()] == ["one.log"]
    assert (home / "one.log").read_text() == "about to crash\n"


def test_a_recording_that_cannot_be_replayed_fails_alone(tmp_path: Path) -> None:
    record(tmp_path, "bare", cassette=False)
    record(tmp_path, "good")
    record(tmp_path, "mute", caller=False)
    failures = [one.outcome.failure for one in run(tmp_path).calls]
    assert [failure and failure.message for failure in failures] == [
        "the recording holds no cassette and does not tell what was said, so nothing can answer "
        "the build's models",
        None,
        "the recording holds no audio of the caller, so there is nothing to replay",
    ]


def test_equal_runs_have_one_digest(tmp_path: Path) -> None:
    record(tmp_path, "one")
    chosen = options(tmp_path)
    found = verify(recordings(tmp_path), build(tmp_path), chosen, lambda _: None, times=3)
    assert found.same and len(set(found.digests)) == 1 and len(found.digests) == 3


def test_runs_that_differ_are_told(tmp_path: Path) -> None:
    record(tmp_path, "one")
    record(tmp_path, "two")
    chosen = options(tmp_path)
    found = verify(
        recordings(tmp_path), build(tmp_path, "chance two"), chosen, lambda _: None, times=2
    )
    assert not found.same and found.differing == {"two": None}


def test_a_run_that_failed_among_others_is_told(tmp_path: Path) -> None:
    record(tmp_path, "one")

    def spoil(progress: Progress) -> None:
        if progress.kind == "ended":
            build(tmp_path, "crash")

    found = verify(recordings(tmp_path), build(tmp_path), options(tmp_path), spoil, times=2)
    assert found.digests[0] is not None and found.digests[1] is None
    failure = found.differing["one"]
    assert failure is not None and failure.kind == "crash"


def test_an_archive_is_replayed_and_does_not_grow(tmp_path: Path) -> None:
    archive = tmp_path / "recordings" / "two.lkb"
    pack(record(tmp_path, "one"), archive)
    assert [one.path is not None for one in run(tmp_path).calls] == [True, True]
    with pytest.raises(ConfigError) as refused:
        run(tmp_path, models="record")
    assert str(refused.value) == (
        f"{archive}: new exchanges cannot be added to an archive\n"
        "  Unpack it into a directory first, or replay with `--models live`."
    )


def test_recorded_exchanges_join_the_cassette(tmp_path: Path) -> None:
    path = record(tmp_path, "one")
    before = read(path).manifest
    run(tmp_path, does="answer", models="record")
    after = read(path).manifest
    lines = (path / "cassette/index.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["a", "b"]
    assert (path / "cassette/blobs/b1").read_bytes() == b"pcm"
    assert after.digest == before.digest
    run(tmp_path, does="answer", models="record")
    assert read(path).manifest == after


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    record(tmp_path, "one")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for owner in (ended.pid, os.getpid()):
        (tmp_path / f".lkgate/work/{owner}-v9-x").mkdir(parents=True)
    run(tmp_path)
    left = [path.name for path in (tmp_path / ".lkgate/work").iterdir()]
    assert left == [f"{os.getpid()}-v9-x"]


def test_options_come_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text(
        "replay: {workers: 3, patience_s: 1.5, link_latency_ms: 20, seed: 9}\ntools: {book: run}\n"
    )
    found = ReplayOptions.of(load_config(tmp_path, environ={"LKGATE_MODELS": "live"}))
    assert (found.state, found.models, found.workers) == (tmp_path / ".lkgate", "live", 3)
    assert (found.patience_us, found.link_latency_us, found.seed) == (1_500_000, 20_000, 9)
    assert found.tools.by_name["book"].kind == "run"


def test_names_are_unique(tmp_path: Path) -> None:
    path = record(tmp_path, "one")
    pack(path, tmp_path / "one.lkb")
    with pytest.raises(ConfigError) as refused:
        read_recordings([path, tmp_path / "one.lkb"])
    assert str(refused.value) == (
        f"{tmp_path}/one.lkb: two recordings have the name `one`\n"
        f"  The other one is {path}; rename one."
    )


def test_a_name_that_no_report_can_hold(tmp_path: Path) -> None:
    one = record(tmp_path, "one")
    path = one.rename(one.with_name(os.fsdecode(b"caf\xe9")))
    with pytest.raises(BundleError, match="the name of this recording is no UTF-8"):
        read_recordings([path])
    (entry,) = entries(path.parent)
    assert isinstance(entry.held, BundleError)


def test_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such directory of recordings"):
        find_recordings(tmp_path / "none")
    with pytest.raises(ConfigError, match="there is no recording in this directory"):
        find_recordings(tmp_path)


def test_names_of_recordings(tmp_path: Path) -> None:
    assert names_of_recordings(tmp_path / "none") == []
    home = record(tmp_path, "one").parent
    pack(home / "one", home / "two.lkb")
    pack(home / "one", home / "one.lkb")
    for name in (".cache", "three.unfinished", "broken"):
        (home / name).mkdir()
    (home / "README.md").write_text("x", "utf-8")
    assert names_of_recordings(home) == ["broken", "one", "two"]


def test_no_recording_vanishes_unnoticed(tmp_path: Path) -> None:
    whole = record(tmp_path, "one")
    for name in ("README.md", ".DS_Store"):
        (whole.parent / name).write_text("x", "utf-8")
    (whole.parent / ".cache").mkdir()
    assert find_recordings(whole.parent) == [whole]
    broken, open_ = whole.parent / "broken", whole.parent / "two.unfinished"
    broken.mkdir()
    with pytest.raises(BundleError) as refused:
        find_recordings(whole.parent)
    assert str(refused.value) == (
        f"{broken}: this directory among the recordings has no manifest.json\n"
        "  Restore the recording, or move the directory elsewhere."
    )
    broken.rmdir()
    open_.mkdir()
    with pytest.raises(BundleError) as refused:
        find_recordings(whole.parent)
    assert str(refused.value) == (
        f"{open_}: this recording was never finished\n  Run `lkgate recover {open_}`, or remove it."
    )


def test_all_that_are_not_whole_are_told_at_once(tmp_path: Path) -> None:
    paths = [record(tmp_path, name) for name in ("one", "two", "whole")]
    for path in paths[:2]:
        (path / "events.jsonl").write_bytes(b"{}")
    with pytest.raises(BundleError) as refused:
        read_recordings(paths)
    told = [refused.value, *refused.value.also]
    assert [one.where for one in told] == [f"{path}/events.jsonl" for path in paths[:2]]
    for name in ("a", "b"):
        (tmp_path / "recordings" / name).mkdir()
    with pytest.raises(BundleError) as refused:
        find_recordings(tmp_path / "recordings")
    assert [Path(str(one.where)).name for one in (refused.value, *refused.value.also)] == ["a", "b"]


def test_an_interpreter_with_a_livekit_that_replays_do_not_know(tmp_path: Path) -> None:
    record(tmp_path, "one")
    python = tmp_path / "python"
    versions = {"python": "3.12.1", "livekit-agents": "1.6.10", "livekit": "1.1.14"}
    answer = json.dumps({"versions": versions, "module": None})
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    other = replace(build(tmp_path), python=python)
    with pytest.raises(BuildError, match=r"livekit-agents 1\.6\.10 is not supported") as refused:
        replay(recordings(tmp_path), other, options(tmp_path), lambda _: None)
    assert refused.value.where == str(python)
    assert not (tmp_path / ".lkgate").exists()
