"""Every command tells how it is used, and words complete to what there is."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from lkgate.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]


def environ(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/", **variables}


@pytest.mark.parametrize("name", [*COMMANDS, "judge ask", "judge calibrate"])
def test_every_command_has_an_example_of_itself(name: str) -> None:
    text = CliRunner().invoke(cli, [*name.split(), "--help"]).output
    assert re.search(rf"\n  Examples?:\s.*\blkgate {name}\b", text, re.DOTALL), text


def completed(words: str, cwd: Path, **variables: str) -> list[str]:
    """What bash would offer for the last word of a line."""
    line = words.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "lkgate"],
        cwd=cwd,
        env=environ(
            _LKGATE_COMPLETE="bash_complete",
            COMP_WORDS=" ".join(line),
            COMP_CWORD=str(len(line) - 1),
            **variables,
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lkgate]\ngates = ["gates/a.yaml"]\n'
        '[tool.lkgate.builds.v1]\nprogram = "a.py"\n[tool.lkgate.builds.v2]\nprogram = "b.py"\n'
    )
    for name in ("book", "barge-in", "move", ".hidden"):
        (tmp_path / "recordings" / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("lkgate acc", ["accept"]),
        ("lkgate accept --build ", ["v1", "v2"]),
        ("lkgate replay --against v", ["v1", "v2"]),
        ("lkgate replay b", ["barge-in", "book"]),
        ("lkgate accept book b", ["barge-in"]),
        ("lkgate replay --gate ", ["gates/a.yaml"]),
        ("lkgate metrics response_lat", ["response_latency"]),
        ("lkgate diff mo", ["move"]),
        ("lkgate seal bo", ["book"]),
        ("lkgate record --build ", ["v1", "v2"]),
        ("lkgate replay --report ju", ["junit="]),
        # As bash gives it, and as zsh and fish do.
        ("lkgate replay --report html = py", ["py"]),
        ("lkgate replay --report html=py", ["html=pyproject.toml"]),
        ("lkgate merge --report html=rec", ["html=recordings/"]),
        ("lkgate promote calls/x --build v2 --na", ["--name"]),
        ("lkgate completion f", ["fish"]),
    ],
)
def test_words_complete(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: str, offered: list[str]
) -> None:
    monkeypatch.chdir(project)
    _, *args, begun = words.split(" ")
    found = BashComplete(cli, {}, "lkgate", "").get_completions(args, begun)
    assert [one.value for one in found] == offered


def test_wrong_settings_complete_to_files_and_say_nothing(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.lkgate]\nnonsense = 1\n")
    assert completed("lkgate accept --build ", project) == [""]
    assert completed("lkgate replay --against x", project, LKGATE_SEED="no") == ["x"]


def test_bash_completes_by_the_script(project: Path) -> None:
    shim = project / "bin" / "lkgate"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m lkgate "$@"\n')
    shim.chmod(0o755)
    script = (
        'eval "$(lkgate completion bash)"\n'
        'COMP_WORDS=(lkgate accept --build ""); COMP_CWORD=3\n'
        "_lkgate_completion lkgate\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        env={**environ(), "PATH": f"{shim.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("v1 v2\n", "")


def test_a_word_that_goes_on_gets_no_space(project: Path) -> None:
    """Typed into a real bash: what is behind the completion belongs to the same word."""
    shim = project / "lkgate"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m lkgate "$@"\n')
    shim.chmod(0o755)
    typed = (
        'eval "$(lkgate completion bash)"; lkgate() { echo "got $*."; }\n'
        "lkgate replay --report ju\tx.xml boo\tagain\nexit\n"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        cwd=project,
        env={**environ(TERM="dumb"), "PATH": f"{project}:{os.environ['PATH']}"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as shell:
        os.close(theirs)
        os.write(ours, typed.encode())
        said = b""
        while chunk := _read(ours):
            said += chunk
        shell.wait(60)
    os.close(ours)
    assert b"got replay --report junit=x.xml book again." in said


@pytest.mark.parametrize(
    ("shell", "unfinished"), [("bash", "compopt -o nospace"), ("zsh", "-S ''"), ("fish", "")]
)
def test_each_shell_has_a_script(shell: str, unfinished: str) -> None:
    text = CliRunner().invoke(cli, ["completion", shell]).output
    assert unfinished in text
    assert f"_LKGATE_COMPLETE={shell}_complete" in text


def on_a_terminal(*words: str, cwd: Path, **variables: str) -> str:
    """What a terminal gets on stdout and stderr."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "lkgate", *words],
        cwd=cwd,
        env=environ(TERM="xterm-256color", **variables),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        said = b""
        while chunk := _read(ours):
            said += chunk
        program.wait(60)
    os.close(ours)
    return said.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is gone
        return b""


def test_no_color_is_kept_to(project: Path) -> None:
    colour = "\x1b[31m"
    assert colour in on_a_terminal("list", cwd=project).replace("\x1b[1;31m", colour)
    plain = on_a_terminal("list", cwd=project, NO_COLOR="1")
    assert "barge-in" in plain
    assert "31m" not in plain


def test_quiet_is_nothing_but_the_report_and_errors(project: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "lkgate", *words],
            cwd=project,
            env=environ(LKGATE_UNHEARD_OF="1"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stderr

    assert "warning: LKGATE_UNHEARD_OF: " in run("config")[1]
    assert run("--quiet", "config") == (0, "")
    assert run("-q", "show", "nothing") == run("show", "nothing")
    assert run("-q", "show", "nothing")[1].startswith("error: ")
