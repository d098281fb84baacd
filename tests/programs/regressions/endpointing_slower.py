"""It waits longer for the end of a turn."""

from __future__ import annotations

from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext

server = new_server()


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, Settings(endpointing_s=1.4))
