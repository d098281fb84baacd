"""One call over one room: created, called, recorded, closed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from lkgate.builds import lacking_layers, secrets_of
from lkgate.bundle import close_journal
from lkgate.caller import CallerPlayer
from lkgate.caller.voice import Pcm
from lkgate.errors import ReplayError
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan
from lkgate.record.clock import SYSTEM
from lkgate.record.options import RecordOptions
from lkgate.record.recording import Ending
from lkgate.record.recording import Recording as Recorder
from lkgate.replay.names import file_name
from lkgate.replay.outcome import last_printed
from lkgate.replay.recordings import Recording
from lkgate.rooms.caller import Person, join
from lkgate.rooms.fault import fault_of
from lkgate.rooms.layers import contradicted
from lkgate.rooms.outcome import Take
from lkgate.rooms.pulse import CUSHION_MS, Pulse, Timeliness, lateness
from lkgate.rooms.stand import Stand

# What the agent's session has to say when the caller has gone is still on its way.
_LINGER_S = 2.0
# For a connection that is being made when the call is given up.
_SETTLE_S = 10.0
_MARGIN_US = 120_000_000
# Causes of gaps in what lkgate sends without a pause.
_LOST = ("late", "loss", "reconnection")


@dataclass(frozen=True, slots=True)
class Part:
    """What the caller of one recording says, and as whom."""

    recording: Recording
    person: Person
    plan: CallerPlan
    pcm: Pcm


@dataclass(frozen=True, slots=True)
class Shot:
    """A call that took place, not yet a bundle: closing one takes time from calls that go on.

    Attributes:
        hung_up: the caller got to the end of what it had to say.
        wait_us: for which the agent was waited for.
    """

    part: Part
    stand: Stand
    directory: Path
    recorder: Recorder
    hung_up: bool
    wait_us: int
    timeliness: Timeliness


async def shoot(
    part: Part, stand: Stand, *, repeat: int, of: int, directory: Path, wait_us: int
) -> Shot:
    """Place the call and write it down below ``directory``.

    Args:
        repeat, of: which of how many, for the bundle.
        wait_us: for the agent to come.

    Raises:
        RecordError: the server does not do its part, or the journal cannot be written.
    """
    server = stand.party.server
    room = f"lkgate-{file_name(part.recording.call)}-{secrets.token_hex(4)}"
    await server.create_room(room)
    try:
        call = _Call(part, stand, room, directory, wait_us)
        try:
            return await call.run({"repeat": repeat, "of": of, "room": room})
        except BaseException:
            call.recorder.journal.close()
            raise
    finally:
        await server.delete_room(room)


class _Call:
    def __init__(self, part: Part, stand: Stand, room: str, directory: Path, wait_us: int) -> None:
        self._part = part
        self._stand = stand
        self._room = room
        self._directory = directory
        self._wait_us = wait_us
        self._there = asyncio.Event()
        self._stop = asyncio.Event()
        self._pulse = Pulse()
        party = stand.party
        length_us = part.recording.bundle.manifest.duration_us
        self.recorder = Recorder(
            RecordOptions(
                room,
                directory / part.recording.call,
                party.credentials,
                caller=part.plan.identity,
                wait_us=wait_us,
                duration_us=3 * length_us + wait_us + _MARGIN_US,
            ),
            directory,
            identity=party.identity,
            secrets=secrets_of(party.build, party.credentials.environment()),
            stop=self._stop,
            on_progress=lambda _: self._there.set(),
            on_warning=lambda _: None,
            clock=SYSTEM,
        )

    async def run(self, told: Mapping[str, Json]) -> Shot:
        # An agent without a name comes into every new room by itself: nobody asks for it.
        stand, name = self._stand, self._stand.agent_name or None
        recording = asyncio.create_task(self.recorder.run(stand.party.server, stand.worker, name))
        pulsing = asyncio.create_task(self._pulse.run())
        try:
            await _unless_over(self._there.wait(), recording)
            self.recorder.note("lkgate.live_room", told)
            hung_up = await self._talk(recording)
            timeliness = self._pulse.timeliness
            if not recording.done():
                self.recorder.note("lkgate.timeliness", timeliness.as_json())
            await _unless_over(asyncio.sleep(_LINGER_S), recording)
            self._stop.set()
            await recording
        finally:
            # Not cancelled at once: a connection that is being made makes the room once more when
            # the room has been deleted.
            self._stop.set()
            await asyncio.wait({recording}, timeout=_SETTLE_S)
            pulsing.cancel()
            recording.cancel()
            await asyncio.gather(recording, pulsing, return_exceptions=True)
        return Shot(
            part=self._part,
            stand=self._stand,
            directory=self._directory,
            recorder=self.recorder,
            hung_up=hung_up,
            wait_us=self._wait_us,
            timeliness=timeliness,
        )

    async def _talk(self, recording: asyncio.Task[Ending]) -> bool:
        """The call, from the caller's coming to its going; whether it said everything."""
        part, recorder = self._part, self.recorder
        joining = asyncio.create_task(
            join(self._stand.party.server, self._room, part.person, before=recorder.overhear)
        )
        try:
            connection, kind = await asyncio.shield(joining)
        except asyncio.CancelledError:
            await asyncio.wait({joining}, timeout=_SETTLE_S)
            if joining.done() and joining.exception() is None:
                await joining.result()[0].disconnect()
            raise
        if kind != part.person.kind:
            recorder.note("lkgate.caller_kind", {"recorded": part.person.kind, "joined": kind})
        player = CallerPlayer(
            connection,
            part.plan,
            part.pcm,
            note=recorder.note,
            now_us=recorder.now_us,
            cushion_ms=CUSHION_MS,
            # The recorder gives up before, and says why.
            arrival_us=self._wait_us + _MARGIN_US,
        )
        calling = asyncio.create_task(player.run())
        try:
            await asyncio.wait({calling, recording}, return_when=asyncio.FIRST_COMPLETED)
            return calling.done() and calling.result() == "hung_up"
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            if connection.isconnected():
                await connection.disconnect()


