"""A recorder left alone for an hour, or for ``LKGATE_SOAK_SECONDS`` (at least 40)."""

from __future__ import annotations

import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from lkgate.bundle import verify
from lkgate.model.bundle import Bundle, Track
from tests.live.conftest import LiveServer, wait_until
from tests.live.talkers import NUMBERS, TOPIC
from tests.live.test_record import onsets_us

VARIABLE = "LKGATE_SOAK_SECONDS"
SECONDS = int(os.environ.get(VARIABLE, "3600"))

pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(SECONDS + 900)]

EVERY_S = 5.0
# What a process needs before it has done everything once.
WARM_RATIO = 0.2
# Growth that is none: what an allocator keeps, and what an hour may add.
SLACK_MB, PER_HOUR_MB = 4.0, 6.0
# Of the sound that was sent: what a busy machine's network stack drops on the way.
MISSING_RATIO = 0.005
# No gap but a silence that was not sent: a test's own people neither mute nor leave.
MEDIA = {"late", "loss"}


def test_an_hour_of_two_people(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room, out = f"hour-{uuid.uuid4().hex[:8]}", tmp_path / "call"
    sent_at = tmp_path / "sent.json"
    environ = live_server.environment()
    environ.pop(VARIABLE, None)  # no setting of lkgate's
    words = ["-m", "tests.live.talkers", room, str(SECONDS + 15), str(sent_at)]
    talkers = subprocess.Popen([sys.executable, *words], env=environ)
    recorder = subprocess.Popen(
        [sys.executable, "-m", "lkgate", "record", "--room", room, "--out", str(out)], env=environ
    )
    try:
        journal = out.with_name("call.unfinished") / "journal"
        wait_until(lambda: len([*journal.glob("*.pcm")]) == 2, 60)
        began, cpu_before_s = time.monotonic(), _cpu_s(recorder.pid)
        memory: list[float] = []
        while time.monotonic() - began < SECONDS:
            time.sleep(EVERY_S)
            assert recorder.poll() is None and talkers.poll() is None
            memory.append(_memory_mb(recorder.pid, "VmRSS"))
        cores = (_cpu_s(recorder.pid) - cpu_before_s) / (time.monotonic() - began)
        files = {path.name: path.stat().st_size for path in sorted(journal.iterdir())}
        recorder.send_signal(signal.SIGINT)
        closing = time.monotonic()
        peak = memory[-1]
        while recorder.poll() is None:
            assert time.monotonic() - closing < 600
            peak = max(peak, _memory_mb(recorder.pid, "VmHWM"))
            time.sleep(0.02)
        closed_s = time.monotonic() - closing
        assert recorder.returncode == 0
        talkers.wait(120)  # libwebrtc may abort in a process that ends: what it wrote counts
    finally:
        for process in (talkers, recorder):
            process.kill()
            process.wait()

    bundle = verify(out)
    sent = json.loads(sent_at.read_text())
    hours = SECONDS / 3_600
    began_mb, ended_mb = _ends(memory)
    gaps = Counter(str(gap.data["cause"]) for gap in bundle.of_kind("lkgate.gap"))
    with capsys.disabled():
        print(f"\n{SECONDS} s: {cores * 100:.1f} % of a core; closed in {closed_s:.1f} s")
        print(
            f"memory {began_mb:.1f} MB after warming up, {ended_mb:.1f} at the end "
            f"({(ended_mb - began_mb) / hours / (1 - WARM_RATIO):+.1f} MB an hour), "
            f"{peak:.1f} at most while it was closed"
        )
        print(f"journal {files}")
        print(f"gaps {dict(gaps)}; events {len(bundle.events)}")
        for track in bundle.manifest.tracks:
            late = _late_ms(bundle, out, track, sent)
            quarter = max(1, len(late) // 4)
            print(
                f"{track.id}: {track.samples / track.sample_rate_hz:.1f} s; drift "
                f"{track.clock and track.clock.drift_ppm} ppm; {len(late)} turns, "
                f"{statistics.median(late[:quarter]):+.1f} ms in the first quarter, "
                f"{statistics.median(late[-quarter:]):+.1f} in the last, from {min(late):+.1f} to "
                f"{max(late):+.1f}; missing {_missing_us(bundle, track) / 1e3:.0f} ms"
            )
    assert gaps.keys() <= {*MEDIA, "discontinuous_transmission"}
    assert ended_mb - began_mb <= SLACK_MB + PER_HOUR_MB * hours
    assert {track.participant for track in bundle.manifest.tracks} == {"ann", "bot"}
    assert len(bundle.manifest.tracks) == 2
    for track in bundle.manifest.tracks:
        # From the first frame to the last there is sound or its gap, at the nominal rate.
        assert abs(track.span.end_us - bundle.manifest.duration_us) <= 1_000_000
        assert track.span.duration_us >= SECONDS * 1_000_000
        assert _missing_us(bundle, track) <= MISSING_RATIO * track.span.duration_us
        assert track.clock is not None and track.clock.drift_ppm is not None
        assert abs(track.clock.drift_ppm) <= 200
        late = _late_ms(bundle, out, track, sent)
        quarter = max(1, len(late) // 4)
        first, last = statistics.median(late[:quarter]), statistics.median(late[-quarter:])
        assert abs(first) <= 40 and abs(last) <= 40 and abs(last - first) <= 20
        numbers = [
            int(str(event.data["bytes"]))
            for event in bundle.of_kind("data_received")
            if event.data["topic"] == TOPIC and event.data["identity"] == track.participant
        ]
        assert len(numbers) >= SECONDS - 2
        assert all(after == before % NUMBERS + 1 for before, after in itertools.pairwise(numbers))


def _late_ms(bundle: Bundle, out: Path, track: Track, sent: dict[str, list[int]]) -> list[float]:
    """How much later than at its sender each turn begins; every turn is there, and once."""
    assert bundle.manifest.started_at_unix_us is not None
    began_us = bundle.manifest.started_at_unix_us
    heard = [began_us + at for at in onsets_us(out, track)]
    first, last = track.offset_us + began_us + 500_000, began_us + track.span.end_us - 500_000
    due = [at for at in sent[track.participant] if first <= at <= last]
    found = [at for at in heard if first <= at <= last]
    assert len(found) == len(due), (track.id, len(found), len(due))
    return [(at - should) / 1_000 for at, should in zip(found, due, strict=True)]


def _missing_us(bundle: Bundle, track: Track) -> int:
    """Of what was sent."""
    return sum(
        int(
            str(
                gap.data.get(
                    "missing_us", int(str(gap.data["end_us"])) - int(str(gap.data["start_us"]))
                )
            )
        )
        for gap in bundle.of_kind("lkgate.gap")
        if gap.data["track"] == track.id and gap.data["cause"] in MEDIA
    )


def _ends(memory: list[float]) -> tuple[float, float]:
    """Medians of a tenth: after what a process needs at first, and at the end."""
    warm = memory[round(len(memory) * WARM_RATIO) :]
    tenth = max(1, len(memory) // 10)
    return statistics.median(warm[:tenth]), statistics.median(warm[-tenth:])


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, which: str) -> float:
    """``VmRSS`` now or ``VmHWM`` ever; 0 of a process that has just ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / 1_000
    return 0.0
