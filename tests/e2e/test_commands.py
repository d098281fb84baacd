"""Every block of commands in README and docs/ runs, line by line, as a reader would type it.

What cannot run here stands in ``NOT_RUN`` with the reason, and in docs/README.md. Replays that many
pages ask for are made once (:mod:`tests.e2e.kept`); ``-m soak`` makes each anew. The tutorial has a
test of its own, which also compares what is printed: tests/e2e/test_docs.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from lkgate import loopback
from lkgate.cli import main
from lkgate.replay import run
from tests.e2e.kept import Kept
from tests.e2e.pages import PREPARED, repository
from tests.test_docs import ALL, ROOT, Block, commands, printed

# By how they begin; the text stands in docs/README.md as well.
NOT_RUN = {
    "python -m pip install": "installs from a package index; CI does it",
    "python -m pytest": "these are the tests",
    "export LIVEKIT_URL": "credentials of a server, for the two below",
    "lkgate record": "a LiveKit server and people who talk; `tests/live` runs it against one",
    "lkgate replay --transport room": "a LiveKit server; `tests/live` runs it against one",
    "uvx --from lkgate[demo] lkgate demo": "all of the demo; `tests/e2e/test_demo.py` runs it",
}
# Each brings lkgate into an environment of its own; from there on it is lkgate.
BRINGERS = (("uvx",), ("pipx", "run"))
# What a reader puts in place of words of a page.
MEANT = {"candidate": "v2", "CALL": "emergency"}
# What is shown is what this repository's recordings give.
COMPARED = {"statistics.md"}

BEFORE = {"judges.md": "lkgate replay --against v2 --no-gate"}


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


def of_commands(block: Block) -> bool:
    return block.kind == "sh" or (block.kind == "" and not printed(block))


def lines_of(block: Block) -> list[str]:
    """The commands to run, each a line; of what a terminal shows, those behind a ``$``."""
    if of_commands(block):
        text = block.text.replace("\\\n", " ")
        return [text] if re.search(r"^for ", text, re.MULTILINE) else text.splitlines()
    return re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)


BLOCKS = [block for block in ALL if lines_of(block) and not block.where.startswith("tutorial.md")]
PAGES = sorted({block.where.partition(":")[0] for block in BLOCKS})


def not_run(words: list[str]) -> str | None:
    """The beginning in ``NOT_RUN`` that a command has."""
    line = " ".join(words)
    return next((start for start in NOT_RUN if line.startswith(start)), None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replays")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the demo's agent and two of its calls."""
    repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loopback, "serve", _served_once(loopback.serve))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "git's")
    return tmp_path


def _served_once(serve: Callable[..., Coroutine[None, None, None]]) -> Callable[..., object]:
    async def once(report: Path, *, port: int, token: str, on_ready: Callable[[str], None]) -> None:
        """Until it answers, at a port that is free, as if Ctrl-C followed."""
        answers = asyncio.Event()

        def ready(address: str) -> None:
            on_ready(address)
            answers.set()

        serving = asyncio.create_task(serve(report, port=0, token=token, on_ready=ready))
        waiting = asyncio.create_task(answers.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        assert answers.is_set()

    return once


def lkgate(*words: str) -> str:
    """Runs here, at a terminal where somebody says yes, must end with 0; what it prints."""
    out, err = io.StringIO(), Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", Terminal("y\n" * 9))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main._run(list(words), debug=True)
    assert code == 0, f"lkgate {' '.join(words)}\n{out.getvalue()}{err.getvalue()}"
    return out.getvalue()


def _stand_in(words: list[str], project: Path) -> None:
    """What a command that is not run would have left."""
    if words[:2] == ["lkgate", "record"] and "my-room" in words:
        shutil.rmtree(project / "recordings")
        made = project / "recordings/my-room-20260301-093000"
        shutil.copytree(ROOT / "recordings/emergency", made)
        shutil.rmtree(made / "baseline")


def type_line(line: str, project: Path) -> str:
    """Run the commands of a line; what lkgate printed."""
    said = ""
    for typed in commands(line):
        if not_run(typed) is not None:
            _stand_in(typed, project)
            continue
        words = [_meant(word) for word in typed]
        for bringer in BRINGERS:
            if tuple(words[: len(bringer)]) == bringer:
                words = words[len(bringer) :]
        if words[0] == "lkgate":
            said += lkgate(*words[1:])
        else:
            subprocess.run(words, cwd=project, check=True, timeout=60)
    return said


def _meant(word: str) -> str:
    if word.endswith("..."):  # the page cannot know the date
        (found,) = Path().glob(f"{word.removesuffix('...')}*")
        return str(found)
    return MEANT.get(word, word)


def script(text: str, project: Path, store: Path | None) -> None:
    """Run what is more than a command a line in a shell."""
    shim = project / ".bin/lkgate"
    shim.parent.mkdir(exist_ok=True)
    module = "lkgate" if store is None else f"tests.e2e.kept {store}"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
    shim.chmod(0o755)
    environ = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{text}"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def type_page(page: str, project: Path, store: Path | None) -> None:
    if page in PREPARED:
        PREPARED[page](project)
    if page in BEFORE:
        type_line(BEFORE[page], project)
    if page in COMPARED:
        os.chdir(ROOT)  # the fixture goes back
    mine = [block for block in BLOCKS if block.where.partition(":")[0] == page]
    for shown, line in [(block, line) for block in mine for line in lines_of(block)]:
        if line.startswith("for "):
            script(line, project, store)
            continue
        said = type_line(line, project)
        if page in COMPARED:
            shown_is_printed(shown, said)


def shown_is_printed(block: Block, said: str) -> None:
    shown = [line for line in block.text.splitlines() if not line.startswith("$ ")]
    for line in shown:
        found = re.search(".*".join(map(re.escape, line.split("..."))), said)
        assert found, f"{line!r} is not in:\n{said}"
        said = said[found.end() :]


@pytest.mark.parametrize("page", PAGES)
def test_a_page(page: str, project: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "replay_calls", Kept(store))
    type_page(page, project, store)


@pytest.mark.soak
@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_its_own_replays(page: str, project: Path) -> None:
    type_page(page, project, None)


def test_what_is_not_run_is_said_and_is_there() -> None:
    found = {not_run(words) for block in BLOCKS for words in commands(block.text)}
    assert found - {None} == set(NOT_RUN)
    index = (ROOT / "docs/README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", index, re.MULTILINE)
    assert dict(rows) == NOT_RUN


def test_commands_stand_in_blocks_of_commands() -> None:
    for block in ALL:
        if block.kind not in ("", "sh"):
            assert not re.search(r"^(lkgate|uvx|pipx|python -m) ", block.text, re.M), block.where


@pytest.mark.parametrize(
    "line", ["lkgate show recordings/nobody", "lkgate --nothing", "diff pyproject.toml gates"]
)
def test_a_command_that_fails_is_found(line: str, project: Path) -> None:
    with pytest.raises((AssertionError, subprocess.CalledProcessError)):
        type_line(line, project)
