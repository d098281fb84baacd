"""The life of every dispatch and job of a room, as events ``lkgate.job``.

A job has these phases, each an event with ``phase`` and what is known of the job then:

* ``requested``: somebody asked for an agent (``agent_name``; empty: for any without a name);
* ``refused``: a worker wants no part of it, and no other will be asked;
* ``assigned``: a worker took the job (``worker_id``, ``identity`` of the agent to come);
* ``joined``: the agent is in the room;
* ``first_audio``: the agent is heard for the first time;
* ``ended``: the agent left, or its job ended before it came (``status`` and ``error``; ``status``
  is ``None`` where neither server nor worker told: livekit-server keeps that of the assignment);
* ``fault``: lkgate's diagnosis (``fault``, ``what``) of an agent that came late or not at all.

The last is of the agent that was looked for, the others of any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from livekit import rtc
from livekit.protocol.agent import Job, JobStatus
from livekit.protocol.agent_dispatch import AgentDispatch

from lkgate import signal
from lkgate.bundle.journal_reader import JournalTrack
from lkgate.capture import RoleOf
from lkgate.errors import RecordError
from lkgate.model.event import Json
from lkgate.record.health import ask_worker
from lkgate.record.job import Diagnosis, DispatchFacts, JobFacts, WorkerFacts, diagnose, ended
from lkgate.record.job import JobStatus as Status
from lkgate.record.server import Server
from lkgate.record.worker import Worker
from lkgate.record.worker_log import WorkerLog

KIND = "lkgate.job"

Note = Callable[[str, Mapping[str, Json]], None]

_POLL_SECONDS = 0.5
_CALM_POLL_SECONDS = 5.0
_FIRST_SECONDS = 60
_STATUS: Mapping[int, Status] = {
    JobStatus.JS_PENDING: "pending",
    JobStatus.JS_RUNNING: "running",
    JobStatus.JS_SUCCESS: "success",
    JobStatus.JS_FAILED: "failed",
    JobStatus.JS_CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A dispatch: session time at which it was first seen, and its making on the server's clock."""

    agent_name: str
    at_us: int
    created_ns: int


