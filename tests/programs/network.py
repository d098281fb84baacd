"""Asks for the world outside, in the way that the room's name says."""

import asyncio
import contextlib
import functools
import socket
import urllib.request

import aiohttp
from livekit.agents import AgentServer, JobContext, JobProcess, cli, utils

server = AgentServer()


def prewarm(process: JobProcess) -> None:
    with contextlib.suppress(OSError):
        socket.create_connection(("hub.example.com", 443))


server.setup_fnc = prewarm


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    await ctx.connect()
    try:
        await WAYS[ctx.room.name]()
    except aiohttp.ClientError as error:
        print("went on after", type(error).__name__)
    await ctx.wait_for_participant()


async def asks_with_aiohttp() -> None:
    async with aiohttp.ClientSession() as session:
        await session.get("https://crm.example.com/customers/7")


async def asks_with_livekits_session() -> None:
    await utils.http_context.http_session().get("http://192.0.2.7:8080/health")


async def asks_in_a_thread() -> None:
    await asyncio.to_thread(urllib.request.urlopen, "https://crm.example.com/customers/7")


async def a_library_asks() -> None:
    await asyncio.sleep(0)
    connect = functools.partial(socket.create_connection, ("192.0.2.9", 4317))
    asyncio.get_running_loop().call_soon(connect)


async def asks_for_a_name() -> None:
    await asyncio.get_running_loop().getaddrinfo("db.example.com", 5432)


WAYS = {
    function.__name__.replace("_", " "): function
    for function in (
        asks_with_aiohttp,
        asks_with_livekits_session,
        asks_in_a_thread,
        asks_for_a_name,
        a_library_asks,
    )
}

if __name__ == "__main__":
    cli.run_app(server)
