"""One call, placed on the real server and recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from livekit import api, rtc

from lkgate.bundle import read, reseal
from lkgate.caller import CallerPlayer
from lkgate.caller.script import Line, after_agent, build, into_agent, room_tone
from lkgate.caller.voice import Pcm
from lkgate.cassette.compact import compact
from lkgate.demo.make import voices
from lkgate.demo.make.calls import Script, ScriptLine
from lkgate.model.build import Build
from lkgate.model.event import Json
from lkgate.model.plan import Anchor, CallerPlan
from lkgate.record import Credentials, Progress, RecordOptions, record_room

CALLER = "caller"
# Of audio ahead in the microphone's queue: a busy machine must not tear holes into a sentence.
CUSHION_MS = 50
# A quiet room. A louder one would be most of a recording's bytes.
TONE_DBFS = -82.0


def stage(script: Script) -> tuple[CallerPlan, Pcm]:
    """The script as a plan, and its audio."""
    lines = [Line(voices.speak(script.voice, line.say), _anchor(line)) for line in script.lines]
    tone = room_tone(voices.RATE_HZ, level_dbfs=TONE_DBFS)
    if script.noise is not None:
        level = sum(voices.rms(line.pcm) for line in lines) / len(lines)
        tone = voices.bed(script.noise, level)
    return build(lines, sample_rate_hz=voices.RATE_HZ, bed=tone, identity=CALLER)


def _anchor(line: ScriptLine) -> Anchor:
    kind = into_agent if line.barge_in else after_agent
    return replace(kind(line.delay_ms, line.after_stretches), grace_us=line.grace_ms * 1000)


async def record(
    script: Script,
    build: Build,
    credentials: Credentials,
    out: Path,
    *,
    say: Callable[[str], None],
) -> Path:
    """Place the call in a room of its own, with ``build`` on the other end; the bundle's path.

    Raises:
        KeyboardInterrupt: the recording was stopped before the call was over.
    """
    plan, pcm = await asyncio.to_thread(stage, script)
    room = f"demo-{script.name}"
    agent_called = asyncio.Event()

    def on_progress(progress: Progress) -> None:
        if progress.state in ("waiting for the agent", "recording"):
            agent_called.set()

    options = RecordOptions(room, out, credentials, build=build, caller=CALLER)
    recording = asyncio.create_task(
        record_room(options, on_progress=on_progress, on_warning=lambda text: say(f"! {text}"))
    )
    called = asyncio.create_task(agent_called.wait())
    await asyncio.wait({recording, called}, return_when=asyncio.FIRST_COMPLETED)
    called.cancel()
    if not recording.done():
        say(f"the caller left: {await _call(room, plan, pcm, credentials, say)}")
    made = await recording
    ended = [event.data["reason"] for event in read(made).of_kind("lkgate.recording_ended")]
    if ended == ["stopped"]:
        raise KeyboardInterrupt
    if (made / "cassette").is_dir():
        compact(made / "cassette")
    (made / "labels.yaml").write_text(script.labels(), encoding="utf-8")
    reseal(made)
    return made


async def _call(
    room: str,
    plan: CallerPlan,
    pcm: Pcm,
    credentials: Credentials,
    say: Callable[[str], None],
) -> str:
    began = time.monotonic_ns()

    def now_us() -> int:
        return (time.monotonic_ns() - began) // 1000

    def note(kind: str, data: Mapping[str, Json]) -> None:
        if kind == "lkgate.caller_impatient" or data.get("reason"):
            say(f"{now_us() / 1e6:6.1f} s  {kind} {dict(data)}")

    token = (
        api.AccessToken(credentials.key, credentials.secret)
        .with_identity(plan.identity)
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )
    place = rtc.Room()
    await place.connect(credentials.url, token)
    player = CallerPlayer(place, plan, pcm, note=note, now_us=now_us, cushion_ms=CUSHION_MS)
    return await player.run()
