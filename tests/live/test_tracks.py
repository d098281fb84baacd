"""Tracks that are muted, withdrawn, published again, of different rates and sources."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from pathlib import Path

import pytest
from livekit import rtc

from lkgate.bundle import verify
from lkgate.record import RecordOptions, record_room
from tests.live.clicks import ClickTrain, heard_us
from tests.live.conftest import LiveServer
from tests.live.people import token

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def test_what_interrupts_a_track_is_a_gap_with_its_cause(
    live_server: LiveServer, tmp_path: Path
) -> None:
    credentials = live_server.credentials
    name = f"tracks-{uuid.uuid4().hex[:8]}"
    at: dict[str, int] = {}
    trains: dict[str, ClickTrain] = {}

    def mark(what: str) -> None:
        at[what] = time.time_ns() // 1_000

    async def ann(room: rtc.Room) -> None:
        voice, screen = trains["mic"], trains["screen"]
        track, sid = await voice.publish(room)
        shared = rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
        _, screen_sid = await screen.publish(room, shared, name="screen")
        playing = [asyncio.create_task(voice.play(13)), asyncio.create_task(screen.play(13))]
        await asyncio.sleep(3)
        track.mute()
        mark("muted")
        await asyncio.sleep(2)
        track.unmute()
        mark("unmuted")
        await asyncio.sleep(3)
        await room.local_participant.unpublish_track(sid)
        mark("unpublished")
        await asyncio.sleep(1)
        await voice.publish(room)
        mark("published")
        await asyncio.gather(*playing)
        await room.local_participant.unpublish_track(screen_sid)

    async def play() -> None:
        rooms = {"bot": rtc.Room(), "ann": rtc.Room()}
        await rooms["bot"].connect(credentials.url, token(credentials, name, "bot", "agent"))
        await rooms["ann"].connect(credentials.url, token(credentials, name, "ann"))
        for what, rate in (("reference", 24_000), ("mic", 48_000), ("screen", 16_000)):
            trains[what] = ClickTrain(rate)
        recording = asyncio.create_task(
            record_room(RecordOptions(name, tmp_path / "call", credentials))
        )
        await asyncio.sleep(0.5)
        await trains["reference"].publish(rooms["bot"], name="reference")
        await asyncio.gather(trains["reference"].play(13), ann(rooms["ann"]))
        await asyncio.gather(*(room.disconnect() for room in rooms.values()))
        await recording

    asyncio.run(asyncio.wait_for(play(), 60))
    bundle = verify(tmp_path / "call")
    began_us = bundle.manifest.started_at_unix_us
    assert began_us is not None
    published = {event.data["track_sid"]: event.data for event in bundle.of_kind("track_published")}
    tracks = {str(published[track.sid or ""]["name"]): track for track in bundle.manifest.tracks}
    assert {name: published[track.sid or ""]["source"] for name, track in tracks.items()} == {
        "reference": "microphone",
        "mic": "microphone",
        "screen": "screenshare_audio",
    }
    assert [tracks[name].participant for name in ("reference", "mic", "screen")] == [
        "bot",
        "ann",
        "ann",
    ]
    assert {tracks["mic"].id, tracks["screen"].id} == {"caller", "caller-2"}

    # Each click lies where it was made, before and after what interrupted it.
    for name, track in tracks.items():
        sent = trains[name].sent_us
        heard = heard_us(tmp_path / "call", track, began_us)
        settled_us = 1_000_000  # until a subscriber hears a new track
        begin, end = began_us + track.offset_us, sent[-1]
        stretches = [(begin, end)]
        if name == "mic":
            stretches = [
                (begin, at["muted"]),
                (at["unmuted"] + settled_us, at["unpublished"]),
                (at["published"] + settled_us, end),
            ]
        for since, until in stretches:
            due = [us for us in sent if since + 100_000 <= us <= until - 100_000]
            assert len(due) >= 2
            near = [h for h in heard if since <= h <= until]
            late = [min((h - us for h in near), key=abs) / 1_000 for us in due]
            assert abs(statistics.median(late)) <= 20, (name, late)
            assert max(map(abs, late)) <= 150, (name, late)  # none is missing

    gaps = [event.data for event in bundle.of_kind("lkgate.gap")]
    of_mic = {gap["cause"]: gap for gap in gaps if gap["track"] == tracks["mic"].id}
    # Packets may be late on a busy machine.
    assert {gap["cause"] for gap in gaps} - {"late", "loss"} == {"mute", "unsubscribed"}
    for cause, first, last in (
        ("mute", "muted", "unmuted"),
        ("unsubscribed", "unpublished", "published"),
    ):
        start_us, end_us = of_mic[cause]["start_us"], of_mic[cause]["end_us"]
        assert isinstance(start_us, int) and isinstance(end_us, int)
        assert abs(began_us + start_us - at[first]) <= 600_000
        assert -200_000 <= began_us + end_us - at[last] <= 1_500_000
