"""One call, from the caller's arrival to the end of the agent's job, written down in a journal."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from livekit import rtc
from livekit.agents import AgentServer
from numpy.typing import NDArray

from lkgate.bundle.journal import Journal
from lkgate.caller import CallerPlayer, decode_plan
from lkgate.capture import RoleOf, RoomCapture
from lkgate.cassette import Miss
from lkgate.harness import netguard
from lkgate.harness.failure import Failure, refusal
from lkgate.harness.job import URL, Job, access_token
from lkgate.harness.room import Hub, Link, VirtualFfi, open_room
from lkgate.harness.serverapi import answer_server_api
from lkgate.harness.tape import Mode, Policy, install_replay, secrets_of
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan

_RECORDER = "lkgate-recorder"
# A room without people is closed after a while; a build that ends its job itself does so at once.
_DEPARTURE_S = 3.0
# For the caller to notice that nobody is there any more.
_NOTICE_S = 1.0


@dataclass(frozen=True, slots=True)
class CallJob:
    """``job.json`` and what lies beside it.

    Attributes:
        started_at_unix_us: wall clock at session time 0.
        cassette, tools: for the models and tools; ``cassette`` is ``None`` to leave the
            program's models as they are.
        memory: directory of what native code answered in the last replay; ``None`` for none.
        horizon_us: session time after which the call is given up.
    """

    directory: Path
    call: str
    seed: int
    started_at_unix_us: int
    room: str
    plan: CallerPlan
    cassette: Mapping[str, Json] | None
    tools: Mapping[str, Json]
    link_latency_us: int
    horizon_us: int
    agent_identity: str
    memory: Path | None


def read_job(directory: Path) -> CallJob:
    """Read a job directory.

    Raises:
        ValueError: ``job.json`` is not as agreed with the parent.
    """
    raw = json.loads((directory / "job.json").read_bytes())
    try:
        return CallJob(
            directory=directory,
            call=str(raw["call"]),
            seed=int(raw["seed"]),
            started_at_unix_us=int(raw["started_at_unix_us"]),
            room=str(raw["room"]),
            plan=decode_plan(raw["plan"]),
            cassette=raw["cassette"],
            tools=raw["tools"],
            link_latency_us=int(raw["link_latency_us"]),
            horizon_us=int(raw["horizon_us"]),
            agent_identity=str(raw["agent_identity"]),
            memory=None if raw["memory"] is None else Path(raw["memory"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"job.json: {type(error).__name__}: {error}") from error


class Call:
    """Runs one job in the virtual room. Make it and run it on the loop that it lives on."""

    def __init__(self, job: CallJob, server: AgentServer, ffi: VirtualFfi) -> None:
        self._job = job
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        link = Link(latency_us=job.link_latency_us)
        self.hub: Hub = open_room(
            ffi, room=job.room, link=link, deaf=frozenset({job.plan.identity})
        )
        self.journal = Journal.create(
            job.directory / "out",
            header={
                "id": job.call,
                "source": "replay",
                "room": job.room,
                "started_at_unix_us": job.started_at_unix_us,
            },
            secrets=secrets_of(os.environ),
        )
        self._recorder = rtc.Room()
        self.capture = RoomCapture(
            self._recorder,
            self.journal,
            now_us=self.now_us,
            roles=RoleOf(job.plan.identity),
            started_at_unix_us=job.started_at_unix_us,
        )
        # A miss, or a request to the network: no call that goes on means anything.
        self._given_up: asyncio.Future[Failure] = self._loop.create_future()
        self._job_runs: Callable[[], bool] = lambda: False
        answer_server_api(self.hub, self._refused_request)

    def now_us(self) -> int:
        """Session time."""
        return round((self._loop.time() - self._began_s) * 1_000_000)

    async def run(self) -> None:
        """The whole call. What is journalled stays, however it ends.

        Raises:
            Failure: it did not come to a proper end.
        """
        self.capture.start()
        await self._recorder.connect(URL, self._token(_RECORDER, kind="egress", hidden=True))
        try:
            ended_us = await self._talk()
        finally:
            self.hub.close(rtc.DisconnectReason.ROOM_DELETED)
            # The last that happened is still on its way to the recorder.
            await asyncio.sleep(2 * self._job.link_latency_us / 1_000_000)
            await self.capture.aclose()
            await self._recorder.disconnect()
        self.journal.finish(duration_us=ended_us)

    async def _talk(self) -> int:
        plan = self._job.plan
        room = rtc.Room()
        kind = "sip" if any(key.startswith("sip.") for key in plan.attributes) else "standard"
        token = self._token(plan.identity, kind=kind, attributes=dict(plan.attributes))
        await room.connect(URL, token)
        player = CallerPlayer(
            room,
            plan,
            _caller_pcm(self._job.directory),
            note=self.capture.note,
            now_us=self.now_us,
            uplink_us=self._job.link_latency_us,
        )
        self._tape(player)
        job = Job(
            self._server,
            room=self._job.room,
            room_sid=self.hub.sid,
            identity=self._job.agent_identity,
        )
        self._job_runs = lambda: job.entered
        calling = self._loop.create_task(player.run(), name="caller")
        working = self._loop.create_task(job.run(), name="job")
        try:
            await asyncio.wait(
                (calling, working, self._given_up), return_when=asyncio.FIRST_COMPLETED
            )
            if self._given_up.done():
                raise self._given_up.result()
            if working.done():
                await asyncio.wait((calling,), timeout=_NOTICE_S)
            else:
                await asyncio.wait((working,), timeout=_DEPARTURE_S)
            ended_us = self.now_us()
            self.hub.close(rtc.DisconnectReason.ROOM_CLOSED)
            if not working.done():
                # An agent that had not joined yet learns of it this way.
                job.stop("room closed")
            await asyncio.wait((calling, working))
        finally:
            for task in (calling, working):
                task.cancel()
        if self._given_up.done():
            raise self._given_up.result()
        if job.failure is not None:
            self.capture.note("lkgate.program_error", {"message": job.failure.message})
            raise job.failure
        working.result()
        if not calling.cancelled():
            calling.result()
        return ended_us

    def _tape(self, player: CallerPlayer) -> None:
        """Put the cassette behind the program's models and tools, and close the network."""
        cassette = self._job.cassette
        if cassette is None:
            return
        mode = cast("Mode", cassette["mode"])
        policies = cast("Mapping[str, Policy]", cassette.get("on_miss") or {})
        install_replay(
            cassette_dir=Path(str(cassette["directory"])),
            new_dir=Path(str(cassette["new_directory"])),
            mode=mode,
            tools=self._job.tools,
            plan=self._job.plan,
            placed=player.placed,
            now_us=self.now_us,
            note=self.capture.note,
            on_miss=self._on_miss,
            policies=policies,
        )
        if mode == "cassette" and "live" not in policies.values():
            netguard.block(self._refused)

    def _on_miss(self, miss: Miss) -> None:
        self.capture.note(
            "lkgate.model_miss",
            {
                "modality": miss.modality,
                "key": miss.key,
                "reason": miss.reason,
                "asked": miss.asked,
                "nearest": miss.nearest,
                "difference": miss.difference,
            },
        )
        self._give_up(_miss_failure(miss))

    def _give_up(self, failure: Failure) -> None:
        if not self._given_up.done():
            self._given_up.set_result(failure)

    def _refused_request(self, name: str) -> None:
        self.capture.note(
            "lkgate.network_refused", {"host": f"LiveKit server API: {name}", "where": None}
        )

    def _refused(self, host: str, where: str | None) -> None:
        # A prewarm loads what it finds on disk when a look for news of it is refused, and LiveKit
        # sends off figures of its own: nothing hangs on those.
        ends = where is not None and self._job_runs()

        def tell() -> None:
            self.capture.note("lkgate.network_refused", {"host": host, "where": where})
            if ends:
                self._give_up(refusal(host, where))

        # Threads may ask as well: the journal belongs to the loop.
        self._loop.call_soon_threadsafe(tell)

    def _token(
        self,
        identity: str,
        *,
        kind: str,
        attributes: dict[str, str] | None = None,
        hidden: bool = False,
    ) -> str:
        return access_token(
            self._job.room, identity, kind=kind, attributes=attributes, hidden=hidden
        )


def _miss_failure(miss: Miss) -> Failure:
    parts = [f"{miss.reason}; asked for:\n{miss.asked}"]
    if miss.nearest is not None:
        parts.append(f"nearest recorded:\n{miss.nearest}")
    if miss.difference is not None:
        parts.append(f"difference ([-recorded-] {{+asked+}}):\n{miss.difference}")
    hint = "Add what is missing from the provider with `--models record`."
    if miss.modality == "tool":
        hint = "Allow it under [tool.lkgate.tools], or record the call again with this tool."
    elif miss.modality == "tts":
        hint += " If only its length matters: `--on-miss tts=estimate`."
    return Failure("cassette_miss", "\n".join(parts), next_step=hint)


def _caller_pcm(directory: Path) -> NDArray[np.int16]:
    raw = np.fromfile(directory / "caller.pcm", dtype="<i2")
    return cast("NDArray[np.int16]", raw.astype(np.int16, copy=False))


__all__ = ["Call", "CallJob", "Failure", "read_job"]
