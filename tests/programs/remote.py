"""Asks a language model over HTTP, with a key of its own, and talks about that key too much."""

import asyncio
import json
import os
import urllib.request

import aiohttp
from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    RunContext,
    cli,
    function_tool,
    llm,
)
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN

from scripted import ScriptedSTT, ScriptedTTS

URL = os.environ.get("PROVIDER_URL", "http://localhost:9")
KEY = os.environ.get("PROVIDER_API_KEY", "")

server = AgentServer()


class RemoteLLM(llm.LLM):
    """``blocking``: by a thread, as clients do that know no asyncio."""

    def __init__(self, url: str, key: str, *, blocking: bool) -> None:
        super().__init__()
        self.url, self.key, self.blocking = url, key, blocking

    def chat(
        self,
        *,
        chat_ctx,
        tools=None,
        conn_options=DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls=NOT_GIVEN,
        tool_choice=NOT_GIVEN,
        extra_kwargs=NOT_GIVEN,
    ) -> llm.LLMStream:
        return _Answering(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Answering(llm.LLMStream):
    async def _run(self) -> None:
        said = [
            item.output if item.type == "function_call_output" else item.text_content
            for item in self._chat_ctx.items
            if item.type in ("message", "function_call_output")
        ]
        headers = {"Authorization": f"Bearer {self._llm.key}"}
        if self._llm.blocking:
            for words in await asyncio.to_thread(self._ask, said, headers):
                self._say(words)
            return
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(self._llm.url, json=said) as response,
        ):
            async for line in response.content:
                self._say(json.loads(line))

    def _ask(self, said, headers) -> list[str]:
        asked = urllib.request.Request(self._llm.url, json.dumps(said).encode(), headers)
        with urllib.request.urlopen(asked) as response:
            return [json.loads(line) for line in response]

    def _say(self, words: str) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=words + " ")
        if words == "look_up":
            call = llm.FunctionToolCall(name=words, arguments="{}", call_id="1")
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


class Host(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are the host of a restaurant.")

    async def on_enter(self) -> None:
        self.session.generate_reply()

    @function_tool
    async def look_up(self, ctx: RunContext) -> str:
        """Free tables."""
        limit = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(URL) as response:
            return await response.text()


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    print(f"asking with {KEY}")
    blocking = bool(os.environ.get("PROVIDER_BLOCKING"))
    session = AgentSession(
        stt=ScriptedSTT(["I want a table.", "Good bye."]),
        llm=RemoteLLM(URL, KEY, blocking=blocking),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Host(), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
