"""The clinic's intake agent on a speech-to-speech model: ``python realtime_agent.py start``.

The model is whatever OPENAI_BASE_URL serves. CLINIC_FAULT plants a fault:
    slow    the model is told to wait five seconds longer for the end of a turn
    hours   the instructions do not say when the clinic is open
    person  the agent cannot put a caller through to a person
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "lkgate" / "demo" / "clinic"))

from intake import agents
from intake.clinic import Clinic
from intake.settings import Settings
from livekit.agents import (
    AgentServer,
    AgentSession,
    CloseEvent,
    JobContext,
    TurnHandlingOptions,
    cli,
)
from livekit.plugins.openai import realtime
from openai.types.realtime import AudioTranscription
from openai.types.realtime.realtime_audio_input_turn_detection import ServerVad

FAULT = os.environ.get("CLINIC_FAULT", "")
SETTINGS = Settings(opening_hours=FAULT != "hours")
SILENCE_MS = 800 + (5_000 if FAULT == "slow" else 0)
CALLS_AT_ONCE = 4

server = AgentServer(
    port=0, load_fnc=lambda s: len(s.active_jobs) / CALLS_AT_ONCE, num_idle_processes=1
)


class Receptionist(agents.Receptionist):
    async def on_enter(self) -> None:
        if FAULT == "person":
            kept = [tool for tool in self.tools if tool is not agents.escalate_to_human]
            await self.update_tools(kept)
        # A speech-to-speech model has no voice that says what it is given.
        await self.session.generate_reply(instructions=f"Say: {SETTINGS.greeting}")


@server.rtc_session(agent_name="clinic-realtime")
async def answer(ctx: JobContext) -> None:
    turns = ServerVad(
        type="server_vad",
        silence_duration_ms=SILENCE_MS,
        create_response=True,
        interrupt_response=True,
    )
    model = realtime.RealtimeModel(
        turn_detection=turns, input_audio_transcription=AudioTranscription(model="whisper-1")
    )
    session: AgentSession[agents.Call] = AgentSession(
        userdata=agents.Call(Clinic(), SETTINGS),
        llm=model,
        vad=None,
        turn_handling=TurnHandlingOptions(turn_detection="realtime_llm"),
        aec_warmup_duration=None,
    )

    @session.on("close")
    def hang_up(_: CloseEvent) -> None:
        ctx.shutdown("the caller has left")

    await session.start(agent=Receptionist(SETTINGS), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
