"""What docs/ci.md shows is linted, or run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from lkgate.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs/ci.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)
GITHUB, GITLAB = (text for kind, text in BLOCKS if kind == "yaml")


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    path = tmp_path / ".github/workflows/lkgate.yml"
    path.parent.mkdir(parents=True)
    # What a reader puts there.
    path.write_text(re.sub("lkgate@REF.*", f"lkgate@{'0' * 40} # v1.0.0", GITHUB))
    return path


def test_the_workflow_is_safe(workflow: Path) -> None:
    tool = Path(sys.executable).parent / "zizmor"
    words = [str(tool), "--offline", "--quiet", str(workflow)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_is_a_workflow(workflow: Path) -> None:
    tool = shutil.which("actionlint")
    if tool is None:
        message = "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run([tool, str(workflow)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def scripts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [line for one in value for line in scripts(one)]
    if isinstance(value, dict):
        given = [value[key] for key in ("run", "script") if key in value]
        inner = [one for key, one in value.items() if key not in ("run", "script")]
        return [line for one in given for line in (one if isinstance(one, list) else [one])] + [
            line for one in inner for line in scripts(one)
        ]
    return []


def test_every_command_and_option_is_there() -> None:
    shell = [text for kind, text in BLOCKS if kind == "sh"]
    lines = "\n".join([*scripts(yaml.safe_load(GITHUB)), *scripts(yaml.safe_load(GITLAB)), *shell])
    subprocess.run(["bash", "-n"], input=lines, text=True, check=True, timeout=60)
    used = re.findall(r"^ *lkgate (\w+)(.*)", lines, re.MULTILINE)
    assert {name for name, _ in used} == {"replay", "merge"}
    for name, rest in used:
        assert name in COMMANDS
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known


def test_the_jobs_hold_together() -> None:
    jobs = yaml.safe_load(GITHUB)["jobs"]
    assert jobs["verdict"]["needs"] == "replay"
    # A job that was skipped counts as a success.
    assert jobs["verdict"]["if"] == "always()"
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    given = [
        step["with"]
        for job in jobs.values()
        for step in job["steps"]
        if "lkgate@" in step.get("uses", "")
    ]
    assert len(given) == 2 and all(one.keys() <= inputs.keys() for one in given)
    # The artifacts' names that the one makes and the other looks for.
    (download,) = (
        step for step in jobs["verdict"]["steps"] if "download-artifact" in step.get("uses", "")
    )
    assert download["with"] == {
        "pattern": f"{inputs['artifact']['default']}-shard-*",
        "path": given[1]["shards"],
    }
    gitlab = yaml.safe_load(GITLAB)
    assert gitlab["verdict"]["when"] == "always"
    assert gitlab["verdict"]["artifacts"]["reports"] == {"junit": "junit.xml"}
