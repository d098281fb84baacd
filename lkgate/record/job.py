"""Why there is no agent, from what is known of its dispatch. Pure.

A server tells whom a dispatch was given to, and nothing of whom it asked in vain: without a worker,
with a full one and with one that does not answer, a dispatch has no job and looks the same. What
tells these apart is the worker itself: its health check, or its log where lkgate started it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fault = Literal[
    "not_asked",
    "no_worker",
    "stale_worker",
    "overloaded_worker",
    "cold_job",
    "failed_job",
    "refused_job",
    "not_taken",
]
JobStatus = Literal["pending", "running", "success", "failed", "cancelled"]

# From the job's assignment to its agent in the room: under a second with a warm process.
COLD_US = 5_000_000
# livekit-server asks who takes a job for 5 s, and only then tells who took it.
SETTLED_US = 6_000_000
# What a worker refuses jobs at unless its program says otherwise (livekit-agents' load_threshold).
DEFAULT_THRESHOLD = 0.7
_COLD = (
    "Wait longer with --wait, keep processes warm (num_idle_processes), or make prewarm and the "
    "entrypoint shorter."
)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job as the dispatch API tells it.

    Attributes:
        identity: of the agent to come; empty if the worker refused the job (``reject()``).
        status, error: as last told; livekit-server tells those of the assignment for ever.
        assigned_us: session time.
    """

    id: str
    worker_id: str
    identity: str
    status: JobStatus
    error: str
    assigned_us: int


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What a worker's health check and log told. ``None`` is what neither did.

    Attributes:
        reachable: whether its process runs and somebody listens at its address.
        answers: whether it answered in time.
        registered: whether it says that it is connected to the server.
        agent_name: that it is registered under.
        load, threshold: shares of 1; it takes no job at or above the threshold.
        offered: whether it was offered a job of this room.
        error: why a job of this room ended, in the worker's words; empty if it did not.
    """

    reachable: bool
    answers: bool = False
    registered: bool | None = None
    agent_name: str | None = None
    load: float | None = None
    threshold: float | None = None
    offered: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class DispatchFacts:
    """What is known of a dispatch.

    Attributes:
        agent_name: that was asked for; empty: any that goes by no name; ``None``: none was.
        asked_us: session time at which it was; at which the recorder came, if that was later.
        now_us: session time.
        jobs: in order of assignment.
        joined_us: session time at which the first agent was in the room; ``None``: none was.
        worker: ``None`` if nothing but the server could be asked.
    """

    agent_name: str | None
    asked_us: int
    now_us: int
    jobs: tuple[JobFacts, ...] = ()
    joined_us: int | None = None
    worker: WorkerFacts | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A fault with its reason: ``what`` is part of a sentence."""

    fault: Fault
    what: str
    next_step: str


def diagnose(facts: DispatchFacts) -> Diagnosis | None:
    """What is wrong with a dispatch, ``None`` if its agent came, and in time."""
    if facts.jobs:
        return _assigned(facts, facts.jobs[-1])
    return None if facts.joined_us is not None else _unassigned(facts)


def ended(job: JobFacts) -> bool:
    """Whether the server says that it has ended."""
    return job.status in ("success", "failed", "cancelled")


def _assigned(facts: DispatchFacts, job: JobFacts) -> Diagnosis | None:
    until_us = facts.now_us if facts.joined_us is None else facts.joined_us
    waited_us = until_us - job.assigned_us
    if facts.joined_us is not None:
        if waited_us < COLD_US:
            return None
        return Diagnosis(
            "cold_job",
            f"the agent came {_seconds(waited_us)} after its job was assigned: a cold start",
            "Keep processes warm (num_idle_processes), or make prewarm and the entrypoint shorter.",
        )
    if not job.identity:
        return _refused(f"worker {job.worker_id} refused the job")
    worker = facts.worker
    error = job.error or (worker.error if worker is not None else "")
    if error or ended(job):
        told = error or f"its status is {job.status}"
        return Diagnosis(
            "failed_job",
            f"its job ended before the agent joined: {told}",
            "Run the agent's entrypoint by hand ('console' or 'dev') to see why.",
        )
    if worker is not None and not (worker.reachable and worker.answers):
        return _stale(f"worker {job.worker_id} took the job and no longer answers")
    return Diagnosis(
        "cold_job",
        f"worker {job.worker_id} took the job {_seconds(waited_us)} ago and its agent is still "
        "starting: a cold start, or an entrypoint that does not connect",
        _COLD,
    )


def _unassigned(facts: DispatchFacts) -> Diagnosis:
    if facts.agent_name is None:
        return Diagnosis(
            "not_asked",
            "nobody asked for an agent in this room",
            "Dispatch one, or name its build with --build.",
        )
    named = _named(facts.agent_name)
    worker = facts.worker
    if worker is None:
        return Diagnosis(
            "not_taken",
            f"no worker took the job: none is registered {named}, or each is full or does not "
            "answer; the server does not tell which",
            "Look at the agent's own health check and log.",
        )
    start = "Start the agent, or check its LIVEKIT_URL and the name it registers under."
    if not worker.reachable:
        return Diagnosis(
            "no_worker", f"no worker is registered {named}: nothing listens where it was", start
        )
    if not worker.answers:
        return _stale(
            f"the worker {named} does not answer: the server has asked it in vain, "
            "for it is still registered"
        )
    if worker.registered is False:
        return Diagnosis(
            "no_worker", f"the worker {named} runs, but is not connected to the server", start
        )
    if worker.agent_name is not None and worker.agent_name != facts.agent_name:
        return Diagnosis(
            "no_worker",
            f"no worker is registered {named}: this one is registered {_named(worker.agent_name)}",
            start,
        )
    threshold = DEFAULT_THRESHOLD if worker.threshold is None else worker.threshold
    if worker.load is not None and worker.load >= threshold:
        return Diagnosis(
            "overloaded_worker",
            f"the worker {named} is overloaded: its load is {worker.load:.2f}, and it takes no "
            f"job at {threshold:.2f} or more",
            "Add a worker, give it more room, or raise its load_threshold.",
        )
    asked_for_us = facts.now_us - facts.asked_us
    if worker.offered and asked_for_us < SETTLED_US:
        return Diagnosis(
            "cold_job",
            f"the worker {named} was offered the job up to {_seconds(asked_for_us)} ago, and its "
            "agent is not there yet",
            _COLD,
        )
    if worker.offered:
        return _refused(f"the worker {named} was offered the job and refused it")
    return Diagnosis(
        "not_taken",
        f"the worker {named} answers and is not known to be full, but took no job",
        "Look at its log for a job request.",
    )


def _refused(what: str) -> Diagnosis:
    return Diagnosis("refused_job", what, "Look at what its on_request refuses, and why.")


def _stale(what: str) -> Diagnosis:
    return Diagnosis("stale_worker", what, "Restart it; look at what it was doing with py-spy.")


def _named(agent_name: str) -> str:
    return f"as {agent_name!r}" if agent_name else "without a name"


def _seconds(us: int) -> str:
    return f"{us / 1e6:.1f} s"
