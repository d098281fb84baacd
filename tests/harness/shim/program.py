"""A worker's job without a server: a session in text mode, scripted models, a tool."""

import asyncio
import os
import sys
from types import SimpleNamespace
from typing import Any

from livekit.agents import Agent, AgentServer, AgentSession, function_tool, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS


class Clerk(llm.LLM[Any]):
    """Calls the tool once, then reads its output."""

    def __init__(self) -> None:
        super().__init__()
        self._api_key = "sk-a-secret"

    def chat(self, *, chat_ctx: Any, tools: Any = None, **options: Any) -> llm.LLMStream:
        return Answer(
            self,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=options.get("conn_options", DEFAULT_API_CONNECT_OPTIONS),
        )


class Answer(llm.LLMStream):
    async def _run(self) -> None:
        await asyncio.sleep(0.02)
        last = self._chat_ctx.items[-1]
        delta = llm.ChoiceDelta(role="assistant")
        if last.type == "function_call_output":
            delta.content = f"It is {last.output}."
        else:
            delta.tool_calls = [llm.FunctionToolCall(name="hour", arguments="{}", call_id="c1")]
        self._event_ch.send_nowait(llm.ChatChunk(id="a", delta=delta))


@function_tool
async def hour() -> str:
    """The hour."""
    return "nine"


async def call() -> None:
    session: AgentSession[None] = AgentSession(
        llm=Clerk(), vad=None, turn_handling={"turn_detection": None}
    )
    # Nobody should; a recording must not hold it even so.
    instructions = f"A clock. Its key is {os.environ['OPENAI_API_KEY']}."
    await session.start(Agent(instructions=instructions, tools=[hour]), record=False)
    await session.run(user_input="What time is it?")
    print(session.history.messages()[-1].text_content)
    await session.aclose()


def register() -> None:
    """What happens when a server has taken the worker in."""
    server = AgentServer()
    server._agent_name = "clock"
    server._ws_url = "ws://nowhere"
    info: Any = SimpleNamespace(region="", protocol=1)
    answer: Any = SimpleNamespace(worker_id="AW_1", server_info=info)
    server._handle_register(answer)


if __name__ == "__main__":
    register()
    if os.fork() == 0:  # a job of its own process
        asyncio.run(call())
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    print("lkgate" in sys.modules, "soundfile" in sys.modules)
