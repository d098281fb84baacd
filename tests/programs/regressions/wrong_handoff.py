"""It hands the sick to the wrong agent."""

from __future__ import annotations

from intake import agents
from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext


class Billing(agents.TriageNurse):
    """Knows of bills; introduces itself, and asks, as it was copied from."""


server = new_server()

agents.TriageNurse = Billing


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, Settings())
