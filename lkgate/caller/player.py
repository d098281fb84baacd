"""The caller in a room: publishes a microphone, listens, speaks, hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from lkgate.caller.ear import Ear
from lkgate.caller.performance import Note, Performance
from lkgate.caller.voice import Pcm
from lkgate.model.plan import CallerPlan

_QUEUE_MS = 100
# Audio is written in pieces of this length; decisions are made once a piece.
_CHUNK_MS = 50
# A server that does not tell who subscribed is not waited for.
_UNTOLD_US = 1_000_000


class CallerPlayer:
    """Plays a plan into a room, the same way in a real one and in the virtual one.

    Time is session time and the running loop's: nothing here reads another clock.

    Args:
        room: connected as the caller, subscribed to everything.
        plan: what to say, and when.
        pcm: the recorded caller track, mono, at the plan's rate.
        note: called for ``lkgate.caller_utterance``, ``lkgate.caller_impatient``, and once at
            the end: ``lkgate.caller_hangup`` if everything was said, ``lkgate.caller_cut_off``
            if the agent or the room ended the call before. ``at_us`` in them is when the room
            hears it.
        now_us: session time.
        uplink_us: from the moment a sample is due at the source until the room hears it, without
            the cushion. The player speaks earlier by it, so that the room hears an utterance when
            its anchor says. The default is the virtual room's; a real server on the same machine
            measured 25 to 50 ms.
        cushion_ms: audio kept in the source's queue, so that a busy loop does not tear holes into
            an utterance. None is needed where time is virtual; a real room wants 50.
    """

    def __init__(
        self,
        room: rtc.Room,
        plan: CallerPlan,
        pcm: Pcm,
        *,
        note: Note,
        now_us: Callable[[], int],
        uplink_us: int = 45_000,
        cushion_ms: int = 0,
        arrival_us: int | None = None,
    ) -> None:
        self._room = room
        self._plan = plan
        self._pcm = pcm
        self._note = note
        self._now_us = now_us
        self._chunk = plan.sample_rate_hz * _CHUNK_MS // 1000
        self._uplink_us = uplink_us
        self._cushion_us = cushion_ms * 1000
        self._arrival_us = plan.patience_us if arrival_us is None else arrival_us
        self._ear = Ear(room, now_us)
        self._performance: Performance | None = None
        self._left: str | None = None

    def placed(self, index: int) -> int | None:
        """Session time at which the room hears utterance ``index`` begin.

        Known as soon as it is decided, a little ahead of that time; ``None`` before.
        """
        return None if self._performance is None else self._performance.placed(index)

    async def run(self) -> str:
        """Speak until the call is over, then leave the room.

        Returns:
            Why it is over: ``hung_up``, ``agent_left``, ``no_agent`` or ``room_closed``.
        """
        rate = self._plan.sample_rate_hz
        self._room.on("participant_disconnected", self._on_leave)
        self._room.on("disconnected", self._on_closed)
        self._room.on("local_track_subscribed", self._on_heard)
        self._ear.start()
        queue_ms = max(_QUEUE_MS, self._cushion_us // 500)
        source = rtc.AudioSource(rate, 1, queue_size_ms=queue_ms)
        try:
            track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await self._room.local_participant.publish_track(track, options)
            reason = await self._speak(source)
            if reason == "hung_up":
                # What was written last is still on its way.
                await source.wait_for_playout()
        finally:
            self._room.off("participant_disconnected", self._on_leave)
            self._room.off("disconnected", self._on_closed)
            self._room.off("local_track_subscribed", self._on_heard)
            await self._ear.aclose()
            await source.aclose()
        await self._room.disconnect()
        return reason

    async def _speak(self, source: rtc.AudioSource) -> str:
        rate = self._plan.sample_rate_hz
        if self._cushion_us:
            await _write(source, bytes(2 * (self._cushion_us * rate // 1_000_000)), rate)
        begin_us = self._now_us()
        delay_us = self._cushion_us + self._uplink_us
        performance = Performance(
            self._plan, self._pcm, self._ear.heard, note=self._note, begin_us=begin_us + delay_us
        )
        self._performance = performance
        while self._left is None:
            write_us = performance.now_us - delay_us
            ahead_us = write_us - self._now_us()
            if ahead_us > 0:
                await asyncio.sleep(ahead_us / 1_000_000)
                if self._left is not None:
                    break
            elif -ahead_us > max(self._cushion_us, self._chunk * 1_000_000 // rate):
                # The loop stood still for longer than the queue lasted: the rest moves, else the
                # backlog would stay in the queue as delay for the rest of the call.
                performance.shift(-ahead_us - self._cushion_us)
            if self._ear.heard.begin_us is None and write_us - begin_us >= _UNTOLD_US:
                self._ear.heard.begin_us = performance.now_us
            if not self._ear.heard.agent_seen and write_us - begin_us >= self._arrival_us:
                self._left = "no_agent"
                break
            pcm = performance.chunk(self._chunk)
            if pcm is None:
                return "hung_up"
            await _write(source, pcm.tobytes(), rate)
        reason = self._left or "room_closed"
        performance.cut_off(reason)
        return reason

    def _on_leave(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return
        others = [who for who in self._ear.agents() if who.identity != participant.identity]
        if not others:
            self._left = self._left or "agent_left"

    def _on_heard(self, track: rtc.LocalTrack) -> None:
        # What was written before the first one subscribed was heard by nobody.
        if self._ear.heard.begin_us is None:
            self._ear.heard.begin_us = self._now_us()

    def _on_closed(self, reason: object) -> None:
        self._left = "room_closed"


async def _write(source: rtc.AudioSource, data: bytes, rate: int) -> None:
    await source.capture_frame(rtc.AudioFrame(data, rate, 1, len(data) // 2))
