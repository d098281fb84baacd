"""Function tools that sleep, block a thread, and start threads of their own."""

import asyncio
import queue
import threading
import time

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    RunContext,
    cli,
    function_tool,
)

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()
RULES = [("sleep", ("sleeps", {})), ("block", ("blocks", {})), ("thread", ("threads", {}))]


class Worker(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You work.")

    async def on_enter(self) -> None:
        await self.session.say("Ready.")

    @function_tool
    async def sleeps(self, context: RunContext) -> str:
        """Sleeps."""
        began = time.time()
        await asyncio.sleep(2)
        return f"slept {time.time() - began:.1f}"

    @function_tool
    async def blocks(self, context: RunContext) -> str:
        """Blocks a thread of the pool."""

        def work() -> float:
            began = time.monotonic()
            time.sleep(1.5)
            return time.monotonic() - began

        return f"blocked {await asyncio.to_thread(work):.1f}"

    @function_tool
    async def threads(self, context: RunContext) -> str:
        """Threads that hand things to each other."""
        first: queue.Queue[int] = queue.Queue()
        second: queue.Queue[int] = queue.Queue()

        def produce() -> None:
            for number in range(3):
                time.sleep(0.2)
                first.put(number)

        def double() -> None:
            for _ in range(3):
                second.put(2 * first.get(timeout=5))

        for work in (produce, double):
            threading.Thread(target=work).start()
        got = [await asyncio.to_thread(second.get) for _ in range(3)]
        return f"threads gave {got}"


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["Please sleep.", "Please block.", "Please thread."]),
        llm=ScriptedLLM(RULES),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Worker(), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
