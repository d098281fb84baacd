"""``lkgate accept`` asks whoever sits at the terminal, and nobody else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate import bundle
from tests.bundle.sessions import make_bundle, make_replay

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A recording and its replay into v2, a build that is declared no more."""
    recording = make_bundle(tmp_path / "made", baseline=False)
    replay = make_replay(tmp_path / "made", bundle.read(recording))
    for old, new in ((recording, "recordings/call-1"), (replay, ".lkgate/replays/v2/call-1")):
        (tmp_path / new).parent.mkdir(parents=True)
        old.rename(tmp_path / new)
    (tmp_path / "pyproject.toml").write_text("[tool.lkgate]\n")
    return tmp_path


def asked(project: Path, answers: str, *words: str) -> tuple[int, str]:
    """Exit code and all that the terminal shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "lkgate", *words],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
            "GIT_AUTHOR_NAME": "git's",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the program is gone
                break
        code = program.wait(60)
    os.close(ours)
    return code, shown.decode().replace("\r\n", "\n")


def test_yes_and_why(project: Path) -> None:
    code, shown = asked(project, "y\nasks first\n", "accept", "--build", "v2")
    assert code == 0, shown
    assert "Accept 1 replay as 1 baseline? [y/N]: " in shown
    assert "Why: " in shown
    baseline = bundle.read_baseline(project / "recordings" / "call-1")
    assert baseline is not None
    assert baseline.manifest.accepted["reason"] == "asks first"
    assert baseline.manifest.accepted["by"] == "git's"


def test_no_changes_nothing(project: Path) -> None:
    code, shown = asked(project, "n\n", "accept", "--build", "v2", "--reason", "x")
    assert code == 130, shown
    assert bundle.read_baseline(project / "recordings" / "call-1") is None


def test_quiet_has_nobody_to_ask(project: Path) -> None:
    code, shown = asked(project, "y\n", "--quiet", "accept", "--build", "v2")
    assert code == 2, shown
    assert "nobody is there to ask: pass --yes" in shown
    assert bundle.read_baseline(project / "recordings" / "call-1") is None
    code, shown = asked(project, "", "--quiet", "accept", "--build", "v2", "--yes")
    assert code == 0, shown
    assert bundle.read_baseline(project / "recordings" / "call-1") is not None
