"""The slow proofs: ``python -m pytest -m soak``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lkgate import builds
from lkgate.builds import resolve
from lkgate.config import load_config
from lkgate.model.build import Build
from lkgate.replay import server
from lkgate.replay.recordings import find_recordings, read_recordings
from lkgate.replay.run import ReplayOptions, replay

ROOT = Path(__file__).parents[2]
TIMES = int(os.environ.get("LKGATE_SOAK_TIMES", "100"))
ZONES = ("UTC", "Asia/Tokyo", "America/Lima", "Australia/Eucla")
LOCALES = ("C", "C.UTF-8", "POSIX")


@contextmanager
def busy_core() -> Iterator[None]:
    """Something else that wants a core all the time."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_hundred_replays_of_every_call_have_one_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(ROOT, environ={})
    recordings = read_recordings(find_recordings(config.recordings))
    options = replace(ReplayOptions.of(config), state=tmp_path, workers=2, memory=False)
    digests: dict[str, set[str]] = {one.call: set() for one in recordings}
    with busy_core():
        for number in range(TIMES):
            odd = {
                "PYTHONHASHSEED": str(number),
                "TZ": ZONES[number % len(ZONES)],
                "LC_ALL": LOCALES[number % len(LOCALES)],
            }

            # In place of what lkgate fixes for every build: the candidate must not depend on it.
            def environment(
                build: Build, *, everything: bool, odd: dict[str, str] = odd
            ) -> dict[str, str]:
                return builds.environment(build, everything=everything) | odd

            monkeypatch.setattr(server, "environment", environment)
            replays = replay(recordings, resolve("v2", config), options, lambda _: None)
            for one in replays.calls:
                assert one.outcome.bundle is not None, one.outcome.failure
                digests[one.recording.call].add(one.outcome.bundle.manifest.digest)
    for call, found in digests.items():
        print(f"{call}: {TIMES} replays, {len(found)} digest: {sorted(found)[0][:16]}")
    assert {call: len(found) for call, found in digests.items()} == dict.fromkeys(digests, 1)
