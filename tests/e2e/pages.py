"""What a page of docs/ takes for granted: a repository, and what its reader has already."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lkgate.bundle import reseal
from tests.ingest import files
from tests.test_docs import ROOT

SETTINGS = """\
[tool.lkgate]
recordings = "recordings"
gates = ["gates/demo.yaml"]
[tool.lkgate.builds.v2]
program = "clinic/agent_v2.py"
[tool.lkgate.tools]
default = "run"
[tool.lkgate.judges.helpful]
llm = "tests.judge.scripted:Scripted"
arguments = {words = "chest"}
instructions = "The agent must solve what the caller called for, or say who can."
"""
GATE = """\
version: 1
rules:
  - {id: completed, metric: call_completed, aggregate: mean, min: 100%}
  - {id: arguments, metric: tool_argument_changes, aggregate: sum, max: 0}
"""


def repository(place: Path) -> None:
    """With the demo's agent and two of its calls."""
    for call in ("book", "emergency"):
        shutil.copytree(ROOT / "recordings" / call, place / "recordings" / call)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lkgate/demo/clinic", place / "clinic", ignore=ignored)
    (place / "pyproject.toml").write_text(SETTINGS)
    (place / "gates").mkdir()
    (place / "gates/demo.yaml").write_text(GATE)
    subprocess.run(["git", "init", "-q"], cwd=place, check=True, timeout=60)


def _taped_by_nobody(project: Path) -> None:
    """Recorded from outside, and replayed into the build that was recorded."""
    shutil.rmtree(project / "recordings/book")
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace("agent_v2", "agent_v1"))
    call = project / "recordings/emergency"
    shutil.rmtree(call / "cassette")
    shutil.rmtree(call / "baseline")
    reseal(call)
    (project / "gates/demo.yaml").write_text(GATE.rpartition("  - ")[0])


def _from_production(project: Path) -> None:
    (project / "recordings/emergency").rename(project / "recordings/move")
    shutil.copytree(ROOT / "recordings/book", project / "calls/room-7")


def _from_elsewhere(project: Path) -> None:
    with contextlib.chdir(project):
        report = {
            "sdk_version": "1.8.9",
            "room": "clinic",
            "timestamp": 1.8e9,
            "audio_recording_started_at": 1.8e9 - 60,
            "chat_history": {"items": []},
        }
        Path("session_report.json").write_text(json.dumps(report))
        files.encode(Path("audio.ogg"), files.both(), "libopus")
        for name, spans in (("ann", files.CALLER), ("agent", files.AGENT)):
            files.encode(Path(f"{name}.ogg"), files.voice(spans), "libopus")
            files.manifest(Path(f"{name}.ogg.json"), publisher_identity=name)
        files.encode(Path("room.mp4"), files.both()[:, ::-1], "aac")
        files.manifest(Path("room.mp4.json"), started_at=10**18)
        files.write(Path("call.wav"), files.both())
        files.transcript(Path("call.jsonl"), *files.SAID)


def _judged_by_people(project: Path) -> None:
    for call, verdict in (("book", "pass"), ("emergency", "fail")):
        labels = project / "recordings" / call / "labels.yaml"
        labels.write_text(f"judges: {{helpful: {verdict}}}\n{labels.read_text()}")
        reseal(labels.parent)


def _of_one_call(project: Path) -> None:
    shutil.rmtree(project / "recordings/book")


PREPARED: dict[str, Callable[[Path], None]] = {
    "README.md": _from_elsewhere,
    "baselines.md": _from_production,
    "derived-cassettes.md": _taped_by_nobody,
    "environments.md": _of_one_call,
    "judges.md": _judged_by_people,
}