async def _unless_over(
    wait: Coroutine[object, object, object], recording: asyncio.Task[Ending]
) -> None:
    """Wait, but no longer than the recording goes on."""
    waiting = asyncio.create_task(wait)
    await asyncio.wait({waiting, recording}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if recording.done():
        recording.result()  # raises what ended it, if anything did


def develop(shot: Shot, out: Path) -> Take:
    """Make the bundle of a call that took place, at ``out``, and judge whether it can be judged.

    Raises:
        ReplayError: no agent took the call; it says why.
        BundleError: what was recorded cannot be made a bundle.
    """
    recording, party = shot.part.recording, shot.stand.party
    absent: dict[str, Json] = {"cassette": "models answered live in a room"}
    for layer, why in lacking_layers(party.build).items():
        absent[layer] = f"not applicable: {why}"
    shot.recorder.finish(
        {
            "id": recording.bundle.manifest.id,
            "source": "replay",
            "recording_digest": recording.bundle.manifest.digest,
            "cassette": "none",
            "absent": absent,
        }
    )
    bundle = close_journal(shot.directory, out)
    worker = shot.stand.worker
    fault = fault_of(
        bundle,
        diagnosis=shot.recorder.diagnosis,
        wait_us=shot.wait_us,
        hung_up=shot.hung_up,
        worker_id=worker.id if worker is not None else None,
    )
    if fault is not None:
        tail = worker.tail if worker is not None else ""
        raise ReplayError(
            f"{fault.what}{last_printed(tail)}",
            where=f"{recording.call} into {party.build.name}",
            next_step=fault.next_step,
        )
    contradiction = contradicted(party.build, bundle)
    if contradiction is not None:
        raise contradiction
    late = lateness(shot.timeliness, lost_us=_lost_us(bundle), cut_off=_cut_off(bundle))
    return Take(bundle, out, shot.timeliness, late)


def _lost_us(bundle: Bundle) -> int:
    """Of the caller's own audio, which lkgate itself sent, that did not arrive in time."""
    names = {track.id for track in bundle.tracks("caller")}
    total = 0
    for event in bundle.of_kind("lkgate.gap"):
        if event.data.get("track") in names and event.data.get("cause") in _LOST:
            start, end = event.data.get("start_us"), event.data.get("end_us")
            missing = event.data.get("missing_us")
            if isinstance(missing, int):
                total += missing
            elif isinstance(start, int) and isinstance(end, int):
                total += end - start
    return total


def _cut_off(bundle: Bundle) -> bool:
    """Whether the recorder lost the server, for a moment or for good."""
    lost = [e.data.get("reason") for e in bundle.of_kind("lkgate.recording_ended")]
    return "connection_lost" in lost or bool(bundle.of_kind("reconnecting", "lkgate.rejoined"))
