"""One call's end is that call's alone; a build's end is named."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.replay.outcome import Job, Outcome
from lkgate.replay.pool import Progress, replay_calls

FAKE = Path(__file__).with_name("fake_server.py")


def build(tmp_path: Path, text: str = "") -> Build:
    program = tmp_path / "agent.py"
    program.write_text(text)
    return Build("v9", Path(sys.executable), program, None, (), tmp_path, {})


def replay(
    tmp_path: Path,
    *what: str,
    text: str = "",
    workers: int = 2,
    wall_limit_s: float = 60.0,
    load_limit_s: float = 60.0,
    seen: list[Progress] | None = None,
) -> list[Outcome]:
    jobs = []
    for number, do in enumerate(what):
        directory = tmp_path / f"job{number}"
        directory.mkdir()
        call = f"{number}-{do}"
        (directory / "job.json").write_text(json.dumps({"do": do, "call": call}))
        jobs.append(Job(call, directory, tmp_path / "out" / call))
    return replay_calls(
        build(tmp_path, text),
        jobs,
        workers=workers,
        wall_limit_s=wall_limit_s,
        on_event=(seen if seen is not None else []).append,
        boot=FAKE,
        load_limit_s=load_limit_s,
    )


def refused(tmp_path: Path, text: str, load_limit_s: float = 60.0) -> str:
    with pytest.raises(BuildError) as error:
        replay(tmp_path, "ok", text=text, load_limit_s=load_limit_s)
    return str(error.value).replace(str(tmp_path), "PROJECT")


def test_calls_become_bundles_in_their_order(tmp_path: Path) -> None:
    seen: list[Progress] = []
    outcomes = replay(tmp_path, "ok", "ok", "ok", workers=2, seen=seen)
    assert [one.call for one in outcomes] == ["0-ok", "1-ok", "2-ok"]
    for one in outcomes:
        assert one.failure is None and one.bundle is not None
        assert one.bundle.manifest.id == one.call
        assert one.stats == {"virtual_us": 7}
    assert [one.kind for one in seen[:4]] == ["loading", "ready", "started", "started"]
    assert sorted(one.call or "" for one in seen if one.kind == "ended") == [
        "0-ok",
        "1-ok",
        "2-ok",
    ]


def test_a_crash_ends_its_call_alone(tmp_path: Path) -> None:
    outcomes = replay(tmp_path, "ok", "crash", "exit", "garbage", "no_journal", "error", "ok")
    failures = [one.failure for one in outcomes]
    assert failures[0] is None and failures[6] is None
    assert [(one.kind, one.message) for one in failures[1:4] if one] == [
        ("crash", "the call's process was killed by SIGSEGV; it last printed:\nabout to crash"),
        ("crash", "the call's process exited with status 3 in the middle of the call"),
        ("crash", "the call's process left a result that cannot be read"),
    ]
    assert failures[4] is not None and failures[4].kind == "bundle"
    assert failures[5] is not None
    assert (failures[5].kind, failures[5].message, failures[5].where) == (
        "entrypoint",
        "ValueError: no",
        "a.py:3",
    )


def test_a_hang_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    outcomes = replay(tmp_path, "hang", "ok", "ok", wall_limit_s=1.0)
    (failure, *others) = [one.failure for one in outcomes]
    assert failure is not None and failure.kind == "wall_limit"
    assert failure.message == "the call was still running after 1 s of real time"
    assert outcomes[0].output == "hanging"
    assert others == [None, None]
    assert not running(tmp_path / "job0" / "stray.pid")


def test_a_build_that_prints_without_end_is_drained(tmp_path: Path) -> None:
    (outcome,) = replay(tmp_path, "print")
    assert outcome.failure is None
    log = (tmp_path / "job0" / "output.log").read_text()
    assert log.startswith("[... 20414464 bytes before this are not kept ...]\n")
    assert len(log) < 70_000


def test_the_servers_death_ends_what_was_left(tmp_path: Path) -> None:
    outcomes = replay(tmp_path, "ok", "kill_server", "ok", workers=1)
    assert outcomes[0].failure is None
    for outcome in outcomes[1:]:
        assert outcome.failure is not None and outcome.failure.kind == "server"
        assert outcome.failure.message == (
            "build `v9` was killed by signal 9 while calls were replayed"
        )


def test_a_child_that_outlives_the_server_does_not_outlive_the_replay(tmp_path: Path) -> None:
    replay(tmp_path, "kill_server")
    assert not running(tmp_path / "job0" / "child.pid")


def running(pid: Path) -> bool:
    """Whether the process is still there; a killed one may need a moment to go."""
    status = Path(f"/proc/{pid.read_text()}/stat")
    for _ in range(500):
        try:
            if status.read_text().split()[2] == "Z":
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.01)
    return True


def test_a_program_that_exits(tmp_path: Path) -> None:
    assert refused(tmp_path, "EXIT") == (
        "PROJECT/agent.py: build `v9` exited with status 1 while the program was loaded; "
        "it last printed:\nTraceback: something at import"
    )


def test_a_program_that_hangs(tmp_path: Path) -> None:
    assert refused(tmp_path, "HANG", load_limit_s=2.0) == (
        "PROJECT/agent.py: build `v9` was still loading after 2 s; it last printed:\n"
        "waiting for a database\n"
        "  Its module level must end: put what runs for ever under "
        '`if __name__ == "__main__":`, in `cli.run_app`. If it only takes long, raise '
        "`load_limit_s`."
    )


def test_a_program_that_the_harness_refuses(tmp_path: Path) -> None:
    assert refused(tmp_path, "REFUSE") == ("a.py:1: build `v9`: no module `foo`\n  Install it.")


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.kind == "started":
            raise KeyboardInterrupt

    directory = tmp_path / "job"
    directory.mkdir()
    (directory / "job.json").write_text(json.dumps({"do": "hang", "call": "c"}))
    before = _descriptors()
    with pytest.raises(KeyboardInterrupt):
        replay_calls(
            build(tmp_path),
            [Job("c", directory, tmp_path / "out")],
            workers=1,
            wall_limit_s=60,
            on_event=interrupt,
            boot=FAKE,
        )
    assert _descriptors() == before
    assert not (directory / "output").exists()


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
