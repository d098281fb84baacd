"""The older shape: WorkerOptions with an entrypoint and a prewarm, connect first, then start."""

import logging

from livekit.agents import Agent, AgentSession, JobContext, JobProcess, WorkerOptions, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

logger = logging.getLogger("front-desk")


def prewarm(proc: JobProcess) -> None:
    proc.userdata["greeting"] = "Front desk, good morning."


async def entrypoint(ctx: JobContext) -> None:
    await ctx.connect()
    participant = await ctx.wait_for_participant()
    logger.info("answering %s in %s", participant.identity, ctx.room.name)

    async def bye(reason: str) -> None:
        logger.info("shut down because of: %s", reason)

    ctx.add_shutdown_callback(bye)
    session = AgentSession(
        stt=ScriptedSTT(["Good morning.", "Bye."]),
        llm=ScriptedLLM([("morning", "What can I do?")], otherwise="See you."),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Agent(instructions="Be brief."), room=ctx.room)
    await session.say(ctx.proc.userdata["greeting"])


if __name__ == "__main__":
    cli.run_app(WorkerOptions(entrypoint_fnc=entrypoint, prewarm_fnc=prewarm))
