"""Why no agent took a call, from what was recorded of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.bundle import Journal, close_journal
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.record.job import Diagnosis
from lkgate.rooms.fault import Fault, fault_of

Events = list[tuple[str, dict[str, Json]]]

JOINED: Events = [("participant_connected", {"identity": "bot", "kind": "agent"})]
TAKEN: Events = [("lkgate.job", {"phase": "assigned", "worker_id": "AW_1"})]
ENDED: Events = [("lkgate.job", {"phase": "ended", "error": "RuntimeError: no clinic"})]
LIVES: Events = [("agent_state_changed", {"new_state": "listening"})]
CALLER: Events = [("participant_connected", {"identity": "ann", "kind": "standard"})]


def bundle(directory: Path, events: Events) -> Bundle:
    journal = Journal.create(directory / "j", header={"id": "c", "source": "replay", "room": "r"})
    for kind, data in events:
        journal.event(0, kind, data)
    journal.finish(duration_us=10)
    return close_journal(directory / "j", directory / "b")


def found(
    directory: Path,
    events: Events,
    *,
    diagnosis: Diagnosis | None = None,
    hung_up: bool = False,
    worker_id: str | None = "AW_1",
) -> Fault | None:
    return fault_of(
        bundle(directory, events),
        diagnosis=diagnosis,
        wait_us=6_500_000,
        hung_up=hung_up,
        worker_id=worker_id,
    )


@pytest.mark.parametrize(
    ("events", "hung_up"),
    [
        (CALLER + TAKEN + JOINED + LIVES, True),
        # It fell silent, and the caller hung up: that is for the gate to judge.
        (CALLER + TAKEN + JOINED, True),
        # It ended the call.
        (CALLER + TAKEN + JOINED + LIVES + ENDED, False),
    ],
)
def test_an_agent_that_took_the_call(tmp_path: Path, events: Events, hung_up: bool) -> None:
    assert found(tmp_path, events, hung_up=hung_up) is None


def test_nobody_came(tmp_path: Path) -> None:
    why = Diagnosis("cold_job", "its agent is still starting", "Keep processes warm.")
    assert found(tmp_path, CALLER + TAKEN, diagnosis=why) == Fault(
        "no agent came within 6.5 s: its agent is still starting (cold_job)", "Keep processes warm."
    )
    assert found(tmp_path / "2", CALLER) == Fault(
        "no agent came within 6.5 s", "Wait longer with --wait."
    )


@pytest.mark.parametrize(
    ("ended", "what"),
    [
        (ENDED, "the agent left without a sound: RuntimeError: no clinic"),
        ([], "the agent left without a sound"),
    ],
)
def test_a_crash_on_entry(tmp_path: Path, ended: Events, what: str) -> None:
    fault = found(tmp_path, CALLER + TAKEN + JOINED + ended)
    assert fault is not None
    assert fault.what == what


@pytest.mark.parametrize("rest", [[], JOINED + LIVES])
def test_a_worker_that_lkgate_did_not_start(tmp_path: Path, rest: Events) -> None:
    fault = found(tmp_path, CALLER + TAKEN + rest, hung_up=True, worker_id="AW_2")
    assert fault is not None
    assert fault.what == (
        "the job went to worker AW_1, which is registered under the same name, not to the one that "
        "lkgate started (AW_2)"
    )
    # A deployed one may be any.
    assert found(tmp_path / "2", CALLER + TAKEN + JOINED, hung_up=True, worker_id=None) is None
