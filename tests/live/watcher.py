"""``lkgate record --watch`` as a process of its own, and what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekit import api

from tests.live.conftest import LiveServer, wait_until

ROOT = Path(__file__).parents[2]


def lkgate(
    *words: str, environ: dict[str, str], cwd: Path, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*before, sys.executable, "-m", "lkgate", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=100,
        env={**environ, "PYTHONPATH": str(ROOT)},
    )


@dataclass
class Watcher:
    """A running one. ``out`` is where its bundles go."""

    process: subprocess.Popen[bytes]
    out: Path
    log: Path
    printed: Path

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """Whole lines of its log; every one is a JSON object."""
        lines = [json.loads(line) for line in self.log.read_text().split("\n")[:-1]]
        return [line for line in lines if event in (None, line["event"])]

    def calls(self) -> dict[str, dict[str, Any]]:
        """What became of each room; one line each."""
        calls = self.lines("call")
        found = {call["room"]: call for call in calls}
        assert len(found) == len(calls), calls
        return found

    def bundles(self) -> list[Path]:
        """What it printed on stdout."""
        return [Path(line) for line in self.printed.read_text().splitlines()]

    def until(self, room: str) -> dict[str, Any]:
        """Wait for the line of a room."""
        wait_until(lambda: room in self.calls(), 40, self.log.read_text)
        return self.calls()[room]

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def watching(server: LiveServer, directory: Path, *words: str) -> Iterator[Watcher]:
    """Watch ``clinic-*`` into ``directory/calls`` from the moment this begins."""
    directory.mkdir(exist_ok=True)
    log, printed, out = directory / "stderr", directory / "stdout", directory / "calls"
    with log.open("wb") as errors, printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lkgate", "record", "--watch", "clinic-*", "--out", out, *words],
            cwd=directory,
            env={**server.environment(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    watcher = Watcher(process, out, log, printed)
    try:
        wait_until(lambda: bool(watcher.lines("watching")), 30, log.read_text)
        yield watcher
    finally:
        process.kill()
        process.wait()


def check(bundles: Sequence[Path], cwd: Path) -> None:
    """``lkgate check`` finds all of them whole."""
    done = lkgate("check", *map(str, bundles), environ=dict(os.environ), cwd=cwd)
    assert (done.returncode, done.stdout.count(": whole: ")) == (0, len(bundles)), done.stderr


async def delete(server: LiveServer, *rooms: str) -> None:
    """Delete rooms, as the server does by itself some 20 s after everybody has left."""
    address = server.credentials
    async with api.LiveKitAPI(address.url, address.key, address.secret) as client:
        for room in rooms:
            await client.room.delete_room(api.DeleteRoomRequest(room=room))
