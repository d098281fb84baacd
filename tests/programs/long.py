"""A call as long as its caller: the scripted STT never runs out of lines."""

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["Tell me more, please."] * 1000),
        llm=ScriptedLLM([("more", "There is a lot to say about that, and here is a part of it.")]),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Agent(instructions="You tell stories."), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
