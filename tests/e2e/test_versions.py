"""lkgate as installed, without livekit-agents, gates builds in environments of other versions.

Installs each version of livekit-agents into a fresh environment: minutes, and a package registry.
``LKGATE_BUILD_PYTHON`` names the interpreter of those; else another one than this is looked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_demo import ROOT
from tests.e2e.test_package import dist, python, run, wheel

__all__ = ["dist", "python", "wheel"]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

# The oldest that replays work with, and the newest that there is.
OLDEST, NEWEST = "1.7.1", "1.8.9"
TOO_OLD = "1.7.0"
SETTINGS = """\
[tool.lkgate]
recordings = "recordings"
gates = ["gates/demo.yaml"]

[tool.lkgate.builds.v2]
program = "clinic/agent_v2.py"
python = "venv/bin/python"

[tool.lkgate.builds.v3]
program = "clinic/agent_v3.py"
python = "venv/bin/python"

[tool.lkgate.tools]
default = "run"
"""


def candidates() -> Iterator[str]:
    for minor in (13, 12, 11):
        if minor != sys.version_info.minor:
            yield f"python3.{minor}"
            yield from map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))


def runs(interpreter: str) -> bool:
    if shutil.which(interpreter) is None:
        return False
    words = [interpreter, "-c", "import ensurepip, venv"]
    return subprocess.run(words, capture_output=True, timeout=60).returncode == 0


@pytest.fixture(scope="module")
def other() -> str:
    """An interpreter of another version than this one."""
    named = os.environ.get("LKGATE_BUILD_PYTHON")
    if named is not None:
        return named
    found = next(filter(runs, candidates()), None)
    if found is None:
        pytest.fail("there is no other Python here: name one in LKGATE_BUILD_PYTHON")
    return found


def project(root: Path, other: str, agents: str) -> Path:
    """The demo's agent, its recordings, and an environment for it with a livekit-agents."""
    subprocess.run([other, "-m", "venv", root / "venv"], check=True, timeout=120)
    install = ["-m", "pip", "install", "--quiet", f"livekit-agents=={agents}"]
    subprocess.run([str(root / "venv/bin/python"), *install], check=True, timeout=900)
    (root / "pyproject.toml").write_text(SETTINGS)
    for source in (ROOT / "recordings", ROOT / "gates", ROOT / "lkgate/demo/clinic"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, root / source.name, ignore=ignored)
    plugin = root / "clinic/intake/plugins/moonshine_stt.py"
    text = plugin.read_text()
    # What the demo says of its speech to text that not every version has a word for.
    assert ", manual_flush=True" in text
    plugin.write_text(text.replace(", manual_flush=True", ""))
    return root


def lkgate(python: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(python, *words, cwd=cwd, limit_s=600)


def replayed(python: Path, build: str, cwd: Path) -> tuple[int, dict[str, object], str]:
    """Exit code, report and everything that was printed."""
    done = lkgate(python, "replay", "--against", build, "--format", "json", cwd=cwd)
    said = done.stdout + done.stderr
    assert done.stdout, said
    return done.returncode, json.loads(done.stdout), said


@pytest.mark.parametrize("agents", [OLDEST, NEWEST])
def test_it_gates_a_build_of_another_version(
    python: Path, other: str, tmp_path: Path, agents: str
) -> None:
    root = project(tmp_path, other, agents)
    doctor = lkgate(python, "doctor", cwd=root)
    assert f"+ build v2: livekit-agents {agents}, livekit 1.1." in doctor.stdout, doctor.stdout
    code, report, said = replayed(python, "v2", root)
    assert (code, report["verdict"]) == (0, "pass"), said
    manifest = json.loads((root / ".lkgate/replays/v2/book/manifest.json").read_text())
    versions = manifest["build"]["versions"]
    print(f"\n{agents}: {versions}, replays {report['digest']}")
    assert versions["livekit-agents"] == agents
    assert not versions["python"].startswith(f"3.{sys.version_info.minor}.")
    # The same bytes again.
    words = ["replay", "book", "silence", "--against", "v2", "--verify", "6", "--no-gate"]
    verified = lkgate(python, *words, cwd=root)
    assert "6 replays, one digest: " in verified.stderr, verified.stderr
    code, report, said = replayed(python, "v3", root)
    assert (code, report["verdict"]) == (1, "fail"), said
    findings = report["findings"]
    assert isinstance(findings, list)
    failed = {
        one["rule"] for one in findings if (one["status"], one["severity"]) == ("fail", "error")
    }
    assert failed == {"barge-ins-ignored", "tool-arguments", "response-latency"}, said


def test_a_version_outside_of_the_range_is_refused(
    python: Path, other: str, tmp_path: Path
) -> None:
    root = project(tmp_path, other, TOO_OLD)
    done = lkgate(python, "replay", "--against", "v2", cwd=root)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert (
        f"build `v2`: livekit-agents {TOO_OLD} is not supported: a replay works with "
        "livekit-agents 1.7.1 or newer, below 1.9\n"
    ) in done.stderr


@pytest.mark.parametrize("tool", ["uvx", "pipx"])
def test_it_runs_from_an_environment_made_for_one_run(
    wheel: Path, other: str, tmp_path: Path, tool: str
) -> None:
    root = project(tmp_path, other, OLDEST)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "tools"], check=True, timeout=120)
    tools = tmp_path / "tools/bin"
    package = "uv" if tool == "uvx" else tool
    install = [str(tools / "pip"), "install", "--quiet", package]
    subprocess.run(install, check=True, timeout=300)
    start = {
        "uvx": ["uvx", "--python", sys.executable, "--from", str(wheel), "lkgate"],
        "pipx": ["pipx", "run", "--python", sys.executable, "--spec", str(wheel), "lkgate"],
    }
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [
            tools / start[tool][0],
            *start[tool][1:],
            "replay",
            "book",
            "--against",
            "v2",
            "--no-gate",
        ],
        cwd=root,
        env={**kept, "PIPX_HOME": str(tmp_path / "pipx"), "UV_CACHE_DIR": str(tmp_path / "uv")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / ".lkgate/replays/v2/book/manifest.json").is_file()
