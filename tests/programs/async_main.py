"""Awaits things at module level before and instead of the command line."""

import asyncio
import time

from livekit.agents import Agent, AgentServer, AgentSession, JobContext

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS


async def fetch_settings() -> dict[str, str]:
    await asyncio.sleep(30)
    return {"greeting": "Settings are loaded."}


began = time.monotonic()
SETTINGS = asyncio.run(fetch_settings())
assert time.monotonic() - began >= 30

server = AgentServer()


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say(SETTINGS["greeting"])


async def main() -> None:
    await server.run()


if __name__ == "__main__":
    asyncio.run(main())
