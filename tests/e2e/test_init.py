"""An agent's repository with no trace of lkgate, up to its first pass."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.test_demo import ROOT, lkgate


def test_from_nothing_to_a_gate(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "lkgate/demo/clinic/intake", tmp_path / "intake")
    shutil.copyfile(ROOT / "lkgate/demo/clinic/agent_v1.py", tmp_path / "agent.py")
    done = lkgate("init", "--load", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "agent program: agent.py\n"
        " created pyproject.toml\n"
        " created gates/release.yaml\n"
        " created .github/workflows/lkgate.yml\n"
        " created .gitignore\n"
        " created .gitattributes\n"
        "  loaded: it makes an agent server, so recorded calls can be replayed into it\n"
        "\nNext:\n"
    )
    call = tmp_path / "recordings" / "look-up"
    shutil.copytree(ROOT / "recordings" / "look-up", call)
    shutil.rmtree(call / "baseline")

    replayed = lkgate("replay", "--against", "candidate", "--no-gate", cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    unaccepted = lkgate("replay", "--against", "candidate", cwd=tmp_path)
    assert unaccepted.returncode == 3, unaccepted.stdout
    accepted = lkgate("accept", "--build", "candidate", "--yes", cwd=tmp_path)
    assert accepted.stdout.endswith("accepted: 1 baseline\n")
    assert accepted.returncode == 0, accepted.stderr
    judged = lkgate("replay", "--against", "candidate", cwd=tmp_path)
    assert judged.returncode == 0, judged.stdout + judged.stderr


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
