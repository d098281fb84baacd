"""``python -m tests.benchmarks.recorder``: what a recorder costs, loses and takes to end.

Needs a real livekit-server, as the live tests do: run it as ``.ci/netns python -m ...``.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import Journal, read
from lkgate.model.bundle import Bundle, Role
from lkgate.record import recover
from tests.benchmarks.rooms import TOPIC
from tests.live.conftest import LiveServer, running, wait_until
from tests.live.watcher import Watcher, delete, watching

ROOMS = (1, 4, 8)
MEASURED_SECONDS = 12.0


@dataclass(frozen=True)
class Cost:
    """Of one process: cores that it used, and its memory in MB."""

    cores: float
    megabytes: float


def main() -> None:
    """Measure and print, a line a figure."""
    with tempfile.TemporaryDirectory() as work, running(Path(work)) as server:
        costs = {}
        for rooms in ROOMS:
            costs[rooms], bundles, end_s = _record(server.live, Path(work) / str(rooms), rooms)
            _print_loss(f"{rooms} room{'s' if rooms > 1 else ''}", bundles)
            print(f"  from Ctrl-C to {rooms} closed and an end     {end_s:6.2f} s")
        one, most = costs[ROOMS[0]], costs[ROOMS[-1]]
        for rooms, cost in costs.items():
            print(
                f"recorder, {rooms} rooms                  {cost.cores * 100:5.1f} % of a core, "
                f"{cost.cores / rooms * 100:.1f} % a room; {cost.megabytes:.0f} MB"
            )
        more = (most.megabytes - one.megabytes) / (ROOMS[-1] - ROOMS[0])
        print(f"memory of one more room                {more:6.1f} MB")
        with _busy():
            cost, bundles, end_s = _record(server.live, Path(work) / "busy", 4)
        _print_loss("4 rooms, all cores busy with something else", bundles)
        print(f"  from Ctrl-C to 4 closed and an end     {end_s:6.2f} s")
        _close_an_hour(Path(work))


def _record(server: LiveServer, directory: Path, rooms: int) -> tuple[Cost, list[Bundle], float]:
    """Cost while all rooms talk; what was recorded; seconds from Ctrl-C to the end."""
    name = f"clinic-{directory.name}"
    with ExitStack() as stack:
        watcher = stack.enter_context(watching(server, directory, "--max-rooms", str(rooms)))
        talking = stack.enter_context(_talk(server, name, rooms))
        wait_until(lambda: len(_tracks(watcher)) == 2 * rooms, 60)
        before, began = _cpu_s(watcher.process.pid), time.monotonic()
        time.sleep(MEASURED_SECONDS)
        cores = (_cpu_s(watcher.process.pid) - before) / (time.monotonic() - began)
        cost = Cost(cores, _memory_mb(watcher.process.pid))
        assert talking.poll() is None, "the rooms ended before they were measured"
        began = time.monotonic()
        watcher.process.send_signal(signal.SIGINT)
        assert watcher.process.wait(120) == 0, watcher.log.read_text()
        ended = time.monotonic() - began
        talking.kill()
        asyncio.run(delete(server, *(f"{name}-{number}" for number in range(rooms))))
        return cost, [read(path) for path in watcher.bundles()], ended


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _tracks(watcher: Watcher) -> list[Path]:
    return [*watcher.out.glob("*.unfinished/journal/*.pcm")]


@contextmanager
def _talk(server: LiveServer, name: str, rooms: int) -> Iterator[subprocess.Popen[bytes]]:
    words = ["-m", "tests.benchmarks.rooms", name, str(rooms), "90"]
    process = subprocess.Popen(
        [sys.executable, *words], env=server.environment(), stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _busy() -> Iterator[None]:
    """Every core has something else to do, of the same priority."""
    others = [
        multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)
    ]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _spin() -> None:
    while True:
        sum(range(100_000))


def _print_loss(what: str, bundles: Sequence[Bundle]) -> None:
    """Messages have numbers, and audio has a length: whatever is not there was lost."""
    messages = lost = 0
    for bundle in bundles:
        for identity in ("ann", "bot"):
            numbers = [
                int(str(event.data["bytes"]))
                for event in bundle.of_kind("data_received")
                if event.data["topic"] == TOPIC and event.data["identity"] == identity
            ]
            messages += len(numbers)
            assert numbers, f"nothing of {identity} in {bundle.manifest.room}"
            lost += numbers[-1] - numbers[0] + 1 - len(numbers)
    tracks = [track for bundle in bundles for track in bundle.manifest.tracks]
    seconds = sum(track.span.duration_us for track in tracks) / 1e6
    gaps = [
        str(event.data["cause"]) for bundle in bundles for event in bundle.of_kind("lkgate.gap")
    ]
    print(what)
    print(f"  bundles, tracks, audio               {len(bundles)}, {len(tracks)}, {seconds:.0f} s")
    print(f"  messages recorded, lost              {messages}, {lost}")
    print(f"  gaps in the audio, and their causes  {len(gaps)} {sorted(set(gaps))}")


def _close_an_hour(work: Path) -> None:
    """What Ctrl-C after an hour of two people has to do."""
    left = work / "hour.unfinished"
    journal = Journal.create(left, header={"id": "hour", "source": "record", "room": "x"})
    noise, quiet = os.urandom(2 * 24_000), bytes(2 * 24_000)
    roles: tuple[Role, ...] = ("caller", "agent")
    for turn, role in enumerate(roles):
        track = journal.track(
            role, role=role, participant=role, sid=role, sample_rate_hz=24_000, offset_us=0
        )
        for second in range(3_600):
            track.write(noise if second // 5 % 2 == turn else quiet)
    journal.finish(duration_us=3_600_000_000)
    began = time.monotonic()
    recover(left)
    print(f"closing a recording of an hour         {time.monotonic() - began:6.1f} s")


if __name__ == "__main__":
    main()
