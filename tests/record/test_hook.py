from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from lkgate.errors import ConfigError
from lkgate.record.hook import Hook, Outcome
from tests.live.conftest import wait_until

PYTHON = sys.executable


def run(hook: Hook, bundle: Path, environ: dict[str, str] | None = None) -> Outcome:
    return asyncio.run(hook.run(bundle, {**os.environ, **(environ or {})}))


def test_the_path_is_the_last_argument_and_a_variable(tmp_path: Path) -> None:
    bundle = tmp_path / "a b; touch harmed $(id) 'x'"
    script = "import os, sys; print(sys.argv[1:] == ['two words', os.environ['LKGATE_BUNDLE']])"
    hook = Hook.parse(f"{PYTHON} -c {script!r} 'two words'".replace(repr(script), f'"{script}"'))
    assert hook.words[-1] == "two words"
    assert run(hook, bundle) == Outcome(None, "True")
    assert list(tmp_path.iterdir()) == []


def test_failures_are_told(tmp_path: Path) -> None:
    fails = Hook((PYTHON, "-c", "import sys; print('no space'); sys.exit(3)"))
    assert run(fails, tmp_path) == Outcome("exit code 3", "no space")
    killed = Hook((PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"))
    assert run(killed, tmp_path) == Outcome("killed by signal 9", "")
    nothing = Hook(("/nowhere/at-all",))
    assert run(nothing, tmp_path) == Outcome("cannot be started: No such file or directory", "")


def test_what_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = 'sleep 60 & echo $! > "$0"; echo started; sleep 60'
    outcome = run(Hook(("sh", "-c", script, str(pid)), timeout_seconds=1.0), tmp_path)
    assert outcome == Outcome("killed after 1 s", "started")
    stat = Path(f"/proc/{pid.read_text().strip()}/stat")

    def dead() -> bool:
        # Or not yet waited for by whoever inherited it.
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"

    wait_until(dead, 10)


def test_what_it_left_running_goes_on(tmp_path: Path) -> None:
    script = '(read _; echo "$_" > "$0") < "$1" & echo started'
    gate, done = tmp_path / "gate", tmp_path / "done"
    os.mkfifo(gate)
    assert run(Hook(("sh", "-c", script, str(done), str(gate))), tmp_path) == Outcome(
        None, "started"
    )

    def read() -> bool:
        try:
            file = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody is there to read
            return False
        os.write(file, b"go\n")
        os.close(file)
        return True

    wait_until(read, 10)
    wait_until(done.exists, 10)


def test_secrets_are_not_in_what_is_told(tmp_path: Path) -> None:
    hook = Hook((PYTHON, "-c", "import os; print(os.environ['UPLOAD_TOKEN'])"))
    assert run(hook, tmp_path, {"UPLOAD_TOKEN": "very-secret-value"}).output == "[UPLOAD_TOKEN]"


def test_much_output_is_cut(tmp_path: Path) -> None:
    hook = Hook((PYTHON, "-c", "print('x' * 1_000_000 + 'end')"))
    output = run(hook, tmp_path).output
    assert len(output) <= 2_000 and output.endswith("xend")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("  ", "--on-bundle names no command"),
        ("x 'y", "--on-bundle cannot be split into words: No closing quotation"),
    ],
)
def test_a_command_that_is_none(command: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Hook.parse(command)
    assert str(caught.value) == message
