"""The composite action's own steps, run as a runner runs them, on a good and on a bad build."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.fake_github import FORBIDDEN, FakeThread, serve

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
REPLAY = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "replay")
COMMENT = next(s for s in ACTION["runs"]["steps"] if "lkgate comment" in s.get("run", ""))


SHA = "0123456789abcdef0123456789abcdef01234567"
GATE = """\
version: 1
name: two calls
calls: [book, emergency]
rules:
  - {id: completed, metric: call_completed, aggregate: mean, min: 100%}
  - id: arguments
    metric: tool_argument_changes
    aggregate: sum
    max: 0
    message: A tool is called with other arguments.
"""


@pytest.fixture
def github() -> Iterator[tuple[str, FakeThread]]:
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two calls and a gate for them, below the repository's root."""
    root = tmp_path_factory.mktemp("repository") / "agent"
    shutil.copytree(
        ROOT / "lkgate/demo/clinic",
        root / "lkgate/demo/clinic",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for call in ("book", "emergency"):
        shutil.copytree(ROOT / "recordings" / call, root / "recordings" / call)
    (root / "gates").mkdir()
    (root / "gates/demo.yaml").write_text(GATE)
    return root


@dataclass(frozen=True)
class Ran:
    """What the replay step left."""

    code: int
    log: str
    commands: str
    outputs: dict[str, str]
    summary: str
    env: dict[str, str]
    project: Path


def run_replay(project: Path, tmp: Path, against: str, **others: str) -> Ran:
    tmp.mkdir(exist_ok=True)
    files = {name: tmp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    env = {
        **os.environ,
        **{name: str(path) for name, path in files.items()},
        "RUNNER_TEMP": str(tmp),
        "GITHUB_WORKSPACE": str(project.parent),
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    inputs = {**defaults, "against": against, **others}
    given = {
        key: inputs[str(text).split("inputs.")[1].split()[0]] for key, text in REPLAY["env"].items()
    }
    done = bash(REPLAY["run"], {**env, **given}, project)
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    summary = files["GITHUB_STEP_SUMMARY"].read_text()
    return Ran(done.returncode, *parted(done.stdout), outputs, summary, env, project)


def parted(printed: str) -> tuple[str, str]:
    """What the runner only shows, and what it obeys."""
    first, rest = printed.split("\n", 1)
    word = first.removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{64}", word)
    log, commands = rest.split(f"\n::{word}::\n")
    return log, commands


def bash(script: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """As a runner does for `shell: bash`."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=280,
    )  # fmt: skip


def run_comment(ran: Ran, tmp: Path, api: str, event: object) -> str:
    path = tmp / "event.json"
    path.write_text(json.dumps(event))
    env = {
        **ran.env,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": "clinic/agent",
        "GITHUB_GRAPHQL_URL": api,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "42",
        "GITHUB_TOKEN": "t0ken-of-the-job",
        "REPORTS": ran.outputs["reports"],
    }
    done = bash(COMMENT["run"], env, ran.project)
    assert done.returncode == 0, done.stderr
    assert "t0ken" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def marker(build: str) -> str:
    return f"<!-- lkgate: {build}; in agent -->"


def body_of(ran: Ran) -> str:
    """The comment: the summary, with the commit and the run below its heading."""
    head, heading, rest = ran.summary.split("\n", 2)
    home = "https://github.example/clinic/agent"
    told = (
        f"Commit [`{SHA[:12]}`]({home}/commit/{SHA}), [run]({home}/actions/runs/42), "
        f"[reports and replays]({home}/actions/runs/42#artifacts)"
    )
    return f"{head}\n{heading}\n\n{told}\n{rest}"


def test_a_pull_request_that_is_good_and_then_bad(
    project: Path, tmp_path: Path, github: tuple[str, FakeThread]
) -> None:
    api, thread = github
    event = {"pull_request": {"number": 7, "head": {"sha": SHA}}}

    good = run_replay(project, tmp_path / "good", "v2")
    assert (good.code, good.outputs["verdict"]) == (0, "pass"), good.log
    assert good.commands == ""
    assert good.summary.startswith(f"{marker('v2')}\n### ✅ PASS: v2\n")
    assert run_comment(good, tmp_path, api, event) == "created the comment on clinic/agent#7\n"
    assert thread.comments[-1]["body"] == body_of(good)

    # The next push: the same build, which is a bad one now.
    program = project / "lkgate/demo/clinic/agent_v2.py"
    (tmp_path / "v2.py").write_text(program.read_text())
    shutil.copyfile(program.with_name("agent_v3.py"), program)
    bad = run_replay(project, tmp_path / "bad", "v2")
    shutil.copyfile(tmp_path / "v2.py", program)
    assert (bad.code, bad.outputs["verdict"]) == (1, "fail"), bad.log
    assert "\nFAIL  v2: " in bad.log
    (annotation,) = bad.commands.splitlines()
    assert annotation.split("::")[1] == (
        "error file=agent/gates/demo.yaml,line=6,title=lkgate%3A arguments failed (v2)"
    )
    assert bad.summary.startswith(f"{marker('v2')}\n### ❌ FAIL: v2\n")
    assert run_comment(bad, tmp_path, api, event) == "updated the comment on clinic/agent#7\n"
    # In place of the first one, not beside it.
    assert [one["body"] for one in thread.comments] == [body_of(bad)]
    reports = Path(bad.outputs["reports"])
    assert sorted(path.name for path in reports.iterdir()) == [
        "junit.xml",
        "report.html",
        "report.md",
        "report.txt",
    ]
    assert ElementTree.parse(reports / "junit.xml").getroot().get("name") == "lkgate v2"

    thread.instead["update"] = (200, {}, {"data": None, "errors": [FORBIDDEN]})
    told = run_comment(bad, tmp_path, api, event)
    assert told == "the token may not comment here (a fork's may not): left out\n"
    told = run_comment(bad, tmp_path, api, {"ref": "refs/heads/main"})
    assert told == "not a pull request: nothing to comment on\n"
    told = run_comment(bad, tmp_path, "http://127.0.0.1:1", event)
    assert told.startswith("::warning::lkgate could not comment, see the log\n")
    assert "error: http://127.0.0.1:1: GitHub could not be asked: " in told


def test_what_could_not_be_judged_says_so_in_place_of_the_last_verdict(
    project: Path, tmp_path: Path, github: tuple[str, FakeThread]
) -> None:
    api, thread = github
    head = "<!-- lkgate: v2; gates/none.yaml; in agent -->\n"
    thread.comments.append({"id": "IC_1", "body": f"{head}PASS", "viewerDidAuthor": True})
    ran = run_replay(project, tmp_path, "v2", gate="gates/none.yaml")
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    why, step = "gates/none.yaml: there is no such gate file", "Did you mean `gates/demo.yaml`?"
    assert ran.log == f"error: {why}\n  {step}\n"
    assert ran.commands == (
        f"::error file=agent/gates/none.yaml,title=lkgate%3A no verdict (v2)::{why}%0A{step}\n"
    )
    assert ran.summary.startswith(
        f"{head}### ⚠️ NO VERDICT: v2\n\nlkgate could not judge\n\n- {why} _Did you mean "
    )
    event = {"pull_request": {"number": 7, "head": {"sha": SHA}}}
    assert run_comment(ran, tmp_path, api, event) == "updated the comment on clinic/agent#7\n"
    assert [one["body"] for one in thread.comments] == [body_of(ran)]


def test_a_shard_that_is_missing(
    project: Path, tmp_path: Path, github: tuple[str, FakeThread]
) -> None:
    api, _ = github
    shard = run_replay(project, tmp_path / "one", "v2", shard="2/2")
    assert (shard.code, shard.outputs["verdict"], shard.summary) == (
        0,
        "no-verdict",
        "lkgate: part 2/2 is replayed; the job with `shards` judges\n",
    ), shard.log
    assert shard.outputs["suffix"] == "-shard-2-2"
    assert (Path(shard.outputs["reports"]) / "shard.json").is_file()
    assert shard.commands == ""
    ran = run_replay(
        project, tmp_path / "all", "v2", shards=str(Path(shard.outputs["reports"]).parent)
    )
    assert (ran.code, ran.outputs["verdict"]) == (3, "no-verdict")
    step = "Run `lkgate replay --against v2 --shard 1/2`, and merge again."
    assert ran.commands == (
        f"::error title=lkgate%3A no verdict (v2)::shard 1 of 2 is missing%0A{step}\n"
    )
    assert ran.summary.startswith(f"{marker('v2')}\n### ⚠️ NO VERDICT: v2\n")
    assert run_comment(ran, tmp_path, api, {"pull_request": {"number": 7}}).startswith("created ")
    lost = run_replay(project, tmp_path / "none", "v2", shards="nowhere")
    assert (lost.code, lost.summary.split("\n")[0]) == (3, marker("v2"))


@pytest.mark.parametrize(
    ("inputs", "reason", "commented"),
    [
        ({"against": ""}, "--against is empty: is the variable set that gives it?", True),
        (
            {"against": "v2", "shard": "../1\nx=y"},
            "Invalid value for '--shard': '../1 x=y' is no share: 2/3 is the second of three",
            False,
        ),
        (
            {"against": "v2", "shard": "1/2", "shards": "shards"},
            "one part is replayed (--shard), or all are merged: not both",
            True,
        ),
    ],
)
def test_inputs_that_are_wrong(
    project: Path, tmp_path: Path, inputs: dict[str, str], reason: str, commented: bool
) -> None:
    ran = run_replay(project, tmp_path, **inputs)
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    build = inputs["against"] or "unknown build"
    assert ran.summary.startswith(
        f"{marker(build)}\n### ⚠️ NO VERDICT: {build}\n\nlkgate could not judge\n\n- {reason} "
    )
    told = reason.replace("../1 x=y", "../1%0Ax=y")
    assert ran.commands.startswith(f"::error title=lkgate%3A no verdict ({build})::{told}%0A")
    # What the comment is made of, and what is uploaded.
    assert ("reports" in ran.outputs) == commented
    assert "suffix" not in ran.outputs


def test_nothing_of_an_input_is_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
