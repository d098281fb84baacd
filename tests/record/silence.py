"""A server that takes connections and never says a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lkgate.record import Credentials


@asynccontextmanager
async def silent_server() -> AsyncIterator[Credentials]:
    """Its address, with a key."""
    taken: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield Credentials(f"ws://127.0.0.1:{port}", "key", "s" * 40)
    finally:
        server.close()
        for writer in taken:
            writer.close()
