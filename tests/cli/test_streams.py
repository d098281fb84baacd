"""Whoever reads the output may leave, and an exit code still says what the command found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click
import pytest

from lkgate.cli import main
from lkgate.cli.streams import keep_streams

ROOT = Path(__file__).parents[2]


@pytest.fixture
def unread() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def run(
    *words: str, stdout: int | IO[str], stderr: int | IO[str], before: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'{before} exec "$0" -m lkgate "$@"', sys.executable, *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=60,
    )


def test_a_reader_that_leaves_takes_no_exit_code_along(unread: int) -> None:
    done = run("metrics", stdout=unread, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert run("show", "nothing", stdout=unread, stderr=unread).returncode == 2


def test_streams_may_be_closed() -> None:
    pipe = subprocess.PIPE
    done = run("metrics", "call_cost", stdout=pipe, stderr=pipe, before="exec <&- >&-;")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        run("metrics", "call_cost", stdout=pipe, stderr=pipe, before="exec >&- 2>&-;").returncode
        == 0
    )


def test_a_full_disk_is_never_a_verdict() -> None:
    with Path("/dev/full").open("w") as full:
        done = run("config", stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 4
        assert done.stderr.splitlines()[0] == "error: the output: No space left on device"
        assert "Traceback" not in done.stderr
        assert run("config", stdout=full, stderr=full).returncode == 4


def test_what_was_put_there_stays(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    keep_streams()
    assert (sys.stdout, sys.stderr) == before


def test_any_other_pipe_that_breaks_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not 1, as click would have it: that is a gate's word."""

    @click.command("breaks")
    def breaks() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(main.cli, "get_command", lambda *_: breaks)
    with pytest.raises(SystemExit) as stop:
        main.main(["metrics"])
    assert stop.value.code == 4
    assert capsys.readouterr().err == "error: what was being written to is no longer read\n"
