"""Serves the demo's models as OpenAI's API does: ``python -m tests.live.agents.serve [PORT]``.

Listens on loopback alone. Prints the base URL for ``OPENAI_BASE_URL`` once it answers.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from tests.live.agents import models, realtime, rest


async def serve(port: int) -> None:
    app = web.Application(client_max_size=64 * 1024**2)
    app.add_routes([*rest.routes(), web.get("/v1/realtime", realtime.connect)])
    await asyncio.to_thread(models.load)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    _, bound = runner.addresses[0]
    print(f"http://127.0.0.1:{bound}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
