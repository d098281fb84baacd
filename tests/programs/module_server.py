"""Nothing but a server at module level, for LiveKit's own command line to find."""

from livekit.agents import Agent, AgentServer, AgentSession, JobContext

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()


async def summarise(ctx: JobContext) -> None:
    items = ctx.primary_session.history.items
    print("summary of", len([item for item in items if item.type == "message"]), "messages")


@server.rtc_session(agent_name="summary", on_session_end=summarise)
async def answer(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["Hello there."]), llm=ScriptedLLM([]), tts=ScriptedTTS()
    )
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    print("participant attributes", ctx.room.local_participant.attributes)
