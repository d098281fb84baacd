"""Calls of one build that end badly, side by side with calls that do not, through the pool."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lkgate.model.build import Build
from lkgate.replay.outcome import Failure, Job, Outcome
from lkgate.replay.pool import replay_calls
from tests.harness.program.replay import PROGRAMS, plan_and_pcm, write_job

PROGRAM = PROGRAMS / "fates.py"
FATES = re.findall(r"^async def (\w+)", PROGRAM.read_text().partition("say(")[2], re.MULTILINE)
# Those that only the wall clock ends.
IN_EARNEST = {"spins", "spins in a thread", "sleeps in earnest"}
WALL_LIMIT_S = 2.0

Outcomes = Mapping[str, Outcome]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Every fate, and a good call before and after them."""
    work = tmp_path_factory.mktemp("fates")
    fates = [name.replace("_", " ") for name in FATES if name != "lives"]
    jobs = []
    caller = plan_and_pcm([0.6])
    for name in ["first", *fates, "last"]:
        directory = work / name
        room = "lives" if name in ("first", "last") else name
        write_job(directory, *caller, call="call", room=room)
        limit_s = WALL_LIMIT_S if name in IN_EARNEST else None
        jobs.append(Job(name, directory, work / f"{name}.bundle", wall_limit_s=limit_s))
    build = Build("fates", Path(sys.executable), PROGRAM, None, (), PROGRAMS, {})
    done = replay_calls(build, jobs, workers=2, wall_limit_s=60, on_event=lambda _: None)
    return {one.call: one for one in done}


def line(text: str) -> str:
    lines = PROGRAM.read_text().splitlines()
    (number,) = [number for number, content in enumerate(lines, 1) if text in content]
    return f"{PROGRAM}:{number}"


def failure_of(outcome: Outcome) -> Failure:
    failure = outcome.failure
    assert failure is not None
    assert "Traceback" not in failure.message
    assert failure.next_step
    return failure


def events(outcome: Outcome) -> list[tuple[int, str, object]]:
    assert outcome.failure is None and outcome.bundle is not None
    return [(event.t_us, event.kind, event.data) for event in outcome.bundle.events]


def test_the_good_calls_are_equal(outcomes: Outcomes) -> None:
    assert "alive" in outcomes["first"].output
    assert events(outcomes["first"]) == events(outcomes["last"])


@pytest.mark.parametrize(
    ("name", "kind", "message", "text"),
    [
        (
            "raises",
            "entrypoint_raised",
            "the entrypoint raised LookupError: no such customer",
            "raise LookupError",
        ),
        (
            "lacks a package",
            "entrypoint_raised",
            "the entrypoint raised ModuleNotFoundError: No module named "
            "'a_package_that_nobody_has'",
            "import a_package_that_nobody_has",
        ),
        (
            "recurses",
            "entrypoint_raised",
            "the entrypoint raised RecursionError: maximum recursion depth exceeded",
            "await recurses(ctx)",
        ),
        (
            "meets the end",
            "entrypoint_raised",
            "the entrypoint raised ValueError: after the end",
            'raise ValueError("after the end")',
        ),
        (
            "interrupts itself",
            "program_exit",
            "the program was interrupted in the middle of the call: KeyboardInterrupt",
            "os.kill(os.getpid(), signal.SIGINT)",
        ),
        (
            "exits",
            "program_exit",
            "the program exited with status 3 in the middle of the call",
            "sys.exit(3)",
        ),
    ],
)
def test_what_is_raised_is_passed_on(
    outcomes: Outcomes, name: str, kind: str, message: str, text: str
) -> None:
    failure = failure_of(outcomes[name])
    assert (failure.kind, failure.message, failure.where) == (kind, message, line(text))


def test_a_missing_package_is_named_with_its_interpreter(outcomes: Outcomes) -> None:
    assert failure_of(outcomes["lacks a package"]).next_step == (
        f"Install what 'a_package_that_nobody_has' comes from into {sys.executable}, "
        "or correct the import."
    )


@pytest.mark.parametrize(
    ("name", "said", "text"),
    [
        ("crashes", "the call's process was killed by SIGSEGV", "ctypes.string_at(0)"),
        (
            "exits at once",
            "the call's process exited with status 7 in the middle of the call",
            "os._exit(7)",
        ),
    ],
)
def test_a_crash_names_its_line(outcomes: Outcomes, name: str, said: str, text: str) -> None:
    failure = failure_of(outcomes[name])
    assert failure.kind == "crash"
    assert failure.message.startswith(said)
    assert failure.where == line(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spins", "pass  # for ever"),
        ("spins in a thread", "pass  # in a thread"),
        ("sleeps in earnest", "sleep(3600)  # of the machine"),
    ],
)
def test_the_wall_clock_ends_what_takes_no_virtual_time(
    outcomes: Outcomes, name: str, text: str
) -> None:
    failure = failure_of(outcomes[name])
    assert failure.kind == "wall_limit"
    assert failure.message == "the call was still running after 2 s of real time"
    file, _, number = (failure.where or "").rpartition(":")
    last = int(line(text).rpartition(":")[2])
    assert file == str(PROGRAM)
    assert last - 1 <= int(number) <= last  # a loop is at its head or in its body


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("locks itself", "lock.acquire()  # again"),
        ("waits for a thread", "kitchen.join()"),
    ],
)
def test_a_deadlock_of_the_main_thread_names_its_line(
    outcomes: Outcomes, name: str, text: str
) -> None:
    failure = failure_of(outcomes[name])
    assert failure.kind == "deadlock"
    assert failure.where == line(text)
    assert failure.message.startswith("everything waits for something that can never come:\n")


def test_a_deadlock_of_tasks_lists_what_they_wait_for(outcomes: Outcomes) -> None:
    failure = failure_of(outcomes["never shuts down"])
    assert failure.kind == "deadlock"
    bye = line("wait()  # for nothing")
    assert f"job_shutdown_callback: {bye} in never_shuts_down.<locals>.bye" in failure.message


def test_a_call_without_end_meets_the_horizon(outcomes: Outcomes) -> None:
    failure = failure_of(outcomes["never returns"])
    assert failure.kind == "horizon"
    assert f"job_user_entrypoint: {line('sleep(3600)  # virtual')} in" in failure.message


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("stops the loop", "stopped the event loop"),
        ("cancels everything", "cancelled tasks that it did not create"),
        ("closes everything", "closed files that it did not open"),
    ],
)
def test_meddling_is_not_called_a_bug_of_lkgate(outcomes: Outcomes, name: str, what: str) -> None:
    failure = failure_of(outcomes[name])
    assert failure.kind == "program_meddles"
    assert failure.message == f"the program {what}, and with it the call"


@pytest.mark.parametrize("name", ["forks", "forks for ever", "prints", "raises in a task"])
def test_what_does_not_concern_the_call_does_not_change_it(outcomes: Outcomes, name: str) -> None:
    expected = outcomes["first"]
    assert outcomes[name].failure is None
    assert [kind for _, kind, _ in events(outcomes[name])] == [
        kind for _, kind, _ in events(expected)
    ]


def test_what_blocks_the_loop_takes_virtual_time(outcomes: Outcomes) -> None:
    assert outcomes["blocks the loop"].failure is None
    assert "blocked for 5 s" in outcomes["blocks the loop"].output


def test_only_the_end_of_what_is_printed_is_kept(outcomes: Outcomes) -> None:
    assert outcomes["prints"].failure is None
    assert len(outcomes["prints"].output) < 1 << 17
