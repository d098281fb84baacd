"""Two agents with a handoff, a recorded session, and a look at the recording afterwards."""

import shutil
import tempfile
from pathlib import Path

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    RunContext,
    cli,
    function_tool,
)

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()
RULES = [("nurse", ("call_nurse", {})), ("thank", "You are welcome.")]


class Nurse(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are a nurse.")

    async def on_enter(self) -> None:
        await self.session.say("This is the nurse speaking.")


class Receptionist(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are a receptionist.")

    async def on_enter(self) -> None:
        await self.session.say("Reception, hello.")

    @function_tool
    async def call_nurse(self, context: RunContext) -> tuple[Agent, str]:
        """Hand the caller over to a nurse."""
        return Nurse(), "connecting you"


async def keep_recording(ctx: JobContext) -> None:
    kept = Path(tempfile.mkdtemp()) / "audio.ogg"
    shutil.copy(ctx.session_directory / "audio.ogg", kept)
    report = ctx.make_session_report().to_dict()
    print("recording kept:", kept.stat().st_size > 5000, len(report["chat_history"]["items"]) > 3)


@server.rtc_session(on_session_end=keep_recording)
async def answer(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["I need a nurse.", "Thank you."]),
        llm=ScriptedLLM(RULES),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Receptionist(), room=ctx.room, record=True)


if __name__ == "__main__":
    cli.run_app(server)
