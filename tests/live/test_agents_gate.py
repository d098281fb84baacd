"""Recorded calls gated over rooms for a Node build and a speech-to-speech build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.live.agents.workers import REALTIME, AgentProgram, model_server, node_agent
from tests.live.conftest import LiveServer
from tests.live.test_rooms import EMERGENCY, cut, project, replay, replay_in_time, status_of

pytestmark = [pytest.mark.live, pytest.mark.timeout(290)]

# One turn of the caller, and the answer to it.
CUT_US = 12_500_000

Models = Mapping[str, str]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with model_server(tmp_path_factory.mktemp("models")) as variables:
        yield variables


def build(program: AgentProgram, models: Models, pipeline: str, fault: str) -> dict[str, object]:
    return {
        "command": list(program.command),
        "cwd": str(program.cwd),
        "agent_name": program.name,
        "pipeline": pipeline,
        "env": {**models, "CLINIC_FAULT": fault},
    }


def builds(models: Models) -> dict[str, dict[str, object]]:
    """Each as it should be, and with a fault."""
    node = node_agent()
    return {
        "node": build(node, models, "cascade", ""),
        "node-slow": build(node, models, "cascade", "slow"),
        "voice": build(REALTIME, models, "realtime", ""),
        "voice-slow": build(REALTIME, models, "realtime", "slow"),
        "voice-alone": build(REALTIME, models, "realtime", "person"),
    }


@pytest.mark.parametrize("agent", ["node", pytest.param("voice", marks=pytest.mark.soak)])
def test_good_builds_pass_and_slow_ones_fail(
    live_server: LiveServer, models: Models, tmp_path: Path, agent: str
) -> None:
    project(tmp_path, "agents.yaml", builds(models))
    cut(EMERGENCY, CUT_US, tmp_path / "recordings" / "chest-pain")
    words = ("--repeats", "1", "--format", "json")
    good = replay_in_time(live_server, tmp_path, "--against", agent, *words)
    assert good.returncode == 0, good.stdout + good.stderr
    slow = replay_in_time(live_server, tmp_path, "--against", f"{agent}-slow", *words)
    assert slow.returncode == 1, slow.stdout + slow.stderr
    assert status_of(slow.stdout)["response-latency"] == "fail"


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("good", "faulty", "rule"),
    [("node", "node-slow", "response-latency"), ("voice", "voice-alone", "tools")],
)
def test_builds_in_turn_with_a_good_one(
    live_server: LiveServer, models: Models, tmp_path: Path, good: str, faulty: str, rule: str
) -> None:
    project(tmp_path, "agents-interleaved.yaml", builds(models))
    (tmp_path / "recordings" / "emergency").symlink_to(EMERGENCY)
    for name, code, failed in ((good, 0, set()), (faulty, 1, {rule})):
        words = ("--against", name, "--interleave", good, "--repeats", "1", "--format", "json")
        done = replay(live_server, tmp_path, *words, limit_s=600)
        print(done.stdout, done.stderr)
        assert done.returncode == code, done.stdout + done.stderr
        found = {one for one, status in status_of(done.stdout).items() if status == "fail"}
        assert found == failed
