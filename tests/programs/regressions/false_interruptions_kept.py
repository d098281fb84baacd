"""It stops for every sound, and does not go on when the sound was nothing."""

from __future__ import annotations

from intake import session
from intake.settings import Settings
from livekit.agents import JobContext, TurnHandlingOptions

server = session.new_server()
as_before = session.turn_handling


def turn_handling(settings: Settings) -> TurnHandlingOptions:
    options = as_before(settings)
    options["interruption"]["resume_false_interruption"] = False
    return options


session.turn_handling = turn_handling


@server.rtc_session(agent_name=session.AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await session.take_call(ctx, Settings())
