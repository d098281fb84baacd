"""A LiveKit agent with scripted models, as its author would write it: run with ``start``.

It greets, and answers every ``lk.chat`` text with a tool call and a sentence. Its voice is a tone.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import numpy as np
from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    APIConnectOptions,
    JobContext,
    RunContext,
    cli,
    function_tool,
    llm,
    tts,
)

RATE = 24_000
# An HTTP port and a share of the CPU that a test machine can give.
server = AgentServer(port=0, load_threshold=1.0)


class ScriptedLLM(llm.LLM[Any]):
    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, **rest: Any) -> llm.LLMStream:
        options = rest.get("conn_options") or APIConnectOptions()
        return ScriptedReply(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=options)


class ScriptedReply(llm.LLMStream):
    async def _run(self) -> None:
        last = self._chat_ctx.items[-1]
        if last.type == "message" and last.role == "user":
            call = llm.FunctionToolCall(
                name="book", arguments='{"day": "Monday"}', call_id="call_1"
            )
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        elif last.type == "function_call_output":
            delta = llm.ChoiceDelta(role="assistant", content=f"Done: {last.output}.")
        else:
            delta = llm.ChoiceDelta(role="assistant", content="Good day, how can I help?")
        self._event_ch.send_nowait(llm.ChatChunk(id="chunk", delta=delta))


class ToneTTS(tts.TTS[Any]):
    def __init__(self) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=RATE, num_channels=1)

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        options = conn_options or APIConnectOptions()
        return ToneStream(tts=self, input_text=text, conn_options=options)


class ToneStream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="tone", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        seconds = 0.05 * len(self._input_text)
        wave = 12_000 * np.sin(2 * np.pi * 330 * np.arange(int(seconds * RATE)) / RATE)
        output_emitter.push(wave.astype(np.int16).tobytes())
        output_emitter.flush()


class Greeter(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You book appointments.")

    async def on_enter(self) -> None:
        self.session.generate_reply()

    @function_tool
    async def book(self, context: RunContext[None], day: str) -> str:
        """Book an appointment."""
        await asyncio.sleep(0.2)
        return f"booked for {day}"


# Without a name, the server sends it into every new room.
@server.rtc_session(agent_name=os.environ.get("GREETER_NAME", "greeter"))
async def entrypoint(ctx: JobContext) -> None:
    async def say_bye() -> None:
        if "GREETER_BYE" in os.environ:
            Path(os.environ["GREETER_BYE"]).touch()

    ctx.add_shutdown_callback(say_bye)
    session: AgentSession[None] = AgentSession(llm=ScriptedLLM(), tts=ToneTTS())
    await session.start(agent=Greeter(), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
