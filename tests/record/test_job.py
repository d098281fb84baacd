"""Each fault of a dispatch by its facts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lkgate.record.job import (
    COLD_US,
    SETTLED_US,
    DispatchFacts,
    JobFacts,
    JobStatus,
    WorkerFacts,
    diagnose,
)

JOB = JobFacts("AJ_1", "AW_1", "agent-AJ_1", "running", "", 1_000_000)
ASKED = DispatchFacts(agent_name="clinic", asked_us=500_000, now_us=20_000_000)
WELL = WorkerFacts(reachable=True, answers=True, registered=True, agent_name="clinic", load=0.1)


def fault(facts: DispatchFacts) -> str | None:
    found = diagnose(facts)
    if found is None:
        return None
    assert found.what and found.next_step
    return found.fault


def test_an_agent_in_time_is_no_fault() -> None:
    joined_us = JOB.assigned_us + COLD_US - 1
    assert fault(replace(ASKED, jobs=(JOB,), joined_us=joined_us)) is None
    assert fault(replace(ASKED, joined_us=0)) is None, "dispatched by nobody that is known"


def test_an_agent_that_comes_late_was_cold() -> None:
    found = diagnose(replace(ASKED, jobs=(JOB,), joined_us=JOB.assigned_us + COLD_US))
    assert found is not None and found.fault == "cold_job"
    assert found.what == "the agent came 5.0 s after its job was assigned: a cold start"


def test_an_assigned_job_whose_agent_is_not_there() -> None:
    facts = replace(ASKED, jobs=(JOB,))
    assert fault(facts) == "cold_job"
    assert fault(replace(facts, worker=WELL)) == "cold_job"
    assert fault(replace(facts, worker=replace(WELL, answers=False))) == "stale_worker"
    assert fault(replace(facts, worker=WorkerFacts(reachable=False))) == "stale_worker"
    assert fault(replace(facts, worker=replace(WELL, error="KeyError: 'x'"))) == "failed_job"


@pytest.mark.parametrize("status", ["success", "failed", "cancelled"])
def test_a_job_that_ended_before_its_agent_came(status: JobStatus) -> None:
    found = diagnose(replace(ASKED, jobs=(replace(JOB, status=status),)))
    assert found is not None and found.fault == "failed_job"
    assert found.what == f"its job ended before the agent joined: its status is {status}"
    told = diagnose(replace(ASKED, jobs=(replace(JOB, status=status, error="out of memory"),)))
    assert told is not None
    assert told.what == "its job ended before the agent joined: out of memory"


def test_a_job_without_an_agent_to_come_was_refused() -> None:
    assert fault(replace(ASKED, jobs=(replace(JOB, identity="", status="success"),))) == (
        "refused_job"
    )


def test_the_last_job_counts() -> None:
    failed = replace(JOB, id="AJ_0", status="failed")
    assert fault(replace(ASKED, jobs=(failed, JOB))) == "cold_job"
    assert fault(replace(ASKED, jobs=(JOB, failed))) == "failed_job"


def test_a_job_that_nobody_took() -> None:
    def of(worker: WorkerFacts | None) -> str | None:
        return fault(replace(ASKED, worker=worker))

    assert of(None) == "not_taken"
    assert of(WorkerFacts(reachable=False)) == "no_worker"
    assert of(WorkerFacts(reachable=True)) == "stale_worker"
    assert of(replace(WELL, registered=False)) == "no_worker"
    assert of(replace(WELL, agent_name="other")) == "no_worker"
    assert of(replace(WELL, load=0.69)) == "not_taken"
    assert of(replace(WELL, load=0.7)) == "overloaded_worker"
    assert of(replace(WELL, load=0.9, threshold=0.95)) == "not_taken"
    assert of(replace(WELL, load=None)) == "not_taken"
    assert of(replace(WELL, offered=True)) == "refused_job"


def test_the_server_has_not_told_yet_who_took_it() -> None:
    soon = replace(ASKED, now_us=ASKED.asked_us + SETTLED_US - 1)
    assert fault(replace(soon, worker=replace(WELL, offered=True))) == "cold_job"
    later = replace(soon, now_us=soon.now_us + 1)
    assert fault(replace(later, worker=replace(WELL, offered=True))) == "refused_job"


def test_nobody_asked() -> None:
    assert fault(replace(ASKED, agent_name=None)) == "not_asked"
    assert fault(replace(ASKED, agent_name=None, joined_us=3)) is None


def test_an_agent_without_a_name() -> None:
    found = diagnose(replace(ASKED, agent_name="", worker=WorkerFacts(reachable=False)))
    assert found is not None
    assert found.what == "no worker is registered without a name: nothing listens where it was"
