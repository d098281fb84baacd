"""The same job is the same call, to the byte, whatever the process around it is like."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.builds import environment as usual
from lkgate.model.build import Build
from lkgate.replay import server as parent
from tests.harness.program import replay
from tests.harness.program.replay import plan_and_pcm


@pytest.mark.parametrize("program", ["tools.py"])
def test_hash_seed_time_zone_and_locale_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    digests = []
    for number, (seed, zone, language) in enumerate(
        [("1", "UTC", "C.UTF-8"), ("77", "Asia/Tokyo", "POSIX")]
    ):
        odd = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}

        def environment(
            build: Build, *, everything: bool, odd: dict[str, str] = odd
        ) -> dict[str, str]:
            return usual(build, everything=everything) | odd

        monkeypatch.setattr(parent, "environment", environment)
        started = replay.start(tmp_path / str(number), program)
        try:
            # Two at once: the machine is busy, and they are not in step.
            jobs = [started.start(caller=plan_and_pcm([0.6, 0.9, 0.6], into=1)) for _ in range(2)]
            for job in jobs:
                call = started.end_of(job)
                assert call.result["status"] == "ok", call
                digests.append(call.digest())
        finally:
            started.server.kill()
    assert "events.jsonl" in digests[0]
    assert len(digests[0]["events.jsonl"]) > 5000
    assert digests[1:] == [digests[0]] * 3


def test_another_seed_is_another_call(tmp_path: Path) -> None:
    started = replay.start(tmp_path, "simple.py")
    try:
        first, second = started.call(seed=1), started.call(seed=2)
    finally:
        started.server.kill()
    assert first.texts("assistant") == second.texts("assistant")
    assert first.digest()["events.jsonl"] != second.digest()["events.jsonl"]


@pytest.mark.parametrize("program", ["chance.py", "two_agents.py"])
def test_the_users_surroundings_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    digests = []
    for number, (seed, zone, language) in enumerate(
        [("1", "Asia/Tokyo", "C.UTF-8"), ("77", "America/Caracas", "POSIX")]
    ):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("LC_ALL", language)
        monkeypatch.setenv("COLUMNS", str(80 + number))
        started = replay.start(tmp_path / str(number), program)
        try:
            jobs = [started.start(caller=plan_and_pcm([0.6, 0.9])) for _ in range(2)]
            for job in jobs:
                call = started.end_of(job)
                assert call.result["status"] == "ok", call
                digests.append(call.digest())
        finally:
            started.server.kill()
    assert {"events.jsonl", "agent.pcm"} <= digests[0].keys()
    for digest in digests[1:]:
        assert digest["events.jsonl"].splitlines() == digests[0]["events.jsonl"].splitlines()
        assert digest == digests[0]
