"""Parses its own arguments and reads a file of variables beside it."""

import argparse
import os
import sys
from pathlib import Path

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

parser = argparse.ArgumentParser()
parser.add_argument("--persona", required=True)
arguments = parser.parse_args()
for line in (Path(__file__).parent / "own_arguments.env").read_text().splitlines():
    name, _, value = line.partition("=")
    os.environ.setdefault(name, value)

server = AgentServer()


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    await session.say(f"I am {arguments.persona} of {os.environ['CLINIC_NAME']}.")


if __name__ == "__main__":
    assert sys.argv[1:] == ["--persona", arguments.persona]
    assert Path(sys.path[0]) == Path(__file__).resolve().parent
    assert sys.modules["__main__"].__file__ == __file__
    cli.run_app(server)
