"""Room tone and typing from LiveKit's own background player, on a track of their own."""

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    AudioConfig,
    BackgroundAudioPlayer,
    BuiltinAudioClip,
    JobContext,
    cli,
)

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    background = BackgroundAudioPlayer(
        ambient_sound=AudioConfig(BuiltinAudioClip.OFFICE_AMBIENCE, volume=0.5),
        thinking_sound=[AudioConfig(BuiltinAudioClip.KEYBOARD_TYPING, volume=0.8)],
    )
    await background.start(room=ctx.room, agent_session=session)
    await session.say("We are in an office.")


if __name__ == "__main__":
    cli.run_app(server)
