"""The build's worker while calls are placed to it: started by lkgate, or deployed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from lkgate.builds import identify
from lkgate.model.build import Build
from lkgate.model.bundle import BuildIdentity
from lkgate.record import server as livekit_server
from lkgate.record import worker as build_worker
from lkgate.record.credentials import URL, Credentials
from lkgate.record.server import Server
from lkgate.record.worker import Worker
from lkgate.rooms.options import RoomOptions


@dataclass(frozen=True, slots=True)
class Party:
    """A build, and the server where its agent is called."""

    build: Build
    identity: BuildIdentity
    credentials: Credentials
    server: Server


@dataclass(frozen=True, slots=True)
class Stand:
    """A party whose agent can be called now.

    Attributes:
        agent_name: under which it is dispatched; empty: it comes into every new room by itself.
        worker: ``None`` if it is deployed.
    """

    party: Party
    agent_name: str
    worker: Worker | None


@asynccontextmanager
async def party(build: Build, options: RoomOptions) -> AsyncIterator[Party]:
    """Find out what the build is, and that its server answers.

    Raises:
        BuildError, ConfigError, RecordError: it is not to be had, or the server is not.
    """
    environ = dict(options.environ)
    if build.url is not None:
        environ[URL] = build.url
    credentials = Credentials.read(environ, options.env_file)
    if build.url is not None:
        # An env file may name the server of everyday work.
        credentials = Credentials(build.url, credentials.key, credentials.secret)
    identity = await asyncio.to_thread(identify, build)
    async with livekit_server.connect(credentials) as server:
        yield Party(build, identity, credentials, server)


class Stands:
    """Starts and ends workers so that no two of lkgate's own run at a time.

    Two builds of one agent mostly have one name and one port, and the server sends a job to any
    worker of that name; and what stands idle would take time from the one that is called.
    """

    def __init__(self, options: RoomOptions) -> None:
        self._options = options
        self._stack = AsyncExitStack()
        self._now: Stand | None = None

    async def of(self, one: Party) -> Stand:
        """The party, ready to be called.

        Raises:
            BuildError: its worker does not start, or is not registered in time.
        """
        if self._now is not None and self._now.party is one:
            return self._now
        await self.aclose()
        if one.build.url is not None:
            self._now = Stand(one, one.build.agent_name or "", None)
            return self._now
        worker = await self._stack.enter_async_context(
            build_worker.start(
                one.build, one.credentials, environ=self._options.environ, cassette_dir=None
            )
        )
        name = await worker.registered(self._options.start_us, asyncio.Event())
        assert name is not None  # nobody sets that event
        self._now = Stand(one, name, worker)
        return self._now

    async def aclose(self) -> None:
        """End the worker that runs, if one does."""
        self._now = None
        await self._stack.aclose()
