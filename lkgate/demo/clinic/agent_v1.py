"""The clinic's intake agent: the build in production."""

from __future__ import annotations

from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext, cli

SETTINGS = Settings()

server = new_server()


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, SETTINGS)


if __name__ == "__main__":
    cli.run_app(server)
