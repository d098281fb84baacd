"""An agent's repository with no trace of lkgate, up to its first pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.e2e.test_demo import ROOT, lkgate


def test_from_nothing_to_a_gate_and_through_the_workflow(tmp_path: Path) -> None:
    """A service of a repository; the workflow's steps are run as a runner runs them."""
    (tmp_path / ".git").mkdir()
    root = tmp_path / "services" / "agent"
    shutil.copytree(ROOT / "lkgate/demo/clinic/intake", root / "intake")
    shutil.copyfile(ROOT / "lkgate/demo/clinic/agent_v1.py", root / "agent.py")
    done = lkgate("init", "--load", cwd=root)
    assert done.returncode == 0, done.stderr
    name = ".github/workflows/lkgate-services-agent.yml"
    assert done.stdout.startswith(
        "agent program: agent.py\n"
        " created pyproject.toml\n"
        " created gates/release.yaml\n"
        f" created ../../{name}: at git's root, where GitHub looks for it\n"
        " created .gitignore\n"
        " created .gitattributes\n"
        "  loaded: it makes an agent server, so recorded calls can be replayed into it\n"
        "\nNext:\n"
    )
    call = root / "recordings" / "look-up"
    shutil.copytree(ROOT / "recordings" / "look-up", call)
    shutil.rmtree(call / "baseline")

    replayed = lkgate("replay", "--against", "candidate", "--no-gate", cwd=root)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    unaccepted = lkgate("replay", "--against", "candidate", cwd=root)
    assert unaccepted.returncode == 3, unaccepted.stdout
    accepted = lkgate("accept", "--build", "candidate", "--yes", cwd=root)
    assert accepted.stdout.endswith("accepted: 1 baseline\n")
    assert accepted.returncode == 0, accepted.stderr

    job = yaml.safe_load((tmp_path / name).read_text("utf-8"))["jobs"]["replay"]
    cwd = tmp_path / job["defaults"]["run"]["working-directory"]
    assert cwd == root
    steps = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    judged = run(steps["Replay"], cwd, tmp_path)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "\nPASS  candidate: 7 rules hold, 1 call\n" in judged.stdout
    told = run(steps["Tell"], cwd, tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stderr == "not a pull request: nothing to comment on\n"
    assert "PASS: candidate" in (tmp_path / "summary").read_text("utf-8")
    kept = [
        path for line in job["steps"][-1]["with"]["path"].split() for path in tmp_path.glob(line)
    ]
    for path in ("report.md", "report.html", "junit.xml", ".lkgate/replays"):
        assert root / path in kept


def run(step: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """A step of the workflow, for a push."""
    (home / "event").write_text('{"ref": "refs/heads/main"}')
    shim = home / "bin" / "lkgate"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m lkgate "$@"\n')
    shim.chmod(0o755)
    return subprocess.run(
        ["bash", "-e", "-c", step],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=280,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(home / "event"),
            "GITHUB_REPOSITORY": "clinic/agent",
            "GITHUB_STEP_SUMMARY": str(home / "summary"),
            "GITHUB_TOKEN": "t0ken",
            "GITHUB_WORKSPACE": str(home),
        },
    )


def test_a_package_with_relative_imports(tmp_path: Path) -> None:
    package = tmp_path / "src" / "clinic"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "names.py").write_text('AGENT = "clinic"\n')
    (package / "worker.py").write_text(
        "from livekit.agents import AgentServer, JobContext, cli\n"
        "from .names import AGENT\n"
        "server = AgentServer()\n"
        "@server.rtc_session(agent_name=AGENT)\n"
        "async def answer(ctx: JobContext) -> None: ...\n"
        'if __name__ == "__main__":\n'
        "    cli.run_app(server)\n"
    )
    done = lkgate("init", "--load", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'module = "clinic.worker"\ncwd = "src"\n' in (tmp_path / "pyproject.toml").read_text()


def test_a_program_that_does_not_load_says_why(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(
        "import no_such_package\nfrom livekit.agents import AgentServer, cli\n"
        "cli.run_app(AgentServer())\n"
    )
    done = lkgate("init", "--load", cwd=tmp_path)
    assert done.returncode == 4, done.stdout
    assert "no_such_package" in done.stderr


def test_a_directory_without_an_agent(tmp_path: Path) -> None:
    done = lkgate("init", cwd=tmp_path)
    assert done.returncode == 2
    assert "no agent program found" in done.stderr
    assert list(tmp_path.iterdir()) == []
