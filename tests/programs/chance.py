"""Says what it finds in chance, time, the calendar, and the order of things."""

import asyncio
import datetime
import os
import random
import secrets
import threading
import time
import uuid

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()
AT_IMPORT = random.random(), uuid.uuid4().hex, time.time()


class Thing:
    """Hashed by its address."""


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    order: list[int] = []

    def race(number: int) -> None:
        time.sleep(random.random() / 10)
        order.append(number)

    racers = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        await asyncio.to_thread(racer.join)
    tasks = {asyncio.create_task(asyncio.sleep(0.1, number)) for number in range(8)}
    finished = [task.result() for task in (await asyncio.wait(tasks))[0]]
    found = {
        "import": AT_IMPORT,
        "random": [random.random(), secrets.token_hex(4), os.urandom(4).hex()],
        "ids": [str(uuid.uuid4()), str(uuid.uuid1())],
        "time": [time.time(), time.perf_counter(), time.monotonic_ns()],
        "calendar": [str(datetime.datetime.now().astimezone()), time.strftime("%c %Z")],
        "words": list({"one", "two", "three", "four", "five"}),
        "hash": hash("one"),
        "threads": order,
        "tasks": finished,
        "pace": time.process_time(),
        "environment": sorted(name for name in os.environ if name.startswith("LC_")),
    }
    await ctx.room.local_participant.publish_data(repr(found), topic="found")


if __name__ == "__main__":
    cli.run_app(server)
