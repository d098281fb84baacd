"""Run with ``python -m frontdesk``: relative imports, its own modules."""

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

from . import words

server = AgentServer()


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say(words.GREETING)


if __name__ == "__main__":
    cli.run_app(server)
