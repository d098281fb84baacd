"""A recorded session that leaves LiveKit's report and audio in a directory: ``reported.py DIR``."""

import json
import shutil
import sys
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
OUT = Path(sys.argv.pop(1))

RULES = [
    ("weather", ("get_weather", {"city": "Berlin"})),
    ("table", "For how many people, and at what time, shall I book the table for you?"),
    ("bye", "Good bye, and thank you for calling."),
]


class Host(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are the host of a restaurant.")

    async def on_enter(self) -> None:
        self.session.generate_reply()

    @function_tool
    async def get_weather(self, ctx: RunContext, city: str) -> str:
        """Tonight's weather."""
        return f"eighteen degrees in {city}"


async def keep(ctx: JobContext) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    report = ctx.make_session_report().to_dict()
    (OUT / "session_report.json").write_text(json.dumps(report, indent=2))
    shutil.copy(ctx.session_directory / "audio.ogg", OUT / "audio.ogg")


@server.rtc_session(on_session_end=keep)
async def answer(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["I want a table.", "How is the weather?", "Good bye."]),
        llm=ScriptedLLM(RULES),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Host(), room=ctx.room, record=True)


if __name__ == "__main__":
    cli.run_app(server)
