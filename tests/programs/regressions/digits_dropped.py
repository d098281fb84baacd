"""What its recogniser hears of numbers is lost on the way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable

from intake import session
from intake.agents import Receptionist
from intake.settings import Settings
from livekit import rtc
from livekit.agents import Agent, JobContext, ModelSettings, stt

NUMBER = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|quarter|\d+)\b", re.I
)

server = session.new_server()


class Deaf(Receptionist):
    """Hears no numbers."""

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[stt.SpeechEvent]:
        async for event in Agent.default.stt_node(self, audio, model_settings):
            for heard in event.alternatives:
                heard.text = " ".join(NUMBER.sub("", heard.text).split())
            yield event


session.Receptionist = Deaf


@server.rtc_session(agent_name=session.AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await session.take_call(ctx, Settings())
