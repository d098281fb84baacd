"""Each setting, and where its value came from."""

from __future__ import annotations

import json
import os
from operator import attrgetter
from pathlib import Path

import pytest
from click.testing import CliRunner

from lkgate.cli.main import cli
from lkgate.config import load_config

SETTINGS = """\
[project]
name = "x"

[tool.lkgate]
recordings = "calls"

[tool.lkgate.replay]
seed = 7
on_miss = {tts = "estimate"}

[tool.lkgate.builds.v2]
program = "agent.py"
env = {PASSWORD = "hunter2hunter2", PLAIN = "also hidden"}

[tool.lkgate.tools]
book = {value = {ok = true}}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_value_and_its_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKGATE_PACING", "absolute")
    monkeypatch.setenv("LKGATE_ON_MISS", "llm=live")
    done = CliRunner().invoke(cli, ["config", "--format", "json"])
    assert done.exit_code == 0, done.output
    found = {one["name"]: (one["value"], one["origin"]) for one in json.loads(done.output)}
    file = f"{project}/pyproject.toml"
    assert found["recordings"] == ("calls", f"{file}:5")
    assert found["gates"] == ([], "default")
    assert found["replay.seed"] == (7, f"{file}:8")
    assert found["replay.pacing"] == ("absolute", "LKGATE_PACING")
    assert found["replay.models"] == ("cassette", "default")
    assert found["replay.on_miss.llm"] == ("live", "LKGATE_ON_MISS")
    assert found["replay.on_miss.tts"] == ("error", "default")
    held = load_config(project, environ=os.environ)
    for name, (value, _) in found.items():
        if name.startswith("replay."):
            assert attrgetter(name)(held) == value, name
    assert found["builds.v2.program"] == ("agent.py", f"{file}:12")
    assert found["builds.v2.env.PASSWORD"][0] == "(set)"
    assert found["tools.book"][0] == {"value": {"ok": True}}
    assert found["tools.default"] == ("error", "default")


def test_what_is_set_for_a_build_is_not_shown(project: Path) -> None:
    done = CliRunner().invoke(cli, ["config"])
    assert done.exit_code == 0
    assert "builds.v2.env.PASSWORD" in done.output
    assert "hunter2" not in done.output
    assert "also hidden" not in done.output
    (line,) = [one for one in done.output.splitlines() if one.startswith("replay.seed")]
    assert line.split() == ["replay.seed", "7", f"{project}/pyproject.toml:8"]


def test_without_a_file_defaults_hold(project: Path) -> None:
    (project / "pyproject.toml").unlink()
    done = CliRunner().invoke(cli, ["config"])
    assert done.output.startswith("no settings file here or above")
