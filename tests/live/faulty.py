"""A worker that is as ill as the files in ``$FAULTY`` say: run with ``start``.

``full``: its load is 1. ``cold``: a job's process needs seconds to start. ``crash``: its entrypoint
raises. ``refuse``: it takes no job.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from livekit.agents import AgentServer, JobContext, JobProcess, JobRequest, cli

COLD_SECONDS = 16.0
_SYMPTOMS = Path(os.environ["FAULTY"])


def ill(symptom: str) -> bool:
    return (_SYMPTOMS / symptom).exists()


def prewarm(_: JobProcess) -> None:
    if ill("cold"):
        time.sleep(COLD_SECONDS)


def load() -> float:
    return 1.0 if ill("full") else 0.1


async def request(asked: JobRequest) -> None:
    if ill("refuse"):
        await asked.reject()
    else:
        await asked.accept()


server = AgentServer(
    port=int(os.environ["FAULTY_PORT"]),
    num_idle_processes=0,
    load_fnc=load,
    setup_fnc=prewarm,
    initialize_process_timeout=4 * COLD_SECONDS,
)


@server.rtc_session(agent_name="faulty", on_request=request)
async def entrypoint(ctx: JobContext) -> None:
    if ill("crash"):
        raise RuntimeError("no such tenant")
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
