"""LiveKit's webhooks, as a hint that there is something to look at."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from livekit import api

from lkgate.errors import ConfigError
from lkgate.record.credentials import Credentials

# A room's event is some 2 kB.
_MAX_BYTES = 1 << 18
_EVENTS = {"room_started", "participant_joined"}


@asynccontextmanager
async def listen(
    host: str,
    port: int,
    credentials: Credentials,
    *,
    wake: asyncio.Event,
    on_refused: Callable[[str], None],
) -> AsyncIterator[None]:
    """Answer POST at any path, and ``GET /healthz``, while this lasts.

    Only what is signed with the key of ``credentials`` sets ``wake``. Nothing of what it says is
    used: what there is to record is asked of the server.

    Args:
        on_refused: called with the sender's address for each that is not.

    Raises:
        ConfigError: if the address cannot be listened on.
    """
    receiver = api.WebhookReceiver(api.TokenVerifier(credentials.key, credentials.secret))

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        token = request.headers.get("Authorization", "")
        try:
            event = receiver.receive(body.decode(), token)
        except Exception:  # noqa: BLE001 - livekit.api raises bare Exception for a wrong digest
            on_refused(request.remote or "")
            return web.Response(status=401, text="not signed with this recorder's key\n")
        if event.event in _EVENTS:
            wake.set()
        return web.Response(text="ok\n")

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=_MAX_BYTES)
    app.router.add_get("/healthz", health)
    app.router.add_post("/{path:.*}", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            # asyncio's own text has the address in it, and not the reason alone.
            number = error.errno
            reason = os.strerror(number) if number is not None and number > 0 else error.strerror
            raise ConfigError(
                f"cannot listen for webhooks: {reason}",
                where=f"{host}:{port}",
                next_step="Name a free port of this machine with --webhook-listen.",
            ) from None
        yield
    finally:
        await runner.cleanup()
