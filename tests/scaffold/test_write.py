"""What is written can be read back by lkgate and by GitHub; what is there stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from lkgate.config import load_config
from lkgate.errors import ConfigError
from lkgate.gate.load import load
from lkgate.scaffold import Done, Program, write

AGENT = Program(Path("agent.py"), None, None, True)
NEW = ("pyproject.toml", "gates/release.yaml", ".github/workflows/lkgate.yml")


def files_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_an_empty_repository(tmp_path: Path) -> None:
    done = list(write(tmp_path, AGENT))
    assert done == [Done("created", name) for name in (*NEW, ".gitignore", ".gitattributes")]
    config = load_config(tmp_path, environ={})
    assert config.builds["candidate"].program == tmp_path / "agent.py"
    assert config.builds["candidate"].python is None
    (path,) = config.gates
    assert len(load(path).rules) == 7


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    list(write(tmp_path, AGENT))
    before = files_of(tmp_path)
    assert {done.what for done in write(tmp_path, AGENT)} == {"kept"}
    assert files_of(tmp_path) == before


def test_what_is_there_is_kept_and_added_to(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "clinic"  # ours')
    (tmp_path / ".gitignore").write_text("*.pyc")
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "release.yaml").write_text("mine")
    done = {one.path: one for one in write(tmp_path, AGENT)}
    assert done["pyproject.toml"].what == "added to"
    assert done["gates/release.yaml"] == Done("kept", "gates/release.yaml", "it is there already")
    assert (tmp_path / "gates" / "release.yaml").read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.lkgate/\n"
    told = (tmp_path / "pyproject.toml").read_text()
    assert told.startswith('[project]\nname = "clinic"  # ours\n\n[tool.lkgate]\n')
    assert tomllib.loads(told)["project"] == {"name": "clinic"}
    assert "pip install ." in (tmp_path / NEW[2]).read_text()


def test_settings_in_yaml_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text("recordings: calls\n")
    first = next(iter(write(tmp_path, AGENT)))
    assert first == Done("kept", "lkgate.yaml", "it holds settings already")
    assert not (tmp_path / "pyproject.toml").exists()


def test_a_module_in_a_directory_of_its_own_and_its_environment(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "src").mkdir()
    list(write(tmp_path, Program(Path("src/clinic/main.py"), "clinic.main", Path("src"), True)))
    entry = load_config(tmp_path, environ={}).builds["candidate"]
    assert (entry.module, entry.cwd, entry.python) == (
        "clinic.main", tmp_path / "src", ".venv/bin/python",
    )  # fmt: skip
    flow = (tmp_path / NEW[2]).read_text()
    assert "          .venv/bin/pip install -r requirements.txt\n" in flow


def test_a_lock_of_uv(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    list(write(tmp_path, AGENT))
    assert "          uv sync --frozen\n" in (tmp_path / NEW[2]).read_text()


def test_a_pyproject_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(ConfigError, match="not valid TOML"):
        next(iter(write(tmp_path, AGENT)))


def test_the_workflow_is_clean(tmp_path: Path) -> None:
    list(write(tmp_path, AGENT))
    zizmor = Path(sys.executable).with_name("zizmor")
    tools = [[str(zizmor), "--offline", "--quiet", "."]]
    if shutil.which("actionlint"):
        tools.append(["actionlint", NEW[2]])
    for tool in tools:
        done = subprocess.run(tool, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_obeys_nothing_that_a_call_said(tmp_path: Path) -> None:
    list(write(tmp_path, AGENT))
    steps = yaml.safe_load((tmp_path / NEW[2]).read_text())["jobs"]["replay"]["steps"]
    (script,) = (step["run"] for step in steps if step.get("name") == "Replay")
    fake = tmp_path / "lkgate"
    fake.write_text('#!/bin/sh\necho "::add-mask::e"\nprintf "::error::odd" >&2\nexit 3\n')
    fake.chmod(0o755)
    path = os.pathsep.join((str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env={"PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    stop, *said, resume = done.stdout.splitlines()
    assert said == ["::add-mask::e", "::error::odd"]
    word = stop.removeprefix("::stop-commands::")
    assert resume == f"::{word}::" and len(word) == 64
