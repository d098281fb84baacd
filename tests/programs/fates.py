"""One program, many fates: the name of the room says how its call ends."""

import asyncio
import ctypes
import os
import queue
import signal
import sys
import threading
import time

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["Hello there."] * 9), llm=ScriptedLLM([]), tts=ScriptedTTS()
    )
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say("One moment.")
    await FATES[ctx.room.name](ctx)


async def lives(ctx: JobContext) -> None:
    print("alive")


async def raises(ctx: JobContext) -> None:
    raise LookupError("no such customer")


async def raises_in_a_task(ctx: JobContext) -> None:
    async def work() -> None:
        raise ValueError("nobody awaits this")

    ctx.proc.userdata["task"] = asyncio.create_task(work())


async def lacks_a_package(ctx: JobContext) -> None:
    import a_package_that_nobody_has  # noqa: F401


async def exits(ctx: JobContext) -> None:
    sys.exit(3)


async def exits_at_once(ctx: JobContext) -> None:
    print("about to leave")
    sys.stdout.flush()
    os._exit(7)


async def crashes(ctx: JobContext) -> None:
    ctypes.string_at(0)


async def forks(ctx: JobContext) -> None:
    if os.fork() == 0:
        print("the fork goes on with the call", flush=True)


async def forks_for_ever(ctx: JobContext) -> None:
    if os.fork() == 0:
        while True:
            ctypes.CDLL(None).sleep(1)


async def prints(ctx: JobContext) -> None:
    for _ in range(100):
        print("x" * (1 << 20))


async def spins(ctx: JobContext) -> None:
    while True:
        pass  # for ever


async def spins_in_a_thread(ctx: JobContext) -> None:
    def work() -> None:
        while True:
            pass  # in a thread

    await asyncio.to_thread(work)


async def sleeps_in_earnest(ctx: JobContext) -> None:
    ctypes.CDLL(None).sleep(3600)  # of the machine


async def locks_itself(ctx: JobContext) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()  # again


async def waits_for_a_thread(ctx: JobContext) -> None:
    orders: queue.Queue[str] = queue.Queue()
    kitchen = threading.Thread(target=orders.get, name="kitchen")
    kitchen.start()
    kitchen.join()


async def never_shuts_down(ctx: JobContext) -> None:
    async def bye() -> None:
        await asyncio.Event().wait()  # for nothing

    ctx.add_shutdown_callback(bye)


async def never_returns(ctx: JobContext) -> None:
    while True:
        try:
            await asyncio.sleep(3600)  # virtual
        except asyncio.CancelledError:
            print("not now")


async def blocks_the_loop(ctx: JobContext) -> None:
    began = time.time()
    time.sleep(5)
    print(f"blocked for {time.time() - began:.0f} s")


async def recurses(ctx: JobContext) -> None:
    await recurses(ctx)


async def interrupts_itself(ctx: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGINT)


async def stops_the_loop(ctx: JobContext) -> None:
    asyncio.get_running_loop().stop()


async def cancels_everything(ctx: JobContext) -> None:
    for task in asyncio.all_tasks():
        task.cancel()


async def closes_everything(ctx: JobContext) -> None:
    os.closerange(3, 256)


async def meets_the_end(ctx: JobContext) -> None:
    while ctx.room.isconnected():
        await asyncio.sleep(0.5)
    raise ValueError("after the end")


FATES = {
    function.__name__.replace("_", " "): function
    for function in (
        lives,
        raises,
        raises_in_a_task,
        lacks_a_package,
        exits,
        exits_at_once,
        crashes,
        forks,
        forks_for_ever,
        prints,
        spins,
        spins_in_a_thread,
        sleeps_in_earnest,
        locks_itself,
        waits_for_a_thread,
        never_shuts_down,
        never_returns,
        blocks_the_loop,
        recurses,
        interrupts_itself,
        stops_the_loop,
        cancels_everything,
        closes_everything,
        meets_the_end,
    )
}

if __name__ == "__main__":
    cli.run_app(server)
