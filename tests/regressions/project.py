"""A project with the demo's calls, one more, and the builds that have a regression each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lkgate import signal
from lkgate.bundle import read_pcm, reseal
from lkgate.bundle.audio import encode
from lkgate.bundle.canonical import sha256
from lkgate.bundle.manifest import decode_manifest, encode_manifest, session_digest
from lkgate.bundle.reader import hash_of, open_tree
from lkgate.model.bundle import Span
from tests.regressions.planted import HUM, PLANTED, Planted

ROOT = Path(__file__).parents[2]
CLINIC = ROOT / "lkgate" / "demo" / "clinic"
PROGRAMS = ROOT / "tests" / "programs" / "regressions"
GATE = Path(__file__).with_name("gate.yaml")
CALLS = ("barge-in", "book", "nurse")
_QUIET_OF = "look-up"
# Half a word of the caller's, laid over the agent's longest answer. The recogniser hears nothing
# in it, for its cassette holds nothing there: a cough, a cup, somebody in the room.
_SOUND_US = (5_800_000, 6_500_000)
_OVER_US = 19_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A replay with its exit code and report."""

    code: int
    report: dict[str, Any]
    told: str

    @property
    def failed(self) -> dict[str, dict[str, Any]]:
        """Error rules that failed and are no consequence of others, by their name."""
        return {
            found["rule"]: found
            for found in self.report["findings"]
            if found["status"] == "fail" and found["severity"] == "error"
        }


def make(project: Path) -> None:
    """Write the project, replay its calls into ``v1`` and accept them."""
    recordings = project / "recordings"
    for call in CALLS:
        shutil.copytree(ROOT / "recordings" / call, recordings / call)
        _mark_changes(recordings / call)
    _hum(ROOT / "recordings" / _QUIET_OF, recordings / HUM)
    shutil.copyfile(GATE, project / "gate.yaml")
    (project / "pyproject.toml").write_text(_settings(), encoding="utf-8")
    for words in (("replay", "--against", "v1", "--no-gate"), ("accept", "--build", "v1", "--yes")):
        done = _lkgate(project, *words)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)


def replay(project: Path, planted: Planted, *, calls: int | None = None) -> Judged:
    """Replay a build with its first ``calls`` calls, or all of them."""
    asks = [word for ask in planted.asks for word in ("--on-miss", ask)]
    return judge(project, planted.build, *asks, *planted.calls[:calls])


def judge(project: Path, build: str, *words: str) -> Judged:
    """Replay a build, and have the gate judge it."""
    done = _lkgate(project, "replay", "--against", build, "--format", "json", "-j", "2", *words)
    report = json.loads(done.stdout) if done.stdout.startswith("{") else {"findings": []}
    return Judged(done.returncode, report, done.stdout + done.stderr)


def _lkgate(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lkgate", *words],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def _settings() -> str:
    lines = ["[tool.lkgate]", 'recordings = "recordings"', 'gates = ["gate.yaml"]', ""]
    for build in ("v1", "v2"):
        program = json.dumps(str(CLINIC / f"agent_{build}.py"))
        lines += [f"[tool.lkgate.builds.{build}]", f"program = {program}", ""]
    for planted in PLANTED:
        program = json.dumps(str(PROGRAMS / f"{planted.build}.py"))
        lines += [f"[tool.lkgate.builds.{planted.build}]", f"program = {program}"]
        lines += [f"env = {{ PYTHONPATH = {json.dumps(str(CLINIC))} }}", ""]
    return "\n".join([*lines, "[tool.lkgate.tools]", 'default = "run"', ""])


def _mark_changes(recording: Path) -> None:
    """Say in the labels which tools change something, so that they need the caller's yes."""
    labels = recording / "labels.yaml"
    text = labels.read_text(encoding="utf-8")
    for tool in ("book_appointment", "move_appointment"):
        text = text.replace(f"- name: {tool}\n", f"- name: {tool}\n  changes: true\n")
    labels.write_text(text, encoding="utf-8")
    reseal(recording)


def _hum(source: Path, made: Path) -> None:
    """A call in which something sounds while the agent speaks, and nobody says anything."""
    shutil.copytree(source, made, ignore=shutil.ignore_patterns("baseline"))
    manifest = decode_manifest((made / "manifest.json").read_bytes(), str(made))
    track = next(track for track in manifest.tracks if track.role == "caller")
    assert track.path is not None
    pcm = read_pcm(source, track).copy()

    def at(t_us: int) -> int:
        return (t_us - track.offset_us) * track.sample_rate_hz // 1_000_000

    sound = pcm[at(_SOUND_US[0]) : at(_SOUND_US[1])]
    pcm[at(_OVER_US) : at(_OVER_US) + len(sound)] = sound
    encode(pcm, track.sample_rate_hz, made / track.path)
    speech = tuple(
        Span(*(track.offset_us + edge * 1_000_000 // track.sample_rate_hz for edge in edges))
        for edges in signal.segment(pcm, track.sample_rate_hz)
    )
    heard = replace(track, pcm_sha256=sha256(pcm.astype("<i2").tobytes()), speech=speech)
    labels = made / "labels.yaml"
    text = labels.read_text(encoding="utf-8")
    said = "- What do I need to bring?\n"
    assert said in text
    labels.write_text(text.replace(said, f"- Mm.\n{said}"), encoding="utf-8")
    tree = open_tree(made)
    files = tuple(
        hash_of(tree, entry.path) if entry.path in (track.path, "labels.yaml") else entry
        for entry in manifest.files
    )
    events = next(entry.sha256 for entry in files if entry.path == "events.jsonl")
    changed = replace(
        manifest,
        tracks=tuple(heard if one.id == track.id else one for one in manifest.tracks),
        files=files,
    )
    sealed = replace(changed, digest=session_digest(changed, events))
    (made / "manifest.json").write_bytes(encode_manifest(sealed))
