from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from livekit import rtc
from livekit.protocol.agent_pb import agent_session as pb

from lkgate.bundle.journal import Journal
from lkgate.capture import RoleOf, RoomCapture
from lkgate.model.event import Json

STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
EGRESS = rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS
FRAME = b"\x01\x00" * 2_400


@dataclass(eq=False)
class FakeParticipant:
    identity: str
    kind: int = STANDARD
    name: str = ""
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    disconnect_reason: int | None = None
    track_publications: dict[str, FakePublication] = field(default_factory=dict)

    @property
    def sid(self) -> str:
        return f"PA_{self.identity}"


@dataclass(eq=False)
class FakePublication:
    sid: str
    name: str = "mic"
    kind: int = rtc.TrackKind.KIND_AUDIO
    source: int = rtc.TrackSource.SOURCE_MICROPHONE
    track: FakeTrack | None = None
    muted: bool = False
    mime_type: str = "video/VP8"
    width: int = 640
    height: int = 360
    simulcasted: bool = False


@dataclass(eq=False)
class FakeTrack:
    frames: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    buffer_ms: int = 30
    heard: int = 0
    buffered: float = 0.0

    async def get_stats(self) -> list[rtc.stats.RtcStats]:
        """As WebRTC has them of Opus in packets of 20 ms."""
        stats, codec = rtc.stats.RtcStats(), rtc.stats.RtcStats()
        stats.inbound_rtp.received.packets_received = self.heard * 5
        stats.inbound_rtp.inbound.total_samples_received = self.heard * 4_800
        stats.inbound_rtp.inbound.jitter_buffer_emitted_count = self.heard * 4_800
        stats.inbound_rtp.inbound.jitter_buffer_delay = self.buffered
        codec.codec.codec.mime_type = "audio/opus"
        return [stats, codec]


