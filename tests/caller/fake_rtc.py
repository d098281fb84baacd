"""As much of ``livekit.rtc`` as a caller touches, on a loop whose time is simulated.

The agent is one track that sounds when told to; frames reach a subscriber ``LINK_US`` late.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

T = TypeVar("T")

LINK_US = 45_000
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


class _Selector(selectors.SelectSelector):
    """Never waits: time jumps to the next timer."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout:
            self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, 600))
    finally:
        loop.close()


class FakeSource:
    """Remembers what was captured, and when."""

    made: list[FakeSource] = []

    def __init__(self, sample_rate: int, num_channels: int, queue_size_ms: int = 1000) -> None:
        self.captured: list[tuple[float, NDArray[np.int16]]] = []
        FakeSource.made.append(self)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        now = asyncio.get_running_loop().time()
        self.captured.append((now, np.frombuffer(frame.data, np.int16)))

    async def wait_for_playout(self) -> None:
        await asyncio.sleep(0.05)

    async def aclose(self) -> None:
        pass


class FakeStream:
    def __init__(self, track: FakeTrack, **kwargs: Any) -> None:
        self._track = track
        self._rate: int = kwargs["sample_rate"]
        self._step_us: int = kwargs["frame_size_ms"] * 1000

    async def __aiter__(self) -> AsyncIterator[Any]:
        at_us = self._track.now_us()
        while True:
            await asyncio.sleep(self._step_us / 1e6)
            pcm = self._track.sound(at_us - LINK_US, self._step_us, self._rate)
            at_us += self._step_us
            yield SimpleNamespace(frame=SimpleNamespace(data=pcm.tobytes()))

    async def aclose(self) -> None:
        pass


class FakeTrack:
    """A tone during each of ``spans`` (microseconds), else digital silence."""

    def __init__(self, spans: list[tuple[int, int]], now_us: Callable[[], int]) -> None:
        self.spans = spans
        self.now_us = now_us

    def sound(self, from_us: int, length_us: int, rate: int) -> NDArray[np.int16]:
        t_us = from_us + np.arange(length_us * rate // 1_000_000) * 1_000_000 // rate
        on = np.zeros(t_us.size, bool)
        for start, end in self.spans:
            on |= (t_us >= start) & (t_us < end)
        tone = 8000 * np.sin(2 * np.pi * 300 * t_us / 1e6)
        return np.where(on, tone, 0).astype(np.int16)


class FakeRoom:
    """The caller's side of a room with at most one agent."""

    def __init__(self, agent_speech: list[tuple[int, int]]) -> None:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        self._handlers: dict[str, list[Callable[..., None]]] = {}
        self.remote_participants: dict[str, Any] = {}
        self.local_participant = SimpleNamespace(publish_track=self._publish)
        self.published: list[Any] = []
        self.disconnected = False
        self.speech = agent_speech

    def now_us(self) -> int:
        return round((asyncio.get_running_loop().time() - self._began) * 1e6)

    def on(self, name: str, handler: Callable[..., None]) -> None:
        self._handlers.setdefault(name, []).append(handler)

    def off(self, name: str, handler: Callable[..., None]) -> None:
        self._handlers[name].remove(handler)

    def emit(self, name: str, *args: Any) -> None:
        for handler in list(self._handlers.get(name, [])):
            handler(*args)

    @property
    def handlers(self) -> int:
        return sum(len(handlers) for handlers in self._handlers.values())

    async def _publish(self, track: Any, options: rtc.TrackPublishOptions) -> None:
        self.published.append((track, options.source))

    async def disconnect(self) -> None:
        self.disconnected = True

    def agent_joins(self) -> None:
        track = FakeTrack(self.speech, self.now_us)
        publication = SimpleNamespace(
            sid="TR_agent", name="roomio_audio", kind=rtc.TrackKind.KIND_AUDIO, track=track
        )
        agent = SimpleNamespace(
            identity="agent",
            kind=AGENT,
            attributes={"lk.agent.state": "listening"},
            track_publications={"TR_agent": publication},
        )
        self.remote_participants["agent"] = agent
        self.emit("participant_connected", agent)
        self.emit("track_subscribed", track, publication, agent)

    def agent_state(self, state: str) -> None:
        agent = self.remote_participants["agent"]
        agent.attributes["lk.agent.state"] = state
        self.emit("participant_attributes_changed", {"lk.agent.state": state}, agent)

    def agent_leaves(self) -> None:
        self.emit("participant_disconnected", self.remote_participants.pop("agent"))


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeSource.made.clear()
    monkeypatch.setattr(rtc, "AudioSource", FakeSource)
    monkeypatch.setattr(rtc, "AudioStream", FakeStream)
    local = SimpleNamespace(create_audio_track=lambda name, source: (name, source))
    monkeypatch.setattr(rtc, "LocalAudioTrack", local)
