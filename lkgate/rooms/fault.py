"""Why no call took place: what the server says of the jobs, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

JobStatus = Literal["pending", "running", "success", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class SeenJob:
    """One job of the room, as the server tells.

    Attributes:
        error: of a job that failed; may be empty.
        worker_id: that took it; empty if none has.
    """

    status: JobStatus
    error: str
    worker_id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was seen of the agent's coming.

    Attributes:
        agent_name: that was dispatched; empty: any worker without a name.
        waited_us: for the agent.
        jobs: of the room.
        joined: whether an agent came into the room.
        acted: whether it made a sound, or its session said anything.
        left: whether it left, or the room was closed, before the caller did.
        worker_id: of the worker that lkgate started, ``None`` if it started none or does not know.
    """

    agent_name: str
    waited_us: int
    jobs: tuple[SeenJob, ...]
    joined: bool
    acted: bool
    left: bool
    worker_id: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there was no call that could be judged.

    Attributes:
        kind: ``no_worker``, ``wrong_worker``, ``crash_on_entry`` or ``cold_worker``.
    """

    kind: Literal["no_worker", "wrong_worker", "crash_on_entry", "cold_worker"]
    what: str
    next_step: str


def fault_of(seen: Arrival) -> Fault | None:
    """The fault; ``None`` if an agent took the call, however it went on."""
    named = f"agent {seen.agent_name!r}" if seen.agent_name else "an agent without a name"
    stranger = _stranger(seen.jobs, seen.worker_id)
    if stranger is not None:
        return Fault(
            "wrong_worker",
            f"the job went to another worker ({stranger}) that is registered as {named}, "
            "not to the one that lkgate started",
            "End the other worker, use a server of its own, or give the build another name: "
            'env = {LIVEKIT_AGENT_NAME_OVERRIDE = "candidate"}.',
        )
    if seen.joined and (seen.acted or not seen.left):
        return None
    waited = f"{seen.waited_us / 1e6:g} s"
    failed = next((job for job in seen.jobs if job.status == "failed"), None)
    if seen.joined or failed is not None or any(job.status == "success" for job in seen.jobs):
        error = f": {failed.error}" if failed is not None and failed.error else ""
        where = "after it had joined, without a sound" if seen.joined else "before it joined"
        return Fault(
            "crash_on_entry",
            f"the job of {named} ended {where}{error}",
            "Its entrypoint raised or returned: its worker's log says where.",
        )
    if not any(job.worker_id or job.status == "running" for job in seen.jobs):
        return Fault(
            "no_worker",
            f"no worker took the job of {named} within {waited}",
            "Start one that is registered under this name, or check the name and the server.",
        )
    return Fault(
        "cold_worker",
        f"a worker took the job of {named}, and no agent joined within {waited}",
        "It is starting, overloaded or hangs: keep a process warm, or wait longer with --wait.",
    )


def _stranger(jobs: Sequence[SeenJob], worker_id: str | None) -> str | None:
    if worker_id is None:
        return None
    return next((job.worker_id for job in jobs if job.worker_id not in ("", worker_id)), None)
