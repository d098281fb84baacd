"""Two servers, of which one is started."""

import sys

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

inbound, outbound = AgentServer(), AgentServer()


@outbound.rtc_session()
async def dial(ctx: JobContext) -> None:
    raise RuntimeError("this is not the one")


@inbound.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say("Inbound.")


if __name__ == "__main__" and "--start" in sys.argv:
    cli.run_app(inbound)
