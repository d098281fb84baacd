"""The caller's ear: the agent's audio and state in a room, as :class:`Heard`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from lkgate.caller.heard import Heard, Stretch
from lkgate.capture.role import BACKGROUND_AUDIO
from lkgate.capture.timeline import Timeline
from lkgate.signal import OnlineDetector

AGENT_STATE = "lk.agent.state"

_RATE_HZ = 24_000
_FRAME_MS = 50
_QUIET_PEAK = 100  # of 32767: below it is what a codec makes of digital silence
_QUIET_US = 80_000
_TAIL = 120
_SETTLED = _RATE_HZ  # samples of digital silence after which a detector has nothing in mind
_WITHHELD = 60 * _RATE_HZ  # as much of it is given at once


class Ear:
    """Follows every agent in a room.

    Args:
        room: connected or not yet.
        now_us: session time.
    """

    def __init__(self, room: rtc.Room, now_us: Callable[[], int]) -> None:
        self.heard = Heard()
        self._room = room
        self._now_us = now_us
        self._tracks: dict[str, asyncio.Task[None]] = {}
        # Per sounding track: its last sound if some silence followed it, else None.
        self._sounding: dict[str, int | None] = {}

    def start(self) -> None:
        """Begin to listen, to those who are there already as well."""
        self._room.on("participant_connected", self._on_participant)
        self._room.on("participant_attributes_changed", self._on_attributes)
        self._room.on("track_subscribed", self._on_track)
        self._room.on("track_unsubscribed", self._on_track_end)
        for participant in self._room.remote_participants.values():
            self._on_participant(participant)
            for publication in participant.track_publications.values():
                if publication.track is not None:
                    self._on_track(publication.track, publication, participant)

    async def aclose(self) -> None:
        """Stop listening. ``heard`` stays as it is."""
        self._room.off("participant_connected", self._on_participant)
        self._room.off("participant_attributes_changed", self._on_attributes)
        self._room.off("track_subscribed", self._on_track)
        self._room.off("track_unsubscribed", self._on_track_end)
        tasks = list(self._tracks.values())
        self._tracks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def agents(self) -> list[rtc.RemoteParticipant]:
        """The agents who are in the room now."""
        return [who for who in self._room.remote_participants.values() if _is_agent(who)]

    def _on_participant(self, participant: rtc.RemoteParticipant) -> None:
        if _is_agent(participant):
            self.heard.agent_seen = True
            self._read_state(participant)

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if AGENT_STATE in changed and _is_agent(participant):
            self._read_state(participant)

    def _read_state(self, participant: rtc.Participant) -> None:
        state = participant.attributes.get(AGENT_STATE)
        if state:
            self.heard.state = state

    def _on_track(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if (
            not _is_agent(participant)
            or publication.kind != rtc.TrackKind.KIND_AUDIO
            or publication.name == BACKGROUND_AUDIO
            or publication.sid in self._tracks
        ):
            return
        task = asyncio.get_running_loop().create_task(self._listen(track, publication.sid))
        self._tracks[publication.sid] = task

    def _on_track_end(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        task = self._tracks.pop(publication.sid, None)
        if task is not None:
            task.cancel()

    async def _listen(self, track: rtc.Track, sid: str) -> None:
        stream = rtc.AudioStream(
            track, sample_rate=_RATE_HZ, num_channels=1, frame_size_ms=_FRAME_MS
        )
        timeline = Timeline(_RATE_HZ)
        voice = _Track(sid, self._start, self._stop, self._quiet)
        try:
            async for event in stream:
                placed = timeline.push(self._now_us(), bytes(event.frame.data))
                if placed is None or timeline.offset_us is None:
                    continue
                if self.heard.room_us is None:
                    self.heard.room_us = timeline.offset_us
                voice.push(timeline.offset_us, bytes(2 * placed.silence_samples))
                for frame in placed.frames:
                    voice.push(timeline.offset_us, frame)
        finally:
            voice.end(timeline.end_us)
            await stream.aclose()

    def _start(self, sid: str, t_us: int) -> None:
        if not self._sounding:
            self.heard.stretches.append(Stretch(t_us))
        self._sounding[sid] = None
        self.heard.stretches[-1].quiet_us = None

    def _stop(self, sid: str, t_us: int) -> None:
        if sid not in self._sounding:
            return
        del self._sounding[sid]
        if not self._sounding:
            self.heard.stretches[-1].stop_us = max(t_us, self.heard.stretches[-1].start_us)

    def _quiet(self, sid: str, last_us: int | None) -> None:
        if sid not in self._sounding:
            return
        self._sounding[sid] = last_us
        quiet = [last for last in self._sounding.values() if last is not None]
        everyone = len(quiet) == len(self._sounding)
        self.heard.stretches[-1].quiet_us = max(quiet) if everyone else None


class _Track:
    """One track's samples through the detector, as times.

    An agent that says nothing sends digital silence, most of the call. The detector gets it only
    when something follows: none of it can begin or end anything.
    """

    def __init__(
        self,
        sid: str,
        start: Callable[[str, int], None],
        stop: Callable[[str, int], None],
        quiet: Callable[[str, int | None], None],
    ) -> None:
        self._sid = sid
        self._start, self._stop, self._quiet = start, stop, quiet
        self._detector = OnlineDetector(_RATE_HZ)
        self._samples = 0
        self._last_sound = 0
        self._silent = 0  # samples of digital silence up to now
        self._withheld = 0  # of these, not given to the detector

    def push(self, offset_us: int, data: bytes) -> None:
        if not data:
            return
        size = len(data) // 2
        self._samples += size
        if data == bytes(len(data)):
            self._silent += size
            settled = self._silent - size >= _SETTLED and not self._detector.speaking
            if settled and self._withheld < _WITHHELD:
                self._withheld += size
                return
        else:
            self._silent = 0
        pcm = np.frombuffer(data, np.int16)
        if not self._silent:
            loud = _last_loud(pcm)
            if loud is not None:
                self._last_sound = self._samples - size + loud + 1
        if self._withheld:
            pcm = np.concatenate([np.zeros(self._withheld, np.int16), pcm])
            self._withheld = 0
        for edge in self._detector.push(pcm):
            tell = self._start if edge.kind == "start" else self._stop
            tell(self._sid, offset_us + _us(edge.sample))
        silent = _us(self._samples - self._last_sound) >= _QUIET_US
        self._quiet(self._sid, offset_us + _us(self._last_sound) if silent else None)

    def end(self, t_us: int) -> None:
        self._stop(self._sid, t_us)


def _last_loud(pcm: NDArray[np.int16]) -> int | None:
    """Index of the last sample that is no silence."""
    for begin in (max(0, pcm.size - _TAIL), 0):  # mostly it is near the end
        part = pcm[begin:]
        loud = np.flatnonzero((part > _QUIET_PEAK) | (part < -_QUIET_PEAK))
        if loud.size:
            return begin + int(loud[-1])
    return None


def _us(samples: int) -> int:
    return samples * 1_000_000 // _RATE_HZ


def _is_agent(participant: rtc.Participant) -> bool:
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
