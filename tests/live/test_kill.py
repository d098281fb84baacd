"""Recorders killed with -9 at random instants of a live call: each misses at most one second."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from lkgate.bundle import verify
from lkgate.record import recover
from tests.live.conftest import LiveServer
from tests.live.people import Person

pytestmark = pytest.mark.live

RECORDER = Path(__file__).with_name("recorder.py")
ROOT = Path(__file__).parents[2]
# The last of what a bundle has: at most this much before the kill.
MISSING_US = 1_000_000
# Of a machine that other tests keep busy: what it was late by is added.
BUSY_US = 1_500_000


@dataclass(frozen=True, slots=True)
class Killed:
    """A recording that was killed and recovered.

    Attributes:
        after_us: session time of the kill.
        missing_us: of each track, how much before the kill it ends.
    """

    name: str
    after_us: int
    missing_us: dict[str, int]


async def record_and_kill(server: LiveServer, room: str, out: Path, seconds: float) -> Killed:
    """Kill a recorder ``seconds`` after it saw the agent, and recover what it left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(RECORDER),
        room,
        str(out),
        env={**server.environment(), "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output = process.stdout
        assert output is not None
        while (line := await output.readline()) != b"recording\n":
            assert line, "the recorder ended early"
        await asyncio.sleep(seconds)
        killed_us = time.time_ns() // 1_000
        process.send_signal(signal.SIGKILL)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    await asyncio.to_thread(recover, out.with_name(out.name + ".unfinished"))
    bundle = await asyncio.to_thread(verify, out)
    started_us = bundle.manifest.started_at_unix_us
    assert started_us is not None
    after_us = killed_us - started_us
    missing = dict.fromkeys(("caller", "agent"), after_us)
    missing |= {track.role: after_us - track.span.end_us for track in bundle.manifest.tracks}
    return Killed(out.name, after_us, missing)


async def kills(
    server: LiveServer, directory: Path, count: int, at_once: int, seed: int, least: float = 1.0
) -> list[Killed]:
    """``count`` recordings of calls, each killed at an instant that ``seed`` decides,
    ``least`` seconds after it began or later.
    """
    chance = random.Random(seed)
    free = asyncio.Semaphore(at_once)

    async def one(number: int, seconds: float) -> Killed:
        # Of its own: the server keeps a killed recorder in the room for a while.
        room = f"ward-{uuid.uuid4().hex[:8]}"
        every = tuple(float(second) for second in range(1, 60))
        people = (
            Person(server.credentials, room, "bot", "agent", bursts=every),
            Person(server.credentials, room, "ann", "standard", bursts=every),
        )
        async with free:
            talks = [asyncio.create_task(person.play(60)) for person in people]
            try:
                await asyncio.sleep(1)
                return await record_and_kill(server, room, directory / f"call-{number}", seconds)
            finally:
                for talk in talks:
                    talk.cancel()
                await asyncio.gather(*talks, return_exceptions=True)

    # Not before there is audio: that comes half a second after the recorder.
    instants = [chance.uniform(least, least + 4.0) for _ in range(count)]
    return await asyncio.gather(*(one(*each) for each in enumerate(instants)))


class Lag:
    """By how much this machine is late, at most, to wake a process and to sync a file."""

    def __init__(self, file: Path):
        self.worst_us = 0
        self._file = file

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began_ns = time.monotonic_ns()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(self._sync)
            late_us = (time.monotonic_ns() - began_ns) // 1_000 - 100_000
            self.worst_us = max(self.worst_us, late_us)

    def _sync(self) -> None:
        with self._file.open("a") as file:
            file.write("x" * 4_096)
            file.flush()
            os.fsync(file.fileno())


def report(killed: list[Killed], seed: int) -> str:
    worst = [max(each.missing_us.values()) for each in killed]
    return (
        f"seed {seed}: {len(killed)} kills -9, {len(killed)} bundles recovered; missing: "
        f"median {statistics.median(worst) / 1e6:.2f} s, most {max(worst) / 1e6:.2f} s"
    )


@pytest.mark.timeout(120)
def test_three_kills(live_server: LiveServer, tmp_path: Path) -> None:
    """After 4 s at the earliest: a recorder that wrote nothing down would miss all of them."""
    seed = random.randrange(2**32)

    async def play() -> tuple[list[Killed], int]:
        lag = Lag(tmp_path / "lag")
        measuring = asyncio.create_task(lag.run())
        try:
            return await kills(live_server, tmp_path, 3, 3, seed, 4.0), lag.worst_us
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)

    killed, lag_us = asyncio.run(asyncio.wait_for(play(), 100))
    most_us = BUSY_US + min(lag_us, 1_500_000)
    assert all(each <= most_us for one in killed for each in one.missing_us.values()), (
        seed,
        lag_us,
        killed,
    )


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_hundred_kills(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("LKGATE_SEED", random.randrange(2**32)))
    killed = asyncio.run(kills(live_server, tmp_path, 100, 3, seed))
    with capsys.disabled():
        print(f"\n{report(killed, seed)}")
    assert len(killed) == 100
    late = [each for each in killed if max(each.missing_us.values()) > MISSING_US]
    assert late == [], seed
