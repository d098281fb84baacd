"""It throws the model's first answer away and asks again."""

from __future__ import annotations

from collections.abc import AsyncIterable

from intake import session
from intake.agents import Receptionist
from intake.settings import Settings
from livekit.agents import Agent, JobContext, ModelSettings, llm

server = session.new_server()


class Doubter(Receptionist):
    """Takes no model at its first word."""

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[llm.ChatChunk]:
        async for _ in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
            pass
        async for chunk in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
            assert isinstance(chunk, llm.ChatChunk)
            yield chunk


session.Receptionist = Doubter


@server.rtc_session(agent_name=session.AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await session.take_call(ctx, Settings())
