"""Its instructions are many times as long."""

from __future__ import annotations

from intake import agents
from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext

POLICY = """
Be friendly and brief. Never give medical advice. Do not promise a doctor by name. Spell a name back
when you are not sure of it. If a caller asks for something that the clinic does not offer, say so.
"""

server = new_server()

agents.RECEPTIONIST += POLICY * 10
agents.NURSE += POLICY * 10


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, Settings())
