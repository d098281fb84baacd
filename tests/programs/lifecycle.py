"""One program whose life is told by its argument, or by the name of the room."""

import asyncio
import os
import sys
import time

from livekit import api
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobRequest, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

how = sys.argv[1] if len(sys.argv) > 1 else ""
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
    if request.room.name == "reject":
        await request.reject()
    else:
        await request.accept(name="Ann", attributes={"desk": "7"})


@server.rtc_session(on_request=on_request)
async def answer(ctx: JobContext) -> None:
    fate = ctx.room.name
    if fate == "raise before connecting":
        raise KeyError("no such customer")
    session = AgentSession(
        stt=ScriptedSTT(["Hello there.", "More."]), llm=ScriptedLLM([]), tts=ScriptedTTS()
    )
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say("One moment.")
    if fate == "shut down":
        ctx.shutdown("all is said")
    elif fate == "delete the room":
        await ctx.delete_room()
    elif fate == "ask the server":
        try:
            await ctx.api.egress.list_egress(api.ListEgressRequest())
        except api.TwirpError as error:
            print("server said:", error.code, error.message)
        people = await ctx.api.room.list_participants(
            api.ListParticipantsRequest(room=ctx.room.name)
        )
        print("people:", sorted(person.identity for person in people.participants))
    elif fate == "never return":
        try:
            await asyncio.Event().wait()
        finally:
            print("entrypoint cancelled")
    elif fate == "fork":
        if os.fork() == 0:
            print("forked", flush=True)
            raise SystemExit(0)
        os.wait()


if __name__ == "__main__":
    cli.run_app(server)
