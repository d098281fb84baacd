"""``lkgate replay --transport room``, as far as it comes without a server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.cli.replay_room import run
from tests.replay.recorded import record

ROOT = Path(__file__).parents[2]
SETTINGS = """\
gates: [gate.yaml]
builds:
  node:
    command: [node, agent.js, start]
    agent_name: clinic
  voice:
    command: [node, agent.js, start]
    pipeline: realtime
  prod:
    url: wss://clinic.example
    agent_name: clinic
"""
GATE = """\
version: 1
rules:
  - {id: errors, metric: tool_errors, aggregate: sum, max: 0}
  - id: voice
    metric: tts_ttfb
    aggregate: p95
    max: 1 s
"""
NOBODY = "http://127.0.0.1:1"
KEYS = {"LIVEKIT_URL": NOBODY, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}
ROOM = ("--transport", "room")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    record(directory, "ann")
    (directory / "lkgate.yaml").write_text(SETTINGS)
    (directory / "gate.yaml").write_text(GATE)
    (directory / "agent.py").write_text("")
    return directory


def replay(project: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVEKIT_")}
    return subprocess.run(
        [sys.executable, "-m", "lkgate", "replay", *words],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        env={**kept, "PYTHONPATH": str(ROOT), **environ},
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--repeats", "2"), "--repeats is for --transport room"),
        (("--interleave", "node"), "--interleave is for --transport room"),
        ((*ROOM, "--verify", "2"), "models answer live"),
        ((*ROOM, "--models", "cassette"), "models answer live"),
        (
            (),
            "error: builds.node: build `node` is no Python program on this machine, and virtual "
            "time is for those alone\n  Call it in a real room: --transport room.",
        ),
        (ROOM, "LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET are not set"),
        ((*ROOM, "--against", "agent:clinic"), "`agent:clinic` names no deployed agent"),
        ((*ROOM, "--against", "agent:@wss://a.example"), "names no deployed agent"),
        # Its URL is told on the command line, its key never is.
        (
            (*ROOM, "--against", "agent:clinic@wss://a.example"),
            "LIVEKIT_API_KEY, LIVEKIT_API_SECRET are not set",
        ),
        ((*ROOM, "--against", "prod"), "LIVEKIT_API_KEY, LIVEKIT_API_SECRET are not set"),
    ],
)
def test_what_cannot_be_meant(project: Path, words: tuple[str, ...], says: str) -> None:
    done = replay(project, *(words if "--against" in words else ("--against", "node", *words)))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize("transport", ["sim", "room"])
def test_a_gate_on_a_layer_that_the_build_lacks_is_refused(project: Path, transport: str) -> None:
    words = ("--against", "voice", "--transport", transport)
    done = replay(project, *words, **KEYS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {project / 'gate.yaml'}:5:13: `tts_ttfb` is not applicable: build `voice` is "
        "speech to speech (pipeline = realtime) and has no TTS\n"
        "  Judge this build by a gate without the rule.\n"
    )


def test_no_server(project: Path) -> None:
    done = replay(project, "--against", "node", *ROOM, **KEYS)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"error: {NOBODY}: no LiveKit server answers: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_all_cleared_away(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    cleared = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(20)
        finally:
            await asyncio.sleep(0.01)
            cleared.append(number)

    with pytest.raises(KeyboardInterrupt):
        run(work())
    assert cleared == [number]
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_it_gives() -> None:
    assert run(asyncio.sleep(0, "done")) == "done"