class FakeAudioStream:
    def __init__(
        self, track: FakeTrack, *, sample_rate: int, num_channels: int, frame_size_ms: int
    ):
        assert (sample_rate, num_channels, frame_size_ms) == (24_000, 1, 100)
        self._track = track

    def __aiter__(self) -> FakeAudioStream:
        return self

    async def __anext__(self) -> rtc.AudioFrameEvent:
        pcm = await self._track.frames.get()
        if pcm is None:
            raise StopAsyncIteration
        return rtc.AudioFrameEvent(rtc.AudioFrame(pcm, 24_000, 1, len(pcm) // 2))

    async def aclose(self) -> None:
        pass


@dataclass
class FakeReader:
    info: rtc.ByteStreamInfo | rtc.TextStreamInfo
    chunks: list[bytes | str]
    error: str | None = None

    async def __aiter__(self) -> AsyncIterator[bytes | str]:
        for chunk in self.chunks:
            await asyncio.sleep(0)
            yield chunk
        if self.error is not None:
            raise rtc.StreamError(self.error)


class FakeRoom(rtc.EventEmitter[str]):
    name = "ward"

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants: dict[str, FakeParticipant] = {}
        self.connected = True
        self._text_stream_handlers: dict[str, Callable[[FakeReader, str], None]] = {}
        self._byte_stream_handlers: dict[str, Callable[[FakeReader, str], None]] = {}

    def isconnected(self) -> bool:
        return self.connected

    @property
    async def sid(self) -> str:
        return "RM_1"

    def register_text_stream_handler(
        self, topic: str, handler: Callable[[FakeReader, str], None]
    ) -> None:
        self._text_stream_handlers[topic] = handler

    def register_byte_stream_handler(
        self, topic: str, handler: Callable[[FakeReader, str], None]
    ) -> None:
        self._byte_stream_handlers[topic] = handler

    def unregister_text_stream_handler(self, topic: str) -> None:
        self._text_stream_handlers.pop(topic)

    def unregister_byte_stream_handler(self, topic: str) -> None:
        self._byte_stream_handlers.pop(topic)

    def join(self, participant: FakeParticipant) -> None:
        self.remote_participants[participant.identity] = participant
        self.emit("participant_connected", participant)

    def publish(self, participant: FakeParticipant, publication: FakePublication) -> FakeTrack:
        participant.track_publications[publication.sid] = publication
        self.emit("track_published", publication, participant)
        publication.track = FakeTrack()
        self.emit("track_subscribed", publication.track, publication, participant)
        return publication.track

    def unpublish(self, participant: FakeParticipant, publication: FakePublication) -> None:
        del participant.track_publications[publication.sid]
        self.emit("track_unsubscribed", publication.track, publication, participant)
        self.emit("track_unpublished", publication, participant)

    def text(self, identity: str, topic: str, *chunks: str, **attributes: str) -> None:
        info = rtc.TextStreamInfo("s", "text/plain", topic, 0, None, attributes, [])
        handler = self._text_stream_handlers.get(topic)
        assert handler is not None
        handler(FakeReader(info, list(chunks)), identity)

    def bytes(
        self,
        identity: str,
        topic: str,
        *chunks: bytes,
        error: str | None = None,
        stream_id: str = "s",
    ) -> None:
        info = rtc.ByteStreamInfo(stream_id, "application/octet-stream", topic, 0, None, {}, "n")
        handler = self._byte_stream_handlers.get(topic)
        assert handler is not None
        handler(FakeReader(info, list(chunks), error), identity)


class Scene:
    """A fake room, a clock that the test moves, and what was written."""

    def __init__(
        self,
        directory: Path,
        roles: RoleOf | None = None,
        topics: tuple[str, ...] | None = None,
        quality_every_us: int | None = None,
    ):
        self.room = FakeRoom()
        self.now_us = 0
        self.directory = directory
        self.journal = Journal.create(directory, header={})
        self.capture = RoomCapture(
            cast(rtc.Room, self.room),
            self.journal,
            now_us=lambda: self.now_us,
            roles=roles,
            started_at_unix_us=0,
            topics=topics,
            quality_every_us=quality_every_us,
        )

    async def settle(self) -> None:
        for _ in range(60):
            await asyncio.sleep(0)

    async def hear(self, track: FakeTrack, frames: int) -> None:
        for _ in range(frames):
            self.now_us += 100_000
            track.heard += 1
            track.buffered += 4_800 * track.buffer_ms / 1_000
            track.frames.put_nowait(FRAME)
            await self.settle()

    def events(self) -> list[tuple[int, str, dict[str, Json]]]:
        self.journal.sync()
        lines = (self.directory / "journal" / "events.jsonl").read_text().splitlines()
        return [(e["t_us"], e["kind"], e["data"]) for e in map(json.loads, lines)]

    def of(self, kind: str) -> list[dict[str, Json]]:
        return [data for _, found, data in self.events() if found == kind]

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.events()]

    def tracks(self) -> list[dict[str, Json]]:
        self.journal.sync()
        lines = (self.directory / "journal" / "tracks.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def samples(self, track_id: str) -> int:
        self.journal.sync()
        return (self.directory / "journal" / f"{track_id}.pcm").stat().st_size // 2


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(rtc, "AudioStream", FakeAudioStream)
    return Scene(tmp_path)


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_who_was_there_already_is_written_first_and_marked(scene: Scene) -> None:
    async def play() -> None:
        agent = FakeParticipant("bot", AGENT)
        publication = FakePublication("TR_1", track=FakeTrack())
        agent.track_publications["TR_1"] = publication
        scene.room.remote_participants["bot"] = agent
        scene.capture.start()
        scene.room.join(FakeParticipant("ann"))
        await scene.capture.aclose()

    run(play())
    assert scene.kinds() == [
        "participant_connected",
        "track_published",
        "track_subscribed",
        "participant_connected",
        "connected",
    ]
    assert scene.of("participant_connected") == [
        {
            "identity": "bot",
            "sid": "PA_bot",
            "kind": "agent",
            "name": "",
            "metadata": "",
            "attributes": {},
            "present": True,
        },
        {
            "identity": "ann",
            "sid": "PA_ann",
            "kind": "standard",
            "name": "",
            "metadata": "",
            "attributes": {},
        },
    ]
    assert scene.of("connected") == [{"room": "ward", "sid": "RM_1"}]


def test_start_before_and_after_connecting_writes_everything_once(scene: Scene) -> None:
    async def play() -> None:
        scene.room.connected = False
        scene.capture.start()
        scene.room.remote_participants["bot"] = FakeParticipant("bot", AGENT)
        scene.room.connected = True
        scene.capture.start()
        scene.capture.start()
        await scene.capture.aclose()

    run(play())
    assert scene.kinds() == ["participant_connected", "connected"]


def test_audio_is_anchored_on_the_first_frame_and_then_counted(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann")
        scene.room.join(ann)
        scene.now_us = 1_234_000
        track = scene.room.publish(ann, FakePublication("TR_1"))
        await scene.hear(track, 12)
        await scene.capture.aclose()

    run(play())
    assert scene.tracks() == [
        {
            "id": "caller",
            "role": "caller",
            "participant": "ann",
            "sid": "TR_1",
            "sample_rate_hz": 24_000,
            "offset_us": 1_234_000,
        }
    ]
    assert scene.samples("caller") == 12 * 2_400


def test_in_a_real_room_audio_is_placed_where_it_sounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtc, "AudioStream", FakeAudioStream)
    scene = Scene(tmp_path, quality_every_us=4_000_000)

    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann")
        scene.room.join(ann)
        scene.now_us = 1_234_000
        track = scene.room.publish(ann, FakePublication("TR_1"))
        await scene.hear(track, 50)
        track.buffer_ms = 50
        await scene.hear(track, 10)
        await scene.capture.aclose()

    run(play())
    # 30 ms in the jitter buffer, 10 ms for the rest of the packet, 6.5 ms in the codec.
    assert scene.tracks()[0]["offset_us"] == 1_234_000 - 46_500
    # The buffer grew by 20 ms: what follows sounded that much sooner.
    assert scene.samples("caller") == 60 * 2_400 - 480
    first, last = scene.of("lkgate.media_quality")
    assert (first["delay_us"], last["delay_us"]) == (46_500, 66_500)
    assert {first["track"], first["identity"], first["track_sid"]} == {"caller", "ann", "TR_1"}


def test_republished_microphone_goes_on_in_the_same_track_after_a_gap(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann")
        scene.room.join(ann)
        first = FakePublication("TR_1")
        track = scene.room.publish(ann, first)
        await scene.hear(track, 10)
        scene.room.unpublish(ann, first)
        await scene.settle()
        scene.now_us = 3_000_000
        track = scene.room.publish(ann, FakePublication("TR_2"))
        await scene.hear(track, 10)
        await scene.capture.aclose()

    run(play())
    assert [track["id"] for track in scene.tracks()] == ["caller"]
    assert scene.of("lkgate.gap") == [
        {
            "track": "caller",
            "cause": "unsubscribed",
            "start_us": 1_000_000,
            "end_us": 3_000_000,
        }
    ]
    assert scene.samples("caller") == 4 * 24_000


def test_a_mute_and_a_reconnection_are_gaps_with_their_cause(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann")
        scene.room.join(ann)
        publication = FakePublication("TR_1", muted=True)
        track = scene.room.publish(ann, publication)
        await scene.hear(track, 10)
        scene.room.emit("track_unmuted", ann, publication)
        scene.room.emit("reconnecting")
        scene.room.unpublish(ann, publication)
        await scene.settle()
        scene.now_us = 3_000_000
        scene.room.emit("reconnected")
        track = scene.room.publish(ann, FakePublication("TR_2"))
        await scene.hear(track, 10)
        await scene.capture.aclose()

    run(play())
    gaps = [(gap["cause"], gap["start_us"], gap["end_us"]) for gap in scene.of("lkgate.gap")]
    assert gaps == [("mute", 0, 1_000_000), ("reconnection", 1_000_000, 3_000_000)]


def test_only_small_payloads_that_were_asked_for_are_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path, topics=("form",))

    async def play() -> None:
        scene.capture.start()
        for topic, size in (("form", 4), ("form", 5_000), ("other", 4)):
            packet = rtc.DataPacket(b"x" * size, rtc.DataPacketKind.KIND_RELIABLE, None, topic)
            scene.room.emit("data_received", packet)
            scene.room.text("ann", topic, "x" * size)
        scene.room.text("ann", "lk.chat", "y" * 5_000)
        await scene.capture.aclose()

    run(play())
    for kind in ("data_received", "text_stream"):
        kept = [(data["topic"], data["bytes"], data.get("text")) for data in scene.of(kind)]
        assert kept == [("form", 4, "xxxx"), ("form", 5_000, None), ("other", 4, None)]
    assert len(str(scene.of("chat")[0]["text"])) == 5_000


def test_no_more_of_a_text_is_kept_than_may_be_written(tmp_path: Path) -> None:
    scene = Scene(tmp_path, topics=("form",))
    chunk, chunks = "é" * 32_768, 64  # 4 MB

    async def play() -> None:
        scene.capture.start()
        for topic in ("form", "other", "lk.chat", "lk.transcription"):
            tracemalloc.start()
            scene.room.text("ann", topic, *[chunk] * chunks)
            for _ in range(3 * chunks):
                await asyncio.sleep(0)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < 2_000_000, topic
        await scene.capture.aclose()

    run(play())
    size = 65_536 * chunks
    kept = [(data["topic"], data["bytes"], data.get("text")) for data in scene.of("text_stream")]
    assert kept == [("form", size, None), ("other", size, None)]
    for kind in ("chat", "transcription"):
        (said,) = scene.of(kind)
        assert said["text"] == "é" * 131_072
        assert said["cut_short"] == f"it has {size} bytes, and 262144 are kept"


def test_a_session_message_that_is_too_large_is_not_kept(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        scene.room.bytes("bot", "lk.agent.session", *[bytes(65_536)] * 65)
        for _ in range(300):
            await asyncio.sleep(0)
        await scene.capture.aclose()

    run(play())
    (message,) = scene.of("lkgate.undecoded")
    assert message["bytes"] == 65 * 65_536
    assert message["error"] == "it is larger than 4194304 bytes"


def test_nothing_is_written_that_is_not_admitted(scene: Scene) -> None:
    admitted = True

    async def play() -> None:
        nonlocal admitted
        scene.capture.admits = lambda room: admitted and "bob" not in room.remote_participants
        ann, bob = FakeParticipant("ann"), FakeParticipant("bob")
        scene.capture.start()
        scene.room.join(ann)
        scene.room.text("ann", "lk.chat", "before")
        await scene.settle()
        scene.room.join(bob)
        publication = FakePublication("TR_bob")
        scene.room.publish(bob, publication)
        scene.room.text("bob", "lk.chat", "secret")
        scene.room.bytes("bob", "lk.agent.session", b"secret")
        packet = rtc.DataPacket(b"secret", rtc.DataPacketKind.KIND_RELIABLE, None, "form")
        scene.room.emit("data_received", packet)
        await scene.settle()
        await scene.capture.aclose()

    run(play())
    assert scene.kinds() == ["participant_connected", "connected", "chat"]
    assert scene.of("participant_connected")[0]["identity"] == "ann"


def test_who_is_there_already_is_not_written_before_it_is_admitted(scene: Scene) -> None:
    async def play() -> None:
        scene.room.remote_participants["bob"] = FakeParticipant("bob")
        scene.capture.admits = lambda _: False
        scene.capture.start()
        await scene.capture.aclose()

    run(play())
    assert scene.events() == []


def test_video_is_told_with_its_dimensions(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann")
        scene.room.join(ann)
        video = rtc.TrackKind.KIND_VIDEO
        camera = FakePublication("TR_v", "cam", video, rtc.TrackSource.SOURCE_CAMERA)
        scene.room.publish(ann, camera)
        scene.room.emit("track_muted", ann, camera)
        scene.room.emit("participant_name_changed", ann, "", "Ann")
        await scene.capture.aclose()

    run(play())
    told = {
        "identity": "ann",
        "track_sid": "TR_v",
        "kind": "video",
        "source": "camera",
        "name": "cam",
        "mime_type": "video/VP8",
        "width": 640,
        "height": 360,
        "simulcasted": False,
    }
    assert scene.of("track_published") == scene.of("track_muted") == [told]
    assert scene.of("participant_name_changed") == [{"identity": "ann", "old": "", "new": "Ann"}]
    assert not (scene.directory / "journal" / "caller.pcm").exists()


def test_roles_and_track_ids(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        people = [
            FakeParticipant("recorder", EGRESS),
            FakeParticipant("bot", AGENT),
            FakeParticipant("ann"),
            FakeParticipant("supervisor"),
        ]
        scene.room.join(FakeParticipant("dashboard"))
        for number, person in enumerate(people):
            scene.room.join(person)
            track = scene.room.publish(person, FakePublication(f"TR_{number}"))
            await scene.hear(track, 6)
        hold = scene.room.publish(people[1], FakePublication("TR_h", name="background_audio"))
        second = scene.room.publish(people[1], FakePublication("TR_s", name="aside"))
        await scene.hear(hold, 6)
        await scene.hear(second, 6)
        video = FakePublication("TR_v", "cam", rtc.TrackKind.KIND_VIDEO)
        scene.room.publish(people[2], video)
        await scene.capture.aclose()

    run(play())
    assert [(t["id"], t["role"], t["participant"]) for t in scene.tracks()] == [
        ("agent", "agent", "bot"),
        ("caller", "caller", "ann"),
        ("other", "other", "supervisor"),
        ("other-2", "other", "bot"),
        ("agent-2", "agent", "bot"),
    ]
    assert "recorder" not in json.dumps(scene.events())


def test_caller_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtc, "AudioStream", FakeAudioStream)
    scene = Scene(tmp_path, RoleOf(caller="ann"))

    async def play() -> None:
        scene.capture.start()
        for identity in ("supervisor", "ann"):
            person = FakeParticipant(identity)
            scene.room.join(person)
            track = scene.room.publish(person, FakePublication(f"TR_{identity}"))
            await scene.hear(track, 6)
        await scene.capture.aclose()

    run(play())
    assert [(t["id"], t["participant"]) for t in scene.tracks()] == [
        ("other", "supervisor"),
        ("caller", "ann"),
    ]


def test_session_messages_of_one_agent_keep_their_order(scene: Scene) -> None:
    """A long message that is sent first is written first, though a short one is read sooner."""

    def message(state: int) -> bytes:
        change = pb.AgentSessionEvent.AgentStateChanged(
            old_state=pb.AS_IDLE, new_state=cast(pb.AgentState, state)
        )
        event = pb.AgentSessionEvent(agent_state_changed=change)
        return pb.AgentSessionMessage(event=event).SerializeToString()

    async def play() -> None:
        scene.capture.start()
        long = message(pb.AS_THINKING)
        single = [long[i : i + 1] for i in range(len(long))]
        scene.room.bytes("bot", "lk.agent.session", *single)
        scene.room.bytes("bot", "lk.agent.session", message(pb.AS_SPEAKING))
        await scene.capture.aclose()

    run(play())
    assert [data["new_state"] for data in scene.of("agent_state_changed")] == [
        "thinking",
        "speaking",
    ]
    assert scene.of("agent_state_changed")[0]["identity"] == "bot"


def test_what_an_agent_tells_the_caller_alone_is_overheard_and_written_once(scene: Scene) -> None:
    change = pb.AgentSessionEvent.UserStateChanged(
        old_state=pb.US_LISTENING, new_state=pb.US_SPEAKING
    )
    event = pb.AgentSessionEvent(user_state_changed=change)
    message = pb.AgentSessionMessage(event=event).SerializeToString()
    caller = FakeRoom()

    async def play() -> None:
        scene.capture.start()
        scene.capture.overhear(cast(rtc.Room, caller))
        # To everybody, then to the caller alone, then to everybody again.
        for room, stream_id in ((scene.room, "1"), (caller, "1"), (caller, "2"), (caller, "3")):
            room.bytes("bot", "lk.agent.session", message, stream_id=stream_id)
        scene.room.bytes("bot", "lk.agent.session", message, stream_id="3")
        await scene.capture.aclose()

    run(play())
    assert len(scene.of("user_state_changed")) == 3


def test_undecodable_session_messages_are_written_as_such(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        scene.room.bytes("bot", "lk.agent.session", b"\xff\xff\xff")
        scene.room.bytes("bot", "lk.agent.session", b"\x0a", error="aborted by the sender")
        request = pb.AgentSessionMessage(request=pb.SessionRequest(request_id="1"))
        scene.room.bytes("bot", "lk.agent.session", request.SerializeToString())
        await scene.capture.aclose()

    run(play())
    undecoded = scene.of("lkgate.undecoded")
    assert [data["bytes"] for data in undecoded] == [3, 1]
    assert undecoded[1]["error"] == "aborted by the sender"
    assert [data["message"] for data in scene.of("byte_stream")] == ["request"]


def test_streams_of_known_and_unknown_topics(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        scene.room.text(
            "bot",
            "lk.transcription",
            "Good ",
            "day",
            **{
                "lk.segment_id": "SG_1",
                "lk.transcribed_track_id": "TR_1",
                "lk.transcription_final": "true",
            },
        )
        scene.room.text("ann", "lk.chat", "hello")
        scene.room.text("ann", "form", "né", step="2")
        scene.room.bytes("ann", "photo", b"12", b"345")
        await scene.capture.aclose()

    run(play())
    assert scene.of("transcription") == [
        {
            "identity": "bot",
            "segment_id": "SG_1",
            "track_sid": "TR_1",
            "final": True,
            "text": "Good day",
            "started_us": 0,
        }
    ]
    assert scene.of("chat") == [{"identity": "ann", "text": "hello"}]
    assert scene.of("text_stream") == [
        {
            "identity": "ann",
            "topic": "form",
            "bytes": 3,
            "text": "né",
            "attributes": {"step": "2"},
        }
    ]
    assert scene.of("byte_stream") == [
        {
            "identity": "ann",
            "topic": "photo",
            "name": "n",
            "bytes": 5,
            "mime_type": "application/octet-stream",
        }
    ]


def test_a_transcription_still_open_at_the_end_is_kept_and_says_so(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        scene.room.text("bot", "lk.transcription", *["a"] * 200)
        await scene.capture.aclose()

    run(play())
    (cut,) = scene.of("transcription")
    assert cut["cut_short"] == "the recording ended"
    assert cut["text"]


def test_everything_else_that_happens_in_a_room(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        ann = FakeParticipant("ann", disconnect_reason=rtc.DisconnectReason.CLIENT_INITIATED)
        publication = FakePublication("TR_1")
        room = scene.room
        room.join(ann)
        room.emit("track_muted", ann, publication)
        room.emit("track_unmuted", ann, publication)
        room.emit("participant_attributes_changed", {"a": "b"}, ann)
        room.emit("participant_metadata_changed", ann, "", "m")
        room.emit("room_metadata_changed", "", "r")
        room.emit("track_subscription_failed", ann, "TR_1", "no codec")
        packet = rtc.DataPacket(b"\xff", rtc.DataPacketKind.KIND_RELIABLE, None, None)
        room.emit("data_received", packet)
        room.emit("sip_dtmf_received", rtc.SipDTMF(5, "5", cast(rtc.RemoteParticipant, ann)))
        room.emit("reconnecting")
        room.emit("reconnected")
        room.emit("participant_disconnected", ann)
        room.emit("disconnected", rtc.DisconnectReason.ROOM_DELETED)
        await scene.capture.aclose()

    run(play())
    track = {
        "identity": "ann",
        "track_sid": "TR_1",
        "kind": "audio",
        "source": "microphone",
        "name": "mic",
    }
    assert [(kind, data) for _, kind, data in scene.events()[1:]] == [
        ("track_muted", track),
        ("track_unmuted", track),
        ("participant_attributes_changed", {"identity": "ann", "changed": {"a": "b"}}),
        ("participant_metadata_changed", {"identity": "ann", "old": "", "new": "m"}),
        ("room_metadata_changed", {"old": "", "new": "r"}),
        (
            "track_subscription_failed",
            {"identity": "ann", "track_sid": "TR_1", "error": "no codec"},
        ),
        ("data_received", {"identity": None, "topic": None, "bytes": 1}),
        ("sip_dtmf_received", {"identity": "ann", "code": 5, "digit": "5"}),
        ("reconnecting", {}),
        ("reconnected", {}),
        ("participant_disconnected", {"identity": "ann", "reason": "client_initiated"}),
        ("disconnected", {"reason": "room_deleted"}),
        ("connected", {"room": "ward", "sid": "RM_1"}),
    ]


def test_a_full_disk_is_not_swallowed_by_the_emitter(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        await scene.settle()
        scene.journal.close()
        scene.room.join(FakeParticipant("ann"))
        assert isinstance(scene.capture.failure, ValueError)
        with pytest.raises(ValueError, match="closed"):
            await scene.capture.aclose()

    run(play())


def test_after_aclose_nothing_is_written(scene: Scene) -> None:
    async def play() -> None:
        scene.capture.start()
        await scene.capture.aclose()
        written = len(scene.events())
        scene.room.join(FakeParticipant("late"))
        assert scene.room._text_stream_handlers.get("form") is None
        assert len(scene.events()) == written

    run(play())
