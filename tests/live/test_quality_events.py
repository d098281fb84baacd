"""What a recording says about its media, while all is well and while nothing comes."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from pathlib import Path

import pytest
from livekit import rtc

from lkgate.bundle import verify
from lkgate.record import RecordOptions, record_room
from tests.live import clicks
from tests.live.clicks import ClickTrain
from tests.live.conftest import LiveServer
from tests.live.people import token

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

STALL_SECONDS = 2.0


def test_media_quality_is_sampled_and_a_stalled_sender_is_a_gap(
    live_server: LiveServer, tmp_path: Path
) -> None:
    credentials = live_server.credentials
    name = f"quality-{uuid.uuid4().hex[:8]}"

    async def play() -> None:
        bot = rtc.Room()
        await bot.connect(credentials.url, token(credentials, name, "bot", "agent"))
        recording = asyncio.create_task(
            record_room(RecordOptions(name, tmp_path / "call", credentials))
        )
        train = ClickTrain(24_000)
        await train.publish(bot)
        playing = asyncio.create_task(train.play(13))
        caller = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(clicks.__file__)), name, "ann", "9"),
            env={**live_server.environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        await asyncio.sleep(6)
        caller.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STALL_SECONDS)
        caller.send_signal(signal.SIGCONT)
        await playing
        assert await caller.wait() == 0
        await bot.disconnect()
        await recording

    asyncio.run(asyncio.wait_for(play(), 80))
    bundle = verify(tmp_path / "call")
    sampled = [event.data for event in bundle.of_kind("lkgate.media_quality")]
    for track, identity in (("agent", "bot"), ("caller", "ann")):
        own = [data for data in sampled if data["track"] == track]
        assert len(own) >= 2
        assert {data["identity"] for data in own} == {identity}
        first = own[0]
        numbers = {key: value for key, value in first.items() if isinstance(value, int)}
        seconds = numbers["interval_us"] / 1e6
        assert 4.9 <= seconds <= 10
        # 50 packets and 48000 samples a second.
        assert 30 <= numbers["packets_received"] / seconds <= 66
        assert 40_000 <= numbers["samples"] / seconds <= 66_000
        assert numbers["jitter_us"] >= 0
        assert numbers["round_trip_us"] >= 0
        assert numbers["jitter_buffer_delay_us"] >= 5_000
        assert numbers["delay_us"] >= numbers["jitter_buffer_delay_us"] - 200_000
        assert numbers["lag_us"] is not None and numbers["segment"] is not None
        for data in own:
            lost, concealed = data["packets_lost"], data["concealed_samples"]
            assert isinstance(lost, int) and isinstance(concealed, int) and concealed >= 0
    # What a stalled sender did not send was made up.
    made_up = sum(
        int(str(data["concealed_samples"])) for data in sampled if data["track"] == "caller"
    )
    assert made_up >= 0.3 * STALL_SECONDS * 48_000

    missing_us = 0
    for event in bundle.of_kind("lkgate.gap"):
        gap = event.data
        if gap["track"] == "caller" and gap["cause"] in ("late", "loss"):
            assert isinstance(gap["missing_us"], int)
            missing_us += gap["missing_us"]
    assert missing_us >= 0.6 * STALL_SECONDS * 1_000_000
