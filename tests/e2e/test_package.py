"""The wheel and the sdist, and the wheel in an environment without livekit-agents."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lkgate.bundle import read_baseline
from lkgate.model.build import Build
from lkgate.replay.outcome import Outcome
from lkgate.replay.recordings import read_recordings
from lkgate.replay.run import Replayed, ReplayOptions
from lkgate.replay.shard import Share, run_of, write_shard
from tests.e2e.test_demo import ROOT, lkgate

GATE = """\
version: 1
rules:
  - {id: tool-arguments, metric: tool_argument_changes, aggregate: sum, max: 0}
  - {id: words, metric: word_error_rate, aggregate: rate, max: 50%}
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, and the wheel made of that sdist, by tools that are here: there is no network."""
    out = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (wheel,) = dist.glob("*.whl")
    return wheel


def dependencies(wheel: Path) -> set[str]:
    """What `pip install` of the wheel alone brings: the names of all its dependencies."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    waiting = [str(one) for one in metadata.get_all("Requires-Dist", [])]
    found: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name not in found:
            found.add(requirement.name)
            waiting += distribution(requirement.name).requires or ()
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and its dependencies alone."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin/python"
    (site,) = home.glob("lib/python*/site-packages")
    for name in dependencies(wheel):
        one = distribution(name)
        for file in one.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                # `livekit` is one directory of several distributions: file by file.
                if not target.exists():
                    target.symlink_to(Path(str(one.locate_file(file))).resolve())
    words = ["--python", str(python), "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, timeout=120)
    return python


def run(
    python: Path, *words: str, cwd: Path, limit_s: int = 120
) -> subprocess.CompletedProcess[str]:
    """The lkgate that is installed beside an interpreter, and nothing of this one's."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python.with_name("lkgate"), *words],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        timeout=limit_s,
    )


def shard_of_baseline(project: Path) -> None:
    """The accepted replay of a recording, as if it had just been made on another machine."""
    (recording,) = read_recordings([project / "recordings/book"])
    baseline = read_baseline(recording.path)
    assert baseline is not None and baseline.manifest.build is not None
    outcome = Outcome("book", baseline, None, 0.0)
    replayed = Replayed(recording, outcome, recording.path / "baseline")
    build = Build("v1", Path(sys.executable), None, None, (), project, {})
    identity, options = baseline.manifest.build, ReplayOptions(state=project / ".lkgate")
    run = run_of("v1", build, identity, options, [recording], named=False)
    write_shard(project / "s", Share(1, 1), run, [replayed])


def test_what_is_in_them(dist: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (entry_points,) = (name for name in held if name.endswith("entry_points.txt"))
        assert archive.read(entry_points).decode().split() == [
            *("[console_scripts]", "lkgate", "=", "lkgate.cli.main:main"),
            *("[pytest11]", "lkgate", "=", "lkgate.pytest_plugin"),
        ]
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "lkgate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "lkgate/py.typed" in ours and ours <= held
    assert "lkgate/demo/gates/demo.yaml" in held
    assert "lkgate/demo/recordings/book/manifest.json" in held
    strange = [name for name in held - ours if not name.startswith(("lkgate-", "lkgate/demo/"))]
    assert strange == []
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as files:
        tops = {name.split("/")[1] for name in files.getnames()}
    assert {"lkgate", "tests", "gates", "recordings", "pyproject.toml", "LICENSE"} <= tops
    assert not {".github", ".ci", ".lkgate", ".git", "node_modules"} & tops


def test_recording_and_judging_without_livekit_agents(python: Path, tmp_path: Path) -> None:
    code = "from importlib.util import find_spec as f; print(f('livekit.agents'), f('livekit.rtc'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("None ModuleSpec(")
    shutil.copytree(ROOT / "recordings/book", tmp_path / "recordings/book")
    shard_of_baseline(tmp_path)
    (tmp_path / "lkgate.yaml").write_text("gates: [gate.yaml]\n")
    (tmp_path / "gate.yaml").write_text(GATE)
    # Replayed where livekit-agents is, judged where it is not.
    here = lkgate("merge", "s", cwd=tmp_path)
    merged = run(python, "merge", "s", "--report", "html=r.html", cwd=tmp_path)
    assert (merged.returncode, merged.stdout) == (here.returncode, here.stdout), merged.stderr
    assert merged.stdout.startswith("PASS  v1: 2 rules hold, 1 call\n")
    for words, says in (
        (("check", "recordings/book"), "book"),
        (("show", "recordings/book"), "Harbour Street Clinic"),
        (("export", "recordings/book", "--otlp", "book.json"), ""),
    ):
        done = run(python, *words, cwd=tmp_path)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        assert says in done.stdout
    code = "import lkgate.record, lkgate.record.webhook, lkgate.ingest, lkgate.rooms"
    subprocess.run([python, "-c", code], cwd=tmp_path, check=True, timeout=60)


def test_a_replay_says_what_is_missing(python: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recordings/book", tmp_path / "recordings/book")
    shutil.copytree(ROOT / "lkgate/demo/clinic", tmp_path / "clinic")
    done = run(
        python, "replay", "--against", "clinic/agent_v2.py", "--no-gate", cwd=tmp_path, limit_s=120
    )
    assert done.returncode == 4, done.stdout + done.stderr
    assert (
        "livekit-agents is not installed in the build's interpreter\n"
        "  Name the interpreter of the agent's own environment as `python` under "
        "[tool.lkgate.builds.agent_v2], or install 'livekit-agents>=1.7.1,<1.9' into this one."
    ) in done.stderr
    demo = run(python, "demo", "there", cwd=tmp_path)
    assert demo.returncode == 2
    assert "pip install 'lkgate[demo]'" in demo.stderr
