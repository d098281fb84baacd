"""What becomes of a dispatch, with real workers that are ill in one way each."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from livekit import api
from livekit.protocol.agent_dispatch import CreateAgentDispatchRequest

from lkgate.bundle import read
from lkgate.errors import RecordError
from lkgate.model.build import Build
from lkgate.record import RecordOptions, record_room, recover
from lkgate.record.worker import Worker, start
from tests.live.conftest import LiveServer, async_until, free_ports
from tests.live.people import Person

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
NAME = "faulty"


@dataclass
class Ward:
    """A worker, and rooms into which it is asked."""

    server: LiveServer
    worker: Worker
    url: str
    tmp_path: Path

    def ill(self, *symptoms: str) -> None:
        for symptom in ("cold", "full", "refuse"):
            (self.tmp_path / symptom).unlink(missing_ok=True)
        for symptom in symptoms:
            (self.tmp_path / symptom).touch()

    async def miss(self, wait_seconds: float, *, url: str | None = None) -> tuple[str, list[str]]:
        """Record a room into which the agent does not come in time: what is said of it.

        The error's text behind the room's name, and what each phase of the job says.
        """
        room = f"ward-{uuid.uuid4().hex[:8]}"
        credentials = self.server.credentials
        caller = Person(credentials, room, "ann", "standard", bursts=(0.5,))
        await caller.join()
        talk = asyncio.create_task(caller.talk(60))
        async with api.LiveKitAPI(credentials.url, credentials.key, credentials.secret) as client:
            await client.agent_dispatch.create_dispatch(
                CreateAgentDispatchRequest(agent_name=NAME, room=room)
            )
        out = self.tmp_path / room
        wait_us = round(wait_seconds * 1e6)
        try:
            with pytest.raises(RecordError) as caught:
                await record_room(
                    RecordOptions(room, out, credentials, wait_us=wait_us, worker_url=url)
                )
        finally:
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
            await caller.leave()
        start = f"no agent joined room {room!r} within {wait_seconds:g} s: "
        assert caught.value.what.startswith(start)
        recover(out.with_name(f"{room}.unfinished"))
        jobs = read(out).of_kind("lkgate.job")
        mine = [e.data for e in jobs if e.data.get("agent_name") != ""]
        return caught.value.what.removeprefix(start), [
            f"{data['phase']} {data.get('fault', '')}".strip() for data in mine
        ]


def build(tmp_path: Path, port: int) -> Build:
    env = {"FAULTY": str(tmp_path), "FAULTY_PORT": str(port)}
    return Build("faulty", Path(sys.executable), HERE / "faulty.py", None, (), HERE, env)


@asynccontextmanager
async def ward(server: LiveServer, tmp_path: Path) -> AsyncIterator[Ward]:
    (port,) = free_ports(1)
    async with start(
        build(tmp_path, port),
        server.credentials,
        environ=os.environ,
        cassette_dir=tmp_path / "parts",
    ) as worker:
        assert await worker.registered(60_000_000, asyncio.Event()) == NAME
        yield Ward(server, worker, f"http://127.0.0.1:{port}", tmp_path)


def test_each_fault_shows_as_what_it_is(live_server: LiveServer, tmp_path: Path) -> None:
    """A cold job, an overloaded and a refusing worker, a stale one, and none."""

    async def play() -> None:
        async with ward(live_server, tmp_path) as at:
            process = at.worker._process

            at.ill("cold")
            # The server tells of a job only 5 s after the first dispatch in a minute.
            what, phases = await at.miss(10, url=at.url)
            assert re.fullmatch(
                r"worker AW_\w+ took the job \d+\.\d s ago and its agent is still starting: a cold "
                r"start, or an entrypoint that does not connect \(cold_job\)",
                what,
            )
            assert phases == ["requested", "assigned", "fault cold_job"]

            at.ill("full")
            await async_until(lambda: at.worker.log.load is not None, 30)
            assert await at.miss(4, url=at.url) == (
                "the worker as 'faulty' is overloaded: its load is 1.00, and it takes no job at "
                "0.70 or more (overloaded_worker)",
                ["requested", "fault overloaded_worker"],
            )

            at.ill("refuse")
            await async_until(lambda: at.worker.log.load is None, 30)
            what, phases = await at.miss(4)
            assert re.fullmatch(r"worker AW_\w+ refused the job \(refused_job\)", what)
            assert phases == ["requested", "refused", "fault refused_job"]

            at.ill()
            os.kill(process.pid, signal.SIGSTOP)
            unknown, stale = await asyncio.gather(at.miss(4), at.miss(4, url=at.url))
            assert unknown == (
                "no worker took the job: none is registered as 'faulty', or each is full or does "
                "not answer; the server does not tell which (not_taken)",
                ["requested", "fault not_taken"],
            )
            assert stale == (
                "the worker as 'faulty' does not answer: the server has asked it in vain, for it "
                "is still registered (stale_worker)",
                ["requested", "fault stale_worker"],
            )

            os.kill(process.pid, signal.SIGKILL)
            await async_until(lambda: at.worker.exit_code is not None, 30)
            assert await at.miss(4, url=at.url) == (
                "no worker is registered as 'faulty': nothing listens where it was (no_worker)",
                ["requested", "fault no_worker"],
            )

    asyncio.run(asyncio.wait_for(play(), 170))


@pytest.mark.soak
def test_a_build_that_fails_at_the_entrance(live_server: LiveServer, tmp_path: Path) -> None:
    """The worker's own log tells why."""
    (tmp_path / "crash").touch()
    options = RecordOptions(
        f"ward-{uuid.uuid4().hex[:8]}",
        tmp_path / "call",
        live_server.credentials,
        build(tmp_path, 0),
        wait_us=15_000_000,
    )
    with pytest.raises(RecordError) as caught:
        asyncio.run(asyncio.wait_for(record_room(options), 80))
    assert caught.value.what.splitlines()[0].partition("within 15 s: ")[2] == (
        "its job ended before the agent joined: RuntimeError: no such tenant (failed_job)"
    )
    assert caught.value.next_step is not None and "entrypoint" in caught.value.next_step
