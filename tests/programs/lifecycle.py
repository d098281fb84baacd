"""One program whose end is told by its argument."""

import asyncio
import os
import sys
import time

from livekit import api
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobRequest, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

how = sys.argv[1]
if how == "exit at import":
    sys.exit("no licence")
if how == "raise at import":
    raise ValueError("the settings are wrong")
if how == "import":
    import a_package_that_nobody_has  # noqa: F401
if how == "crash at import":
    os.kill(os.getpid(), 11)
if how == "thread at import":
    import threading

    # A real thread, as a library's own would be: nothing of Python's could stop it.
    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()

server = AgentServer()


def prewarm(proc: object) -> None:
    if how == "raise in prewarm":
        raise RuntimeError("no weights")


server.setup_fnc = prewarm


async def on_request(request: JobRequest) -> None:
    if how == "reject":
        await request.reject()
    else:
        await request.accept(name="Ann", attributes={"desk": "7"})


@server.rtc_session(on_request=on_request)
async def answer(ctx: JobContext) -> None:
    if how == "raise before connecting":
        raise KeyError("no such customer")
    session = AgentSession(
        stt=ScriptedSTT(["Hello there.", "More."]), llm=ScriptedLLM([]), tts=ScriptedTTS()
    )
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say("One moment.")
    if how == "raise":
        await asyncio.sleep(1)
        raise LookupError("no such customer")
    if how == "shut down":
        ctx.shutdown("all is said")
    elif how == "delete the room":
        await ctx.delete_room()
    elif how == "ask the server":
        try:
            await ctx.api.egress.list_egress(api.ListEgressRequest())
        except api.TwirpError as error:
            print("server said:", error.code, error.message)
        people = await ctx.api.room.list_participants(
            api.ListParticipantsRequest(room=ctx.room.name)
        )
        print("people:", sorted(person.identity for person in people.participants))
    elif how == "never return":
        try:
            await asyncio.Event().wait()
        finally:
            print("entrypoint cancelled")
    elif how == "print":
        for _ in range(20_000):
            print("x" * 1023)
    elif how == "busy":
        while True:
            pass
    elif how == "segfault":
        os.kill(os.getpid(), 11)
    elif how == "exit":
        os._exit(7)
    elif how == "sys.exit":
        sys.exit(3)
    elif how == "fork":
        if os.fork() == 0:
            print("forked", flush=True)
            raise SystemExit(0)
        os.wait()
    elif how == "spin":
        while True:
            await asyncio.sleep(1)
            ctx.room.local_participant.identity  # noqa: B018


if __name__ == "__main__":
    cli.run_app(server)
