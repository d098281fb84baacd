"""Much of what a large agent does: a task with a result, a child process, patience, an end."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    AgentTask,
    JobContext,
    RunContext,
    UserStateChangedEvent,
    cli,
    function_tool,
    get_job_context,
)

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()
RULES = [
    ("name is", ("record_name", {"name": "Ann"})),
    ("forecast", ("run_models", {})),
    ("bye", ("hang_up", {})),
]


@dataclass
class Known:
    name: str = ""
    beats: int = 0


class AskName(AgentTask[str]):
    def __init__(self) -> None:
        super().__init__(instructions="Ask for the name.")

    async def on_enter(self) -> None:
        await self.session.say("Who is calling?")

    @function_tool
    async def record_name(self, context: RunContext, name: str) -> None:
        """Keeps the name."""
        self.complete(name)


class Desk(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are a desk.")

    async def on_enter(self) -> None:
        self.session.userdata.name = await AskName()
        await self.session.say(
            f"Thank you, {self.session.userdata.name}.", allow_interruptions=False
        )

    @function_tool
    async def run_models(self, context: RunContext) -> str:
        """Runs two child processes."""
        script = "print('rain')"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-S", "-c", script, stdout=subprocess.PIPE
        )
        first, _ = await child.communicate()
        second = subprocess.run([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE)
        return f"{first.decode().strip()} and {second.stdout.decode().strip()}"

    @function_tool
    async def hang_up(self, context: RunContext) -> None:
        """Ends the call."""
        await self.session.say("Good bye.")
        get_job_context().shutdown("said good bye")


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    known = Known()
    session = AgentSession[Known](
        userdata=known,
        stt=ScriptedSTT(["My name is Ann.", "The forecast?", "Bye."]),
        llm=ScriptedLLM(RULES),
        tts=ScriptedTTS(),
        user_away_timeout=8.0,
    )

    async def beat() -> None:
        while True:
            await asyncio.sleep(1)
            known.beats += 1

    heart = asyncio.create_task(beat())

    async def stop() -> None:
        heart.cancel()
        print("beats:", known.beats)

    ctx.add_shutdown_callback(stop)

    @session.on("user_state_changed")
    def changed(event: UserStateChangedEvent) -> None:
        if event.new_state == "away":
            session.say("Are you there?")

    await session.start(agent=Desk(), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
