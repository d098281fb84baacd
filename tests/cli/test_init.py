"""``lkgate init`` as it is told; what it writes is tested with the scaffold."""

from __future__ import annotations

import importlib.metadata
import os
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from lkgate import scaffold
from lkgate.cli.init import command
from lkgate.errors import ConfigError
from lkgate.scaffold import Origin
from tests.scaffold.test_program import AGENT


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an agent, below git's root."""
    root = tmp_path / "services" / "agent"
    root.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (root / "agent.py").write_text(AGENT)
    (root / "pyproject.toml").write_text('[project]\nname = "clinic"\n')
    monkeypatch.chdir(root)
    return root


def test_what_is_done_and_what_comes_next(
    below: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaffold, "installed", lambda: Origin("lkgate==1.2.3", there=False))
    command.main([], standalone_mode=False)
    assert capsys.readouterr().out == (
        "agent program: agent.py\n"
        "added to pyproject.toml\n"
        " created tests/gates/release.yaml: not beside the agent: setuptools would package it\n"
        " created ../../.github/workflows/lkgate-services-agent.yml: at git's root, where GitHub "
        "looks for it\n"
        " created .gitignore\n"
        " created .gitattributes\n"
        "\nNext:\n"
        "  export LIVEKIT_URL=... LIVEKIT_API_KEY=... LIVEKIT_API_SECRET=...\n"
        "  lkgate record --room my-room --build candidate   # talk to the agent there, Ctrl-C\n"
        "  lkgate replay --against candidate --no-gate      # the same call, from the recording\n"
        "  lkgate accept --build candidate                  # this is how it should be\n"
        "  git add pyproject.toml tests/gates/release.yaml "
        "../../.github/workflows/lkgate-services-agent.yml .gitignore .gitattributes "
        "tests/recordings\n"
        "\nBefore the workflow can run (../../.github/workflows/lkgate-services-agent.yml):\n"
        "  This lkgate came from a directory: publish lkgate==1.2.3, or install it from where a "
        "runner gets it.\n"
    )
    command.main([], standalone_mode=False)
    assert "Before the workflow" not in capsys.readouterr().out


def test_no_interpreter_that_could_run_the_agent(
    below: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where lkgate has an environment of its own, by pipx or uvx."""

    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    command.main([], standalone_mode=False)
    assert "\n\nNo environment of the agent is here " in capsys.readouterr().out
    (below / "pyproject.toml").unlink()
    (below / ".venv" / "bin").mkdir(parents=True)
    (below / ".venv" / "bin" / "python").symlink_to("/bin/sh")
    command.main([], standalone_mode=False)
    assert "No environment" not in capsys.readouterr().out


def test_names_do_nothing_to_a_terminal(below: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (below / "agent.py").rename(below / os.fsdecode(b"ag\x1b[31m.py"))
    command.main([], standalone_mode=False)
    assert "\x1b" not in capsys.readouterr().out


def test_another_program_than_the_one_that_is_declared(
    below: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main([], standalone_mode=False)
    (below / "web").mkdir()
    (below / "web" / "first.py").write_text(AGENT)
    with pytest.raises(ConfigError) as caught:
        command.main(["--program", "web/first.py"], standalone_mode=False)
    assert str(caught.value) == (
        f"{below / 'pyproject.toml'}:8: the build `candidate` of the settings is another program, "
        "and what is there is left as it is\n"
        '  Say there: program = "web/first.py"'
    )
    settings = below / "pyproject.toml"
    told = settings.read_text().replace('"agent.py"', '"web/first.py"')
    settings.write_text(told)
    capsys.readouterr()
    command.main(["--program", "web/first.py"], standalone_mode=False)
    command.main([], standalone_mode=False)
    out = capsys.readouterr().out
    assert out.count("agent program: web/first.py\n") == 2
    assert "  also found: agent.py (choose it with --program)\n" in out
    settings.write_text(told.replace('program = "web/first.py"', "command = ['node', 'a.js']"))
    command.main([], standalone_mode=False)
    assert (
        "    kept pyproject.toml: it has a [tool.lkgate] already, and its build `candidate` is "
        "another\n"
    ) in capsys.readouterr().out
