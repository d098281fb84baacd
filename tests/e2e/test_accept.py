"""A suite's life from the command line: listed, stale, accepted, passed, compared, promoted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.bundle import reseal
from lkgate.bundle.manifest import amend

ROOT = Path(__file__).parents[2]

CALL = "emergency"
GATE = """\
version: 1
name: here
rules:
  - id: latency
    metric: response_latency
    aggregate: max
    about: these_calls
    max_increase: 1 s
"""


def lkgate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lkgate", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=280,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GIT_AUTHOR_NAME": "git's"},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An agent, a gate, no recording, and a call from elsewhere that nobody labelled."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lkgate]\ngates = ["gate.yaml"]\n'
        '[tool.lkgate.builds.v2]\nprogram = "clinic/agent_v2.py"\n'
        '[tool.lkgate.tools]\ndefault = "run"\n'
    )
    (tmp_path / "gate.yaml").write_text(GATE)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lkgate/demo/clinic", tmp_path / "clinic", ignore=ignored)
    shutil.copytree(ROOT / "recordings" / CALL, tmp_path / "calls" / "room-7")
    (tmp_path / "calls" / "room-7" / "labels.yaml").unlink()
    reseal(tmp_path / "calls" / "room-7")
    return tmp_path


def test_a_call_is_promoted_grows_stale_and_is_accepted_again(project: Path) -> None:
    recordings = project / "recordings"
    bundle = ("promote", "calls/room-7", "--name", "refund")
    promoted = lkgate(*bundle, "--build", "v2", "--yes", cwd=project)
    assert promoted.returncode == 0, promoted.stdout + promoted.stderr
    lines = promoted.stdout.splitlines()
    assert lines[0] == "copied to recordings/refund"
    assert lines[1].startswith("labels: a draft of ")
    assert lines[2] == "cassette: full: every model and tool exchange was recorded"
    assert lines[3].startswith("refund: ")
    assert lines[3].endswith(" (v2), the first baseline")
    assert lines[4:] == [
        "accepted: 1 baseline",
        "",
        "Next:",
        "  correct recordings/refund/labels.yaml, set `reviewed: true`",
        "  lkgate seal recordings/refund",
        "  git add recordings/refund",
    ]

    _make_stale(recordings)
    listed = lkgate("list", cwd=project)
    assert listed.returncode == 0, listed.stderr
    assert "(stale: it was made from another state of the recording)" in listed.stdout
    assert "(stale: for rules on response_latency, whose definition changed" in listed.stdout
    stale = lkgate("replay", "--against", "v2", cwd=project)
    assert stale.returncode == 3, stale.stdout + stale.stderr
    assert stale.stdout.startswith("NO VERDICT  v2: ")
    assert "refund: the baseline is stale: it was accepted under version 0 of" in stale.stdout
    assert "again: the baseline is stale: it was made from another state of" in stale.stdout
    for call in ("again", "refund"):
        assert f"then run `lkgate accept {call} --build v2`." in stale.stdout

    asked = lkgate("accept", "--build", "v2", cwd=project)
    assert (asked.returncode, "pass --yes" in asked.stderr) == (2, True)
    assert "\n  stale: it was made from another state of the recording\n" in asked.stdout
    assert "\n    response_latency " in asked.stdout
    words = ("accept", "--build", "v2", "--yes", "--reason", "a shorter greeting")
    accepted = lkgate(*words, cwd=project)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.endswith("\naccepted: 2 baselines\n")
    assert accepted.stderr.startswith("signed: git's, 2")
    assert lkgate(*words, cwd=project).stdout.endswith("every baseline is this very replay\n")
    rows = json.loads(lkgate("list", "--format", "json", cwd=project).stdout)
    assert [row["baseline"]["reason"] for row in rows] == ["a shorter greeting"] * 2
    assert [row["baseline"]["stale"] for row in rows] == [[], []]
    with (project / "clinic" / "agent_v2.py").open("a") as program:
        program.write("\n")
    changed = lkgate(*words, cwd=project)
    assert changed.returncode == 2
    assert "the program of 'v2' was changed since this replay" in changed.stderr


def _make_stale(recordings: Path) -> None:
    """One call whose metric was another then, one with a baseline of another call."""
    shutil.copytree(recordings / "refund", recordings / "again")
    shutil.rmtree(recordings / "again" / "baseline")
    shutil.copytree(ROOT / "recordings/move/baseline", recordings / "again" / "baseline")
    manifest = recordings / "refund/baseline/manifest.json"
    accepted = json.loads(manifest.read_text())["accepted"]
    accepted["metric_versions"]["response_latency"] = 0
    manifest.write_bytes(amend(manifest.read_bytes(), {"accepted": accepted}))
