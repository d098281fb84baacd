"""Hours of a room at simulated time: what a recorder needs does not grow, and nothing moves."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lkgate.bundle import verify
from tests.capture.day import BURST_AT_US, MINUTE_US

ROOT = Path(__file__).parents[2]
# By how much the caller's clock is wrong.
PPM = 2.0
# Growth with the square of time would have the last of two parts cost three times the first.
SAME_COST_RATIO = 2.0
GROWTH_MB_PER_HOUR, SLACK_MB = 0.25, 2.0
# Closing holds every event, and a level of every 10 ms, but no track: an hour of two has 346 MB.
CLOSE_MB, CLOSE_MB_PER_HOUR = 50.0, 20.0
EVENTS_MB_PER_HOUR = 1.0


@pytest.mark.parametrize("hours", [1, pytest.param(24, marks=pytest.mark.soak)])
@pytest.mark.timeout(3_000)
def test_hours_of_a_room(hours: int, tmp_path: Path) -> None:
    costs = _simulate(tmp_path / "day", hours)
    first, last = costs["half_hours"][0], costs["half_hours"][-1]
    print(f"\n{hours} h: {json.dumps(costs)}")
    assert last["cpu_s"] <= SAME_COST_RATIO * first["cpu_s"]
    assert last["peak_mb"] - first["peak_mb"] <= SLACK_MB + GROWTH_MB_PER_HOUR * hours
    for half in costs["half_hours"]:
        assert 0.25e6 < half["event_bytes"] <= EVENTS_MB_PER_HOUR / 2 * 1e6
    closed = costs["closed"]
    assert closed["peak_mb"] - closed["before_mb"] <= CLOSE_MB + CLOSE_MB_PER_HOUR * hours

    bundle = verify(tmp_path / "day" / "bundle")
    gaps = Counter((gap.data["track"], gap.data["cause"]) for gap in bundle.of_kind("lkgate.gap"))
    assert gaps.pop(("agent", "discontinuous_transmission")) >= 1
    assert gaps == {
        ("caller", "loss"): 9 * hours,
        ("caller", "mute"): hours,
        ("caller", "unsubscribed"): hours,
        ("caller", "reconnection"): hours,
        ("agent", "reconnection"): hours,
    }
    for track in bundle.manifest.tracks:
        first_us = BURST_AT_US[track.participant]
        due_us = [first_us + minute * MINUTE_US for minute in range(60 * hours)]
        errors_us = [
            span.start_us - at_us for span, at_us in zip(track.speech, due_us, strict=True)
        ]
        # How long an agent is buffered changes while it says nothing, and is known when it speaks.
        most_us = 20_000 if track.role == "caller" else 60_000
        assert max(map(abs, errors_us)) <= most_us
        quarter = len(errors_us) // 4
        begun_us = statistics.median(errors_us[:quarter])
        ended_us = statistics.median(errors_us[-quarter:])
        assert abs(ended_us - begun_us) <= 20_000
        assert 0 <= bundle.manifest.duration_us - track.span.end_us <= 300_000
        assert track.clock is not None and track.clock.drift_ppm is not None
        assert abs(track.clock.drift_ppm - (PPM if track.role == "caller" else 0)) <= 0.5


def _simulate(directory: Path, hours: int) -> dict[str, Any]:
    """In a process of its own, whose memory is nobody else's."""
    words = [sys.executable, "-m", "tests.capture.day", str(directory), str(hours), str(PPM)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    costs: dict[str, Any] = json.loads(done.stdout)
    return costs
