"""What a worker's health check tells, and what its silence does."""

from __future__ import annotations

import asyncio

from aiohttp import web

from lkgate.record.health import ask_worker
from lkgate.record.job import WorkerFacts
from tests.live.conftest import free_ports


def ask(status: int, worker: str | None) -> WorkerFacts:
    """Of a server that answers its health check with ``status``."""

    async def play() -> WorkerFacts:
        async def health(_: web.Request) -> web.Response:
            return web.Response(status=status)

        async def told(_: web.Request) -> web.Response:
            return web.Response(text=worker, status=404 if worker is None else 200)

        app = web.Application()
        app.add_routes([web.get("/", health), web.get("/worker", told)])
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return await ask_worker(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        finally:
            await runner.cleanup()

    return asyncio.run(play())


def test_it_tells() -> None:
    well = ask(200, '{"agent_name": "clinic", "worker_load": 0.25, "active_jobs": 1}')
    assert well == WorkerFacts(
        reachable=True, answers=True, registered=True, agent_name="clinic", load=0.25
    )
    # JSON of a protocol buffer leaves out what is empty or 0.
    idle = ask(503, '{"sdk_version": "1.8.9"}')
    assert idle == WorkerFacts(
        reachable=True, answers=True, registered=False, agent_name="", load=0.0
    )


def test_a_program_that_is_no_worker_tells_nothing_of_one() -> None:
    for page in (None, "<html>", "[1]"):
        assert ask(200, page) == WorkerFacts(reachable=True, answers=True, registered=True)


def test_nobody_listens() -> None:
    (port,) = free_ports(1)
    assert asyncio.run(ask_worker(f"http://127.0.0.1:{port}")) == WorkerFacts(reachable=False)


def test_it_does_not_answer() -> None:
    async def play() -> WorkerFacts:
        done = asyncio.Event()

        async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await done.wait()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            return await ask_worker(f"http://127.0.0.1:{port}", seconds=0.1)
        finally:
            done.set()
            server.close()

    assert asyncio.run(play()) == WorkerFacts(reachable=True)