def first_audio(tracks: Iterable[JournalTrack]) -> Iterator[tuple[int, Mapping[str, Json]]]:
    """Of every agent, the event of when it was first heard to speak, if it was."""
    heard: dict[str, int] = {}
    for track in tracks:
        if track.role != "agent":
            continue
        pcm, rate = track.samples(), track.sample_rate_hz
        length = _FIRST_SECONDS * rate
        while not (spans := signal.segment(pcm.head(length), rate)) and length < len(pcm):
            length *= 4  # a call of an hour need not be searched to its end
        for start, _ in spans[:1]:
            at_us = max(0, track.offset_us + start * 1_000_000 // rate)
            heard[track.participant] = min(at_us, heard.get(track.participant, at_us))
    for identity, at_us in sorted(heard.items()):
        yield at_us, {"phase": "first_audio", "identity": identity}


class Dispatches:
    """Follows the dispatches of one room.

    Args:
        note: writes an event, now.
        agent_name: that is waited for; ``None``: whichever was asked for last.
        worker: that lkgate started, if it did.
        worker_url: where a worker that it did not start answers health checks.
    """

    def __init__(
        self,
        server: Server,
        room: str,
        *,
        note: Note,
        now_us: Callable[[], int],
        roles: RoleOf,
        agent_name: str | None = None,
        worker: Worker | None = None,
        worker_url: str | None = None,
    ):
        self._server = server
        self._room = room
        self._note = note
        self._now_us = now_us
        self._roles = roles
        self._agent_name = agent_name
        self._worker = worker
        self._worker_url = worker_url
        self._log = worker.log if worker is not None else WorkerLog()
        self._dispatches: dict[str, _Asked] = {}
        self._jobs: dict[str, tuple[str, JobFacts]] = {}
        self._over: set[str] = set()
        self._agents: set[str] = set()
        self._joined_us: int | None = None
        # An agent that was there before: when it was assigned and how long it took is not known.
        self._was_there = False

    @property
    def came(self) -> bool:
        """Whether there was an agent at any time."""
        return self._joined_us is not None

    def follow(self, room: rtc.Room) -> None:
        """Note agents that come and go in ``room``, which is about to be joined."""

        def came(participant: rtc.RemoteParticipant) -> None:
            if self._roles.participant(participant) == "agent":
                self._came(participant.identity)

        def left(participant: rtc.RemoteParticipant) -> None:
            if room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
                return  # it is the recorder that left
            if participant.identity in self._agents:
                self._left(participant.identity)

        room.on("participant_connected", came)
        room.on("participant_disconnected", left)

    def joined(self, room: rtc.Room) -> None:
        """Take note of the agents that are in ``room``, which was just joined."""
        for participant in room.remote_participants.values():
            if self._roles.participant(participant) == "agent":
                self._was_there = self._was_there or not self.came
                self._came(participant.identity)

    async def run(self) -> None:
        """Ask the server until cancelled. A server that does not answer is asked again."""
        while True:
            with suppress(RecordError):
                self._see(await self._server.dispatches(self._room))
            await asyncio.sleep(_CALM_POLL_SECONDS if self.came else _POLL_SECONDS)

    def settle(self, room: rtc.Room) -> None:
        """Note the end of agents that left while the recorder was cut off from ``room``."""
        for identity in sorted(self._agents - set(room.remote_participants)):
            self._left(identity)

    async def diagnose(self) -> Diagnosis | None:
        """Why the agent is not there, or was late; also noted. ``None``: nothing is wrong."""
        worker = await self._ask_worker()
        dispatch_id, name = self._looked_for()
        jobs = tuple(job for of, job in self._jobs.values() if of == dispatch_id)
        if worker is not None:
            errors = [self._log.errors[job.id] for job in jobs if job.id in self._log.errors]
            worker = replace(
                worker,
                offered=dispatch_id in self._log.offered,
                error=errors[-1] if errors else "",
            )
        found = diagnose(
            DispatchFacts(
                agent_name=name,
                asked_us=self._dispatches[dispatch_id].at_us if dispatch_id is not None else 0,
                now_us=self._now_us(),
                jobs=() if self._was_there else jobs,
                joined_us=self._joined_us,
                worker=worker,
            )
        )
        if found is not None:
            self._note(KIND, {"phase": "fault", "fault": found.fault, "what": found.what})
        return found

    def _looked_for(self) -> tuple[str | None, str | None]:
        """The id and the agent's name of the dispatch that is waited for."""
        named = [
            (dispatch_id, asked.agent_name)
            for dispatch_id, asked in reversed(self._dispatches.items())
            if self._agent_name in (None, asked.agent_name)
        ]
        # By name before any: a room has a dispatch for those without one by itself.
        return max(named, key=lambda each: bool(each[1]), default=(None, self._agent_name))

    async def _ask_worker(self) -> WorkerFacts | None:
        if self._worker is not None:
            return await self._worker.facts()
        return await ask_worker(self._worker_url) if self._worker_url is not None else None

    def _see(self, dispatches: list[AgentDispatch]) -> None:
        for dispatch in dispatches:
            if dispatch.id not in self._dispatches:
                self._dispatches[dispatch.id] = _Asked(
                    dispatch.agent_name, self._now_us(), dispatch.state.created_at
                )
                self._note(
                    KIND,
                    {
                        "phase": "requested",
                        "dispatch_id": dispatch.id,
                        "agent_name": dispatch.agent_name,
                    },
                )
            for job in dispatch.state.jobs:
                self._see_job(dispatch.id, job)
        for _, known in self._jobs.values():
            if (known.identity and ended(known)) or known.id in self._log.errors:
                self._ended(known, known.identity)

    def _see_job(self, dispatch_id: str, job: Job) -> None:
        known = job.id in self._jobs
        asked = self._dispatches[dispatch_id]
        # It is told seconds later. Of the server's clock only differences: it may be another's.
        after_us = max(0, job.state.started_at - asked.created_ns) // 1_000
        assigned_us = min(asked.at_us + after_us, self._now_us())
        facts = JobFacts(
            id=job.id,
            worker_id=job.state.worker_id,
            identity=job.state.participant_identity,
            status=_STATUS.get(job.state.status, "pending"),
            error=job.state.error,
            assigned_us=assigned_us,
        )
        self._jobs[job.id] = (dispatch_id, facts)
        if not known:
            self._note(
                KIND,
                {
                    "phase": "assigned" if facts.identity else "refused",
                    "dispatch_id": dispatch_id,
                    "job_id": facts.id,
                    "worker_id": facts.worker_id,
                    "identity": facts.identity or None,
                },
            )

    def _came(self, identity: str) -> None:
        if identity in self._agents:
            return
        self._agents.add(identity)
        if self._joined_us is None:
            self._joined_us = self._now_us()
        self._note(KIND, {"phase": "joined", "identity": identity})

    def _left(self, identity: str) -> None:
        self._agents.discard(identity)
        jobs = (job for _, job in self._jobs.values() if job.identity == identity)
        self._ended(next(jobs, None), identity)

    def _ended(self, job: JobFacts | None, identity: str) -> None:
        if job is not None and job.id in self._over:
            return
        data: dict[str, Json] = {"phase": "ended", "identity": identity}
        error = None
        status: Status | None = None
        if job is not None:
            self._over.add(job.id)
            data["job_id"] = job.id
            error = job.error or self._log.errors.get(job.id)
            if ended(job):
                status = job.status
            elif error:
                status = "failed"
        self._note(KIND, {**data, "status": status, "error": error or None})
