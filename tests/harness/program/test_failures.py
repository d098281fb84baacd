"""What goes wrong is said in one message: what, where, what next; other calls are not touched."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.harness.program.conftest import Load
from tests.harness.program.replay import PROGRAMS, plan_and_pcm

LIFECYCLE = str(PROGRAMS / "lifecycle.py")


def line(text: str, program: str = LIFECYCLE) -> str:
    lines = Path(program).read_text().splitlines()
    (number,) = [number for number, content in enumerate(lines, 1) if text in content]
    return f"{program}:{number}"


def shown(error: dict[str, Any]) -> tuple[str, str, str | None]:
    assert "Traceback" not in error["message"]
    return error["kind"], error["message"], error["where"]


@pytest.mark.parametrize(
    ("how", "kind", "message", "text"),
    [
        (
            "exit at import",
            "build_exit",
            "the program exited saying: no licence before it started a worker",
            'sys.exit("no licence")',
        ),
        (
            "raise at import",
            "build_import",
            "the program cannot be loaded: ValueError: the settings are wrong",
            "raise ValueError",
        ),
        (
            "import",
            "build_import",
            "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
            "import a_package_that_nobody_has",
        ),
    ],
)
def test_a_program_that_does_not_load(
    load: Load, how: str, kind: str, message: str, text: str
) -> None:
    program = load("lifecycle.py", how)
    assert program.ready["op"] == "failed"
    assert shown(program.ready["error"]) == (kind, message, line(text))
    assert program.ready["error"]["next_step"]
    assert program.server.exit_status() == 1


@pytest.mark.parametrize(
    ("program", "kind", "message"),
    [
        ("nothing.py", "no_server", "the program ended without an agent server"),
        ("no_session.py", "no_session", "the program's server has no session to start"),
        (
            "two_servers.py",
            "several_servers",
            "the program has several servers and starts none: inbound, outbound",
        ),
        ("absent.py", "build_import", "there is no program: No such file or directory"),
    ],
)
def test_a_program_without_something_to_serve(
    load: Load, program: str, kind: str, message: str
) -> None:
    ready = load(program).ready
    assert ready["op"] == "failed"
    assert shown(ready["error"]) == (kind, message, str(PROGRAMS / program))


def test_a_program_that_crashes_at_import(load: Load) -> None:
    ready = load("lifecycle.py", "crash at import").ready
    assert shown(ready["error"]) == (
        "build_crash",
        "the program's process was killed by SIGSEGV while it was loaded",
        LIFECYCLE,
    )


@pytest.mark.parametrize(
    ("how", "kind", "message", "text"),
    [
        (
            "raise",
            "entrypoint_raised",
            "the entrypoint raised LookupError: no such customer",
            "raise LookupError",
        ),
        (
            "raise before connecting",
            "entrypoint_raised",
            "the entrypoint raised KeyError: 'no such customer'",
            "raise KeyError",
        ),
        (
            "raise in prewarm",
            "prewarm_raised",
            "prewarm (setup_fnc) raised RuntimeError: no weights",
            "raise RuntimeError",
        ),
        (
            "sys.exit",
            "program_exit",
            "the program exited with status 3 in the middle of the call",
            "sys.exit(3)",
        ),
        ("reject", "job_rejected", "the program rejected the job", None),
    ],
)
def test_a_call_whose_program_gives_up(
    load: Load, how: str, kind: str, message: str, text: str | None
) -> None:
    call = load("lifecycle.py", how).call(caller=plan_and_pcm([0.6]))
    assert call.status == 0
    assert shown(call.result["error"]) == (kind, message, line(text) if text else None)


def test_a_call_that_never_ends_meets_the_horizon(load: Load) -> None:
    call = load("lifecycle.py", "never return").call(
        caller=plan_and_pcm([0.6]), horizon_us=5_000_000
    )
    error = call.result["error"]
    assert error["kind"] == "horizon"
    assert "lifecycle.py" in error["message"]


@pytest.mark.parametrize(("how", "status"), [("segfault", -11), ("exit", 7)])
def test_a_call_whose_process_dies_leaves_no_result_and_harms_nobody(
    load: Load, how: str, status: int
) -> None:
    program = load("lifecycle.py", how)
    first, second = program.call(caller=plan_and_pcm([0.6])), program.call()
    assert (first.status, first.result) == (status, {})
    assert (second.status, second.result) == (status, {})


def test_a_busy_loop_is_killed_by_the_parent(load: Load) -> None:
    program = load("lifecycle.py", "busy")
    directory = program.start(caller=plan_and_pcm([0.6]))
    pid = program.wait("started", str(directory))["pid"]
    os.killpg(pid, signal.SIGKILL)
    assert program.end_of(directory).status == -9


def test_a_program_that_prints_without_end_is_drained(load: Load) -> None:
    call = load("lifecycle.py", "print").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok"
    assert call.texts("assistant")[0] == "One moment."


def test_children_die_with_their_server_and_the_server_with_its_parent(load: Load) -> None:
    program = load("lifecycle.py", "busy")
    directory = program.start(caller=plan_and_pcm([0.6]))
    pid = program.wait("started", str(directory))["pid"]
    program.server.socket.close()
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert program.server.exit_status() == 0
