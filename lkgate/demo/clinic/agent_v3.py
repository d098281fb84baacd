"""The clinic's intake agent, with three faults that its transcripts do not show.

It waits longer for the end of a turn, books "half past two" for the middle of the night, and talks
on when it is interrupted.
"""

from __future__ import annotations

from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext, cli

SETTINGS = Settings(endpointing_s=1.4, interruptible=False, opening_hours=False)

server = new_server()


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, SETTINGS)


if __name__ == "__main__":
    cli.run_app(server)
