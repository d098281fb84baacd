"""Its voice speaks at two thirds of the pace."""

from __future__ import annotations

from functools import partial

from intake import session
from intake.plugins.hibari_tts import HibariTTS
from intake.settings import Settings
from livekit.agents import JobContext

server = session.new_server()

session.HibariTTS = partial(HibariTTS, speed=0.67)


@server.rtc_session(agent_name=session.AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await session.take_call(ctx, Settings())
