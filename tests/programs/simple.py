"""The commonest shape: an AgentServer, an rtc_session, run_app under a main guard."""

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


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["I want a table.", "How is the weather?", "Good bye."]),
        llm=ScriptedLLM(RULES),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Host(), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
