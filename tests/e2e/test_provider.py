"""``--models record`` and ``live`` against a provider on the network, whose key is not kept."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lkgate.bundle import Journal, close_journal, read
from lkgate.model.event import Json
from tests.harness.program.replay import PROGRAMS, RATE, voice

ROOT = Path(__file__).parents[2]
KEY = "sk-5up3rs3cr3t-of-the-provider"


class Provider(http.server.BaseHTTPRequestHandler):
    """A language model that takes its time, and repeats the key that it was given; and a shop."""

    url: str
    asked: list[list[str]]
    looked_up: int

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append(said)
        token = self.headers["Authorization"].removeprefix("Bearer ")
        answer = ["Hello,", f"{token}!"] if len(said) == 1 else ["look_up"]
        self._say(*(["So", said[-1] + "."] if "free" in said[-1] else answer))

    def do_GET(self) -> None:
        type(self).looked_up += 1
        time.sleep(0.4)
        self._say("two are free")

    def _say(self, *lines: str) -> None:
        self.send_response(200)
        self.end_headers()
        for words in lines:
            time.sleep(0.1)
            self.wfile.write(json.dumps(words).encode() + b"\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[type[Provider]]:
    class Own(Provider):
        asked = []
        looked_up = 0

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    Own.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Own
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A recording from the outside, without a cassette: greeted, the caller says one thing."""
    work = tmp_path / "work"
    journal = Journal.create(work, header={"id": "one", "source": "record", "room": "room"})
    sound = voice()
    caller = np.random.default_rng(3).integers(-8, 8, 10 * RATE).astype(np.int16)
    caller[4 * RATE : 4 * RATE + sound.size] += sound
    spoken = (np.sin(np.arange(RATE * 3) * 0.05) * 8000).astype(np.int16)
    agent = np.zeros(10 * RATE, np.int16)
    agent[: spoken.size] = spoken
    for role, pcm in (("caller", caller), ("agent", agent)):
        track = journal.track(
            role,
            role=role,  # type: ignore[arg-type]
            participant=role,
            sid=None,
            sample_rate_hz=RATE,
            offset_us=0,
        )
        track.write(pcm.tobytes())
    journal.event(0, "connected", {"room": "room", "sid": "RM_1"})
    journal.finish(duration_us=10_000_000)
    (tmp_path / "recordings").mkdir()
    close_journal(work, tmp_path / "recordings" / "one")
    return tmp_path


class Runs:
    """``lkgate replay`` of the program in a project, with a provider in reach or without."""

    def __init__(self, project: Path, provider: type[Provider]) -> None:
        self.project, self.provider = project, provider

    def __call__(self, *words: str, reach: bool = False, blocking: bool = False) -> str:
        """What it said on stderr."""
        env = {"PROVIDER_URL": self.provider.url, "PROVIDER_API_KEY": KEY} if reach else {}
        env |= {"PROVIDER_BLOCKING": "1"} if blocking else {}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "lkgate", "--debug", "replay", "--no-gate"),
                *("--against", str(PROGRAMS / "remote.py"), *words),
            ],
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout == ""
        return done.stderr

    def heard(self) -> list[Json]:
        """What the agent said in the last replay."""
        events = read(self.project / ".lkgate/replays/remote/one").events
        items = [event.data["item"] for event in events if event.kind == _ITEM]
        return [i["text"] for i in items if isinstance(i, dict) and i.get("role") == "assistant"]

    def with_key(self) -> list[Path]:
        """Files of the project that hold the provider's key."""
        files = [path for path in self.project.rglob("*") if path.is_file()]
        return [path for path in files if KEY.encode() in path.read_bytes()]


_ITEM = "conversation_item_added"
_HEARD = ["Hello, [PROVIDER_API_KEY]! ", 'So "two are free"\n. ']


@pytest.fixture
def runs(project: Path, provider: type[Provider]) -> Runs:
    return Runs(project, provider)


def settings(project: Path, tool: str) -> None:
    (project / "lkgate.yaml").write_text(f"tools: {{look_up: {tool}}}\n")


def test_what_a_provider_answered_once_needs_none_again(runs: Runs) -> None:
    provider = runs.provider
    settings(runs.project, "run")
    said = runs("--models", "record", reach=True)
    assert "asking with [PROVIDER_API_KEY]\n" in said and KEY not in said
    assert runs.heard() == _HEARD and not runs.with_key()
    assert len(provider.asked) == 3
    assert read(runs.project / "recordings/one").manifest.cassette == "partial"
    # Only the tool is executed again: the clock has to wait for what it asks.
    looked_up = provider.looked_up
    runs("--models", "record", reach=True)
    assert provider.looked_up == looked_up + 1
    assert len(provider.asked) == 3
    settings(runs.project, "error")
    assert "2 replays, one digest: " in runs("--verify", "2")
    assert runs.heard() == _HEARD
    assert len(provider.asked) == 3 and provider.looked_up == looked_up + 1


@pytest.mark.soak
def test_a_provider_that_is_asked_every_time(runs: Runs) -> None:
    settings(runs.project, "run")
    assert KEY not in runs("--models", "live", reach=True, blocking=True)
    assert (len(runs.provider.asked), runs.provider.looked_up) == (3, 1)
    assert runs.heard() == _HEARD and not runs.with_key()
    assert read(runs.project / "recordings/one").manifest.cassette == "none"


def test_a_build_that_ends_with_its_key_on_its_lips(runs: Runs, tmp_path: Path) -> None:
    program = tmp_path / "agent.py"
    program.write_text("import os\nraise SystemExit('no good: ' + os.environ['SHOP_TOKEN'])\n")
    (tmp_path / "lkgate.yaml").write_text(
        f"builds: {{v1: {{program: {program.name}, env: {{SHOP_TOKEN: {KEY}}}}}}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "lkgate", "--debug", "replay", "--against", "v1", "--no-gate"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LKGATE_MODELS": "live"},
    )
    assert done.returncode == 4
    assert "no good: [SHOP_TOKEN]" in done.stderr and KEY not in done.stderr
