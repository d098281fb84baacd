"""Recordings that were made with no shim: they replay with no key, and say what that is worth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.bundle import read, reseal
from tests.e2e.test_demo import ROOT, lkgate

GATE = """\
version: 1
name: a call
calls: [emergency]
rules:
  - {id: completed, metric: call_completed, aggregate: mean, min: 100%}
  - {id: tools, metric: tool_argument_changes, aggregate: sum, max: 0}
  - {id: first-audio, metric: time_to_first_audio, aggregate: max, max: 5 s}
  - {id: words, metric: word_error_rate, aggregate: rate, max_increase: 2 points}
"""
PAGE = ROOT / "docs" / "derived-cassettes.md"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A project with one recording that has no cassette, and the gate for it."""
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    shutil.copytree(ROOT / "lkgate/demo/clinic", tmp_path / "lkgate/demo/clinic")
    call = tmp_path / "recordings" / "emergency"
    shutil.copytree(ROOT / "recordings" / call.name, call)
    shutil.rmtree(call / "cassette")
    shutil.rmtree(call / "baseline")
    reseal(call)
    gates = tmp_path / "gates"
    gates.mkdir()
    (gates / "demo.yaml").write_text(GATE)
    return tmp_path


def test_a_recording_without_a_cassette_has_a_baseline_and_a_verdict(bare: Path) -> None:
    first = lkgate("replay", "--against", "v1", "--no-gate", cwd=bare)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (
        "1 recording without a cassette: answers are derived from what was heard of the call "
        "(`lkgate derive` keeps them): emergency\n"
    ) in first.stderr
    replayed = bare / ".lkgate/replays/v1/emergency"
    digest = read(replayed).manifest.digest
    kept = lkgate("derive", "emergency", cwd=bare)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    again = lkgate("replay", "--against", "v1", "--no-gate", cwd=bare)
    assert "without a cassette" not in again.stderr
    assert read(replayed).manifest.digest == digest, "kept answers are those that were derived"
    accepted = lkgate("accept", "--build", "v1", "--yes", cwd=bare)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    judged = lkgate("replay", "--against", "v2", "--on-miss", "tts=estimate", "-v", cwd=bare)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "Answers derived from what was heard of the recorded call: emergency\n" in judged.stdout
    # Its greeting is new: who waits for it waits for an estimate.
    assert "+ first-audio  max 6" in judged.stdout
    assert " ms  (n 1, 1 estimated)\n" in judged.stdout
    missed = lkgate("replay", "--against", "v2", "--format", "json", cwd=bare)
    assert missed.returncode == 4, missed.stdout + missed.stderr
    (call,) = json.loads(missed.stdout)["calls"]
    assert call["failure"]["kind"] == "cassette_miss"
    assert "text Good day, you have reached Harbour Street Clinic." in call["failure"]["message"]


def test_the_table_is_what_the_demo_gives() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lkgate.demo.derived", "barge-in"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    head, _, row, _ = done.stdout.splitlines()
    page = PAGE.read_text()
    assert f"\n{head}\n" in page
    assert f"\n{row}\n" in page


def test_a_policy_that_is_none_is_refused() -> None:
    for words, said in (
        (("--on-miss", "tts"), "'tts' is no MODEL=POLICY"),
        (("--on-miss", "llm=estimate"), '`replay.on_miss.llm` cannot be "estimate"'),
        (("--on-miss", "vad=error"), "unknown setting `replay.on_miss.vad`"),
    ):
        done = lkgate("replay", "--against", "v1", *words)
        assert done.returncode == 2, done.stdout + done.stderr
        assert said in done.stderr
