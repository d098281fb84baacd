"""Everybody who can be in a room: callers by telephone, agents, cameras, programs."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from livekit import api, rtc

from lkgate.bundle import verify
from lkgate.model.bundle import Bundle
from lkgate.record import Credentials, RecordOptions, record_room
from tests.live.clicks import ClickTrain
from tests.live.conftest import LiveServer, async_until
from tests.live.people import token

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SIP = {"sip.callID": "SCL_1", "sip.phoneNumber": "+15550100", "sip.callStatus": "active"}


def sip_token(credentials: Credentials, room: str, identity: str) -> str:
    """As the SIP bridge makes it."""
    return (
        api.AccessToken(credentials.key, credentials.secret)
        .with_identity(identity)
        .with_kind("sip")
        .with_name("Caller")
        .with_attributes(SIP)
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
        .to_jwt()
    )


async def telephone(room: rtc.Room, train: ClickTrain) -> None:
    await train.publish(room)
    playing = asyncio.create_task(train.play(9))
    # LiveKit drops what a participant sends in the second or two after it came.
    await asyncio.sleep(4)
    me = room.local_participant
    for code, digit in ((1, "1"), (11, "#")):
        await me.publish_dtmf(code=code, digit=digit)
    await me.set_attributes({"sip.callStatus": "hangup"})
    await playing


async def camera(room: rtc.Room) -> None:
    source = rtc.VideoSource(640, 360)
    track = rtc.LocalVideoTrack.create_video_track("cam", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
    publication = await room.local_participant.publish_track(track, options)
    picture = rtc.VideoFrame(640, 360, rtc.VideoBufferType.RGBA, bytes(640 * 360 * 4))
    for number in range(30):
        source.capture_frame(picture)
        if number == 20:
            track.mute()
        await asyncio.sleep(0.1)
    await room.local_participant.unpublish_track(publication.sid)


async def dashboard(room: rtc.Room) -> None:
    """Publishes nothing but data."""
    await asyncio.sleep(4)
    me = room.local_participant
    await me.set_name("Desk")
    await me.publish_data(b"open", topic="clinic.door")
    await me.publish_data(b"x" * 6_000, topic="clinic.door")
    await me.publish_data(b"private", topic="other")
    await me.send_text("also private", topic="notes")
    await me.send_text("seen", topic="clinic.door")


async def leaver(credentials: Credentials, name: str, train: ClickTrain) -> None:
    """Comes late, leaves, and comes again."""
    playing = asyncio.create_task(train.play(9))
    for begin in (1.0, 1.0):
        await asyncio.sleep(begin)
        room = rtc.Room()
        await room.connect(credentials.url, token(credentials, name, "bea"))
        await train.publish(room)
        await asyncio.sleep(2.5)
        await room.disconnect()
    await playing


def test_everybody_is_recorded_as_what_they_are(live_server: LiveServer, tmp_path: Path) -> None:
    credentials = live_server.credentials
    name = f"people-{uuid.uuid4().hex[:8]}"

    async def play() -> None:
        rooms = {who: rtc.Room() for who in ("bot", "sip_1", "cam", "desk")}
        for who, room in rooms.items():
            if who == "sip_1":
                jwt = sip_token(credentials, name, who)
            else:
                jwt = token(credentials, name, who, "agent" if who == "bot" else "standard")
            await room.connect(credentials.url, jwt)
        options = RecordOptions(
            name, tmp_path / "call", credentials, caller="sip_1", topics=("clinic.door",)
        )
        recording = asyncio.create_task(record_room(options))
        unfinished = tmp_path / "call.unfinished"
        await async_until(unfinished.exists, 20)
        voice, agent = ClickTrain(), ClickTrain(24_000)
        await agent.publish(rooms["bot"])
        await asyncio.gather(
            agent.play(9),
            telephone(rooms["sip_1"], voice),
            camera(rooms["cam"]),
            dashboard(rooms["desk"]),
            leaver(credentials, name, ClickTrain(16_000)),
        )
        await asyncio.gather(*(room.disconnect() for room in rooms.values()))
        await recording

    asyncio.run(asyncio.wait_for(play(), 60))
    bundle = verify(tmp_path / "call")
    came(bundle)
    heard(bundle)
    seen(bundle)
    told(bundle)


def came(bundle: Bundle) -> None:
    connected = [event.data for event in bundle.of_kind("participant_connected")]
    kinds = [(data["identity"], data["kind"], bool(data.get("present"))) for data in connected]
    assert sorted(kinds) == [
        ("bea", "standard", False),
        ("bea", "standard", False),
        ("bot", "agent", True),
        ("cam", "standard", True),
        ("desk", "standard", True),
        ("sip_1", "sip", True),
    ]
    (sip,) = [data for data in connected if data["identity"] == "sip_1"]
    assert (sip["attributes"], sip["name"]) == (SIP, "Caller")
    left = [event.data["identity"] for event in bundle.of_kind("participant_disconnected")]
    assert left.count("bea") == 2


def heard(bundle: Bundle) -> None:
    tracks = [(track.id, track.participant) for track in bundle.manifest.tracks]
    assert sorted(tracks) == [("agent", "bot"), ("caller", "sip_1"), ("other", "bea")]
    gaps = [event.data for event in bundle.of_kind("lkgate.gap")]
    away = [gap["track"] for gap in gaps if gap["cause"] == "unsubscribed"]
    assert away == ["other"]


def seen(bundle: Bundle) -> None:
    """Video is told, not kept."""
    (published,) = [
        event.data for event in bundle.of_kind("track_published") if event.data["kind"] == "video"
    ]
    assert (published["width"], published["height"]) == (640, 360)
    assert (published["source"], published["mime_type"]) == ("camera", "video/VP8")
    muted = [event.data["track_sid"] for event in bundle.of_kind("track_muted")]
    unpublished = [event.data["track_sid"] for event in bundle.of_kind("track_unpublished")]
    assert muted == [published["track_sid"]]
    assert published["track_sid"] in unpublished
    assert {entry.path.rpartition(".")[2] for entry in bundle.manifest.files} == {"jsonl", "flac"}


def told(bundle: Bundle) -> None:
    digits = [event.data for event in bundle.of_kind("sip_dtmf_received")]
    assert digits == [
        {"identity": "sip_1", "code": 1, "digit": "1"},
        {"identity": "sip_1", "code": 11, "digit": "#"},
    ]
    changed = [event.data for event in bundle.of_kind("participant_attributes_changed")]
    assert changed == [{"identity": "sip_1", "changed": {"sip.callStatus": "hangup"}}]
    renamed = [event.data for event in bundle.of_kind("participant_name_changed")]
    assert renamed == [{"identity": "desk", "old": "", "new": "Desk"}]
    packets = [event.data for event in bundle.of_kind("data_received")]
    assert packets == [
        {"identity": "desk", "topic": "clinic.door", "bytes": 4, "text": "open"},
        {"identity": "desk", "topic": "clinic.door", "bytes": 6_000},
        {"identity": "desk", "topic": "other", "bytes": 7},
    ]
    texts = {event.data["topic"]: event.data for event in bundle.of_kind("text_stream")}
    assert texts["clinic.door"]["text"] == "seen"
    assert texts["notes"]["bytes"] == 12 and "text" not in texts["notes"]
