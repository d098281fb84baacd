"""What goes wrong while a room is recorded, against a real server: nothing before it is lost."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import urlsplit

import pytest
from livekit import api, rtc
from livekit.protocol.agent_dispatch import CreateAgentDispatchRequest
from livekit.protocol.room import DeleteRoomRequest
from typing_extensions import Buffer

from lkgate.bundle import Journal, verify
from lkgate.capture import RoomCapture
from lkgate.errors import RecordError
from lkgate.model.build import Build
from lkgate.model.bundle import Bundle
from lkgate.record import Credentials, Progress, RecordOptions, record_room, recover
from lkgate.record import recording as live_recording
from lkgate.record import server as livekit_server
from lkgate.record.clock import SYSTEM, Clock
from lkgate.record.connection import Connection
from lkgate.record.server import Server
from lkgate.record.worker import start
from tests.live.conftest import LiveServer, async_until, running
from tests.live.people import BURST_SECONDS, Person
from tests.live.proxy import Proxy
from tests.live.test_record import onsets_us

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
SERVER_LEAVE = rtc.SimulateScenarioKind.SIMULATE_SERVER_LEAVE
BACK = ("reconnected", "lkgate.rejoined")
CUTS = ("reconnecting", "disconnected", *BACK)
# How far a burst may lie from where it was sounded.
NEAR_US = 300_000
STALL_US = 150_000
BURST_US = round(BURST_SECONDS * 1_000_000)


@pytest.fixture
def room() -> str:
    return f"ward-{uuid.uuid4().hex[:8]}"


@dataclass
class Call:
    """Two people who sound a tone by turns every second, and their recording."""

    credentials: Credentials
    room: str
    out: Path
    rejoin_us: int = 60_000_000
    warnings: list[str] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    agent: Person = field(init=False)
    caller: Person = field(init=False)
    talks: list[asyncio.Task[None]] = field(default_factory=list)
    # When this process, in which all of them live, was stood still: unix microseconds.
    stalls: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        every = tuple(float(second) for second in range(1, 60, 2))
        self.agent = Person(self.credentials, self.room, "bot", "agent", bursts=every)
        late = tuple(second + 1 for second in every)
        self.caller = Person(self.credentials, self.room, "ann", "standard", bursts=late)

    async def come(self) -> None:
        for person in (self.agent, self.caller):
            await person.join()
            self.talks.append(asyncio.create_task(person.talk(60)))

    def together(self) -> bool:
        """Whether they see each other."""
        rooms = (self.agent.room, self.caller.room)
        return all(room is not None and room.remote_participants for room in rooms)

    def audible(self) -> bool:
        """Whether the recorder has audio of both."""
        journal = self.out.with_name(f"{self.out.name}.unfinished") / "journal"
        files = [journal / f"{role}.pcm" for role in ("agent", "caller")]
        return all(file.exists() and file.stat().st_size > 0 for file in files)

    async def watch(self) -> None:
        while True:
            before = now_us()
            await asyncio.sleep(0.02)
            if now_us() - before > STALL_US:
                self.stalls.append((before, now_us()))

    def stalled(self, near_us: int) -> bool:
        """Whether nobody here could sound or hear anything in its time then."""
        return any(a - 1_000_000 < near_us < b + 1_000_000 for a, b in self.stalls)

    async def go(self) -> None:
        for talk in self.talks:
            talk.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)
        for person in (self.agent, self.caller):
            await person.leave()
        self.talks = []

    async def play(
        self,
        trouble: Callable[[asyncio.Event], Awaitable[None]],
        *,
        recorded_at: str | None = None,
        clock: Clock = SYSTEM,
    ) -> Bundle:
        """The bundle of the call, with 5 s of both people before ``trouble``, which ends it."""
        stop = asyncio.Event()
        await self.come()
        url = recorded_at or self.credentials.url
        options = RecordOptions(
            self.room,
            self.out,
            Credentials(url, self.credentials.key, self.credentials.secret),
            rejoin_us=self.rejoin_us,
        )
        watching = asyncio.create_task(self.watch())
        recording = asyncio.create_task(
            record_room(
                options,
                on_warning=self.warnings.append,
                stop=stop,
                clock=clock,
            )
        )
        try:
            await async_until(lambda: recording.done() or self.audible(), 40)
            await asyncio.sleep(5)
            await trouble(stop)
            await asyncio.wait_for(recording, 30)
        finally:
            watching.cancel()
            recording.cancel()
            await self.go()
            await asyncio.gather(recording, return_exceptions=True)
        return verify(self.out)


def heard(bundle: Bundle, out: Path, role: str) -> list[int]:
    """Unix time in microseconds of the beginning of each burst in the bundle."""
    (track,) = bundle.tracks("agent" if role == "agent" else "caller")
    started_us = bundle.manifest.started_at_unix_us
    assert started_us is not None
    return [started_us + at for at in onsets_us(out, track)]


def back(call: Call) -> bool:
    """Whether the recorder has written that it is in the room again."""
    events = call.out.with_name(f"{call.out.name}.unfinished") / "journal" / "events.jsonl"
    written = events.read_text().splitlines(keepends=True)
    kinds = {json.loads(line)["kind"] for line in written if line.endswith("\n")}
    return bool(kinds & set(BACK))


def kinds(bundle: Bundle, *wanted: str) -> list[str]:
    return [event.kind for event in bundle.events if event.kind in wanted]


def ending(bundle: Bundle) -> object:
    (event,) = bundle.of_kind("lkgate.recording_ended")
    return event.data["reason"]


def assert_in_place(
    call: Call, bundle: Bundle, cut_us: int, back_us: int, *, gap: bool = True
) -> None:
    """Every burst before the cut, and some after it, is where it was sounded; between is a gap."""
    started_us = bundle.manifest.started_at_unix_us
    assert started_us is not None
    for role, person in (("agent", call.agent), ("caller", call.caller)):
        sent = [ns // 1_000 for ns in person.onsets]
        at = heard(bundle, call.out, role)
        back = [started_us + end_us for _, end_us in gaps(bundle, "reconnection", role)]
        # It may come back in the middle of a burst.
        broken = {next((one for one in at if one > end_us), None) for end_us in back}
        # The recorder came while they were talking already, and while this machine was busiest.
        settled_us = started_us + 3_000_000
        for each in at:
            # Nor does it know, in the first second of a stream, how long the jitter buffer is.
            anew = any(abs(each - end_us) < 1_500_000 for end_us in back)
            if each < settled_us or anew or call.stalled(each):
                continue
            late = BURST_US if each in broken else 0
            assert any(-NEAR_US < each - one < late + NEAR_US for one in sent), (role, at, sent)
        for each in sent:
            if settled_us < each < cut_us - 700_000 and not call.stalled(each):
                assert min(abs(each - one) for one in at) < NEAR_US, (role, at, sent)
        assert [each for each in at if each > back_us], (role, at, back_us)
        assert bool(gaps(bundle, "reconnection", role)) == gap


def now_us() -> int:
    return time.time_ns() // 1_000


def gaps(bundle: Bundle, cause: str, track: str) -> list[tuple[int, int]]:
    """Session time of the beginning and end of each gap of a track that has this cause."""
    return [
        (int(str(event.data["start_us"])), int(str(event.data["end_us"])))
        for event in bundle.of_kind("lkgate.gap")
        if event.data["cause"] == cause and event.data["track"] == track
    ]


def test_server_killed_and_started_again(tmp_path: Path, room: str) -> None:
    """rtc itself comes back, to one bundle."""
    with running(tmp_path) as server:
        call = Call(server.live.credentials, room, tmp_path / "call")
        killed: list[int] = []

        async def trouble(stop: asyncio.Event) -> None:
            killed.append(now_us())
            server.kill()
            await asyncio.sleep(1)
            await asyncio.to_thread(server.start)
            await async_until(call.together, 40)
            await async_until(lambda: back(call), 40)
            await asyncio.sleep(4)
            stop.set()

        bundle = asyncio.run(asyncio.wait_for(call.play(trouble), 110))
    # On a busy machine more than once.
    cuts = kinds(bundle, *CUTS)
    assert cuts[0] == "reconnecting" and cuts[-1] in BACK
    assert ending(bundle) == "stopped"
    assert_in_place(call, bundle, killed[0], killed[0] + 1_000_000)
    assert call.warnings == []


@pytest.mark.soak
def test_server_away_for_longer_than_rtc_tries(tmp_path: Path, room: str) -> None:
    """Everybody has given up and joins again, and so does the recorder, to one bundle."""
    with running(tmp_path) as server:
        call = Call(server.live.credentials, room, tmp_path / "call")
        away: list[int] = []

        async def trouble(stop: asyncio.Event) -> None:
            away.append(now_us())
            server.kill()
            await call.go()
            await asyncio.sleep(27)
            await asyncio.to_thread(server.start)
            away.append(now_us())
            await call.come()
            await async_until(lambda: back(call), 30)
            await asyncio.sleep(5)
            stop.set()

        bundle = asyncio.run(asyncio.wait_for(call.play(trouble), 110))
    assert kinds(bundle, *CUTS) == ["reconnecting", "disconnected", "lkgate.rejoined"]
    assert ending(bundle) == "stopped"
    assert_in_place(call, bundle, *away)
    assert call.warnings == []


def test_server_that_stays_away(tmp_path: Path, room: str) -> None:
    with running(tmp_path) as server:
        call = Call(server.live.credentials, room, tmp_path / "call", rejoin_us=3_000_000)

        async def trouble(stop: asyncio.Event) -> None:
            await asyncio.to_thread(server.shut_down)

        bundle = asyncio.run(asyncio.wait_for(call.play(trouble), 60))
    assert ending(bundle) == "connection_lost"
    assert call.warnings == ["the connection to the server was lost and did not come back"]
    for role in ("agent", "caller"):
        assert heard(bundle, call.out, role)


@dataclass
class Troubles:
    """Calls at once on one server, each with a trouble of its own."""

    deleted: Call
    stepped: Call
    cut: Call
    left: Call
    full: Call
    bundles: dict[str, Bundle] = field(default_factory=dict)
    refused: RecordError | None = None
    left_us: int = 0
    once_more: Callable[[], Troubles] | None = None

    def hold(self, what: Callable[[Troubles], None]) -> None:
        """Check it, and where it does not hold, in the same troubles once more.

        Ten people and five recorders live in this one process: it can be too much for the machine
        it runs on. A fault of the recorder is there again.
        """
        try:
            what(self)
        except AssertionError:
            if self.once_more is None:
                raise
            what(self.once_more())


@pytest.fixture(scope="module")
def troubles(
    live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Troubles]:
    def played() -> Troubles:
        directory = tmp_path_factory.mktemp("troubles")

        def call(name: str) -> Call:
            return Call(live_server.credentials, f"{name}-{uuid.uuid4().hex[:8]}", directory / name)

        at = Troubles(call("deleted"), call("stepped"), call("cut"), call("left"), call("full"))
        # What thousands of tests left behind is not looked through while people speak.
        gc.collect()
        gc.freeze()
        try:
            asyncio.run(asyncio.wait_for(_all_troubles(at, live_server.credentials), 110))
        finally:
            gc.unfreeze()
        return at

    at = played()
    at.once_more = cache(played)
    yield at


async def _all_troubles(at: Troubles, credentials: Credentials) -> None:
    Disk.left = 10**12
    wall = Wall()
    proxy = Proxy(urlsplit(credentials.url).port or 0)
    await proxy.start()

    async def delete(stop: asyncio.Event) -> None:
        async with api.LiveKitAPI(credentials.url, credentials.key, credentials.secret) as client:
            await client.room.delete_room(DeleteRoomRequest(room=at.deleted.room))

    async def step(stop: asyncio.Event) -> None:
        wall.ahead_ns = 3_600 * 10**9
        await asyncio.sleep(4)
        stop.set()

    async def cut(stop: asyncio.Event) -> None:
        await asyncio.sleep(3.5)
        proxy.cut()
        await async_until(lambda: back(at.cut), 40)
        await asyncio.sleep(3)
        stop.set()

    async def leave(stop: asyncio.Event) -> None:
        (connection,) = (each for each in Watched.all if each.name == at.left.room)
        at.left_us = now_us()
        await connection.room.simulate_scenario(SERVER_LEAVE)
        await async_until(lambda: back(at.left), 40)
        await asyncio.sleep(4)
        stop.set()

    async def full(stop: asyncio.Event) -> None:
        Disk.left = 60_000

    with pytest.MonkeyPatch.context() as patch:
        connect = livekit_server.connect

        def soon_too_old(to: Credentials) -> AbstractAsyncContextManager[Server]:
            """A server takes a token for a minute longer: this one for 5 s more."""
            through = to.url == proxy.url
            life = timedelta(seconds=-55) if through else livekit_server.TOKEN_LIFE
            return connect(to, token_life=life)

        patch.setattr(livekit_server, "connect", soon_too_old)
        patch.setattr(live_recording, "Connection", Watched)
        patch.setattr(Journal, "_open", Disk.open_for(at.full.out))
        plays = {
            "deleted": at.deleted.play(delete),
            "stepped": at.stepped.play(step, clock=Clock(wall_ns=wall)),
            "cut": at.cut.play(cut, recorded_at=proxy.url),
            "left": at.left.play(leave),
        }
        *bundles, refused = await asyncio.gather(
            *plays.values(), at.full.play(full), return_exceptions=True
        )
    await proxy.aclose()
    for name, bundle in zip(plays, bundles, strict=True):
        if isinstance(bundle, BaseException):
            raise bundle
        at.bundles[name] = bundle
    assert isinstance(refused, RecordError), refused
    at.refused = refused


@dataclass
class Wall:
    """A wall clock that can be set."""

    ahead_ns: int = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns


class Watched(Connection):
    """A connection that a test can get at."""

    all: ClassVar[list[Watched]] = []

    def __init__(
        self, room: rtc.Room, name: str, capture: RoomCapture, *, now_us: Callable[[], int]
    ):
        super().__init__(room, name, capture, now_us=now_us)
        self.name = name
        Watched.all.append(self)


class Disk(io.FileIO):
    """Files of one recording on a disk that has ``left`` bytes, all together."""

    left = 10**12

    def write(self, data: Buffer) -> int:
        whole = memoryview(data).cast("B")
        if Disk.left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = whole[: Disk.left]
        Disk.left -= len(part)
        return super().write(part)

    @staticmethod
    def open_for(out: Path) -> Callable[[Journal, str], BinaryIO]:
        before = Journal._open

        def opened(journal: Journal, name: str) -> BinaryIO:
            path = journal._root / name
            if not path.is_relative_to(out.with_name(out.name + ".unfinished")):
                return before(journal, name)
            return io.BufferedWriter(Disk(path, "x"), 1 << 16)

        return opened


def test_room_deleted(troubles: Troubles) -> None:
    def held(at: Troubles) -> None:
        bundle = at.bundles["deleted"]
        (event,) = bundle.of_kind("disconnected")
        assert event.data == {"reason": "room_deleted"}
        assert ending(bundle) == "room_ended"
        for role in ("agent", "caller"):
            assert heard(bundle, at.deleted.out, role)

    troubles.hold(held)


def test_clock_stepped(troubles: Troubles) -> None:
    """Session time goes on; the step is an event."""

    def held(at: Troubles) -> None:
        bundle = at.bundles["stepped"]
        (event,) = bundle.of_kind("lkgate.clock_stepped")
        by_us = event.data["by_us"]
        assert isinstance(by_us, int) and abs(by_us - 3_600_000_000) < 500_000
        assert bundle.manifest.duration_us < 60_000_000
        assert_in_place(at.stepped, bundle, event.t_us, 0, gap=False)

    troubles.hold(held)


def test_signalling_cut_with_a_token_that_has_expired(troubles: Troubles) -> None:
    """The server gave rtc a new one. Audio has a connection of its own, and nothing is lost."""

    def held(at: Troubles) -> None:
        bundle = at.bundles["cut"]
        cuts = kinds(bundle, *CUTS)
        assert cuts[0] == "reconnecting" and cuts[-1] in BACK
        assert ending(bundle) == "stopped"
        for role, person in (("agent", at.cut.agent), ("caller", at.cut.caller)):
            assert len(heard(bundle, at.cut.out, role)) >= len(person.onsets) - 3
            missing = gaps(bundle, "reconnection", role)
            assert sum(end_us - start_us for start_us, end_us in missing) < 2_000_000

    troubles.hold(held)


def test_server_that_sends_everybody_away(troubles: Troubles) -> None:
    """As one that is shut down: rtc gives up at once, and lkgate comes back by itself."""

    def held(at: Troubles) -> None:
        bundle = at.bundles["left"]
        cuts = kinds(bundle, *CUTS)
        assert cuts[:2] == ["disconnected", "lkgate.rejoined"] and cuts[-1] in BACK
        event, *_ = bundle.of_kind("disconnected")
        assert event.data == {"reason": "server_shutdown"}
        assert ending(bundle) == "stopped"
        assert_in_place(at.left, bundle, at.left_us, at.left_us)
        # What it finds there is recorded as at the beginning.
        came = [e for e in bundle.of_kind("participant_connected") if e.t_us > event.t_us]
        assert {e.data["identity"] for e in came} == {"ann", "bot"}
        assert all(e.data["present"] is True for e in came)

    troubles.hold(held)


def test_disk_full(troubles: Troubles) -> None:
    error, out = troubles.refused, troubles.full.out
    left = out.with_name("full.unfinished")
    assert str(error) == (
        f"{left}: the recording could not be written: No space left on device\n"
        f"  Make room on the disk, then run 'lkgate recover {left}': what was written until then "
        "is there."
    )
    recover(left)
    bundle = verify(out)
    for role in ("agent", "caller"):
        assert len(heard(bundle, out, role)) >= 1
    assert "end" in bundle.manifest.absent


def test_token_that_is_too_old(
    live_server: LiveServer, tmp_path: Path, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = partial(livekit_server.connect, token_life=timedelta(hours=-1))
    monkeypatch.setattr(livekit_server, "connect", connect)
    ann = Person(live_server.credentials, room, "ann", "standard")

    async def play() -> None:
        await ann.join()
        try:
            await record_room(RecordOptions(room, tmp_path / "call", live_server.credentials))
        finally:
            await ann.leave()

    with pytest.raises(RecordError) as caught:
        asyncio.run(asyncio.wait_for(play(), 60))
    assert str(caught.value) == (
        f"{live_server.credentials.url}: could not join room {room!r}: by the server's clock, "
        "lkgate's token has expired\n"
        "  Set this machine's clock."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak  # the server gives its agent 20 s to come back
def test_worker_killed(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    """Its agent is gone, which is an event of the job; the call goes on and is recorded."""
    credentials = live_server.credentials
    ann = Person(credentials, room, "ann", "standard", bursts=(1.0, 3.0, 5.0, 7.0, 9.0, 11.0))
    name = f"greeter-{room}"
    build = Build(
        "greeter", Path(sys.executable), HERE / "greeter.py", None, (), HERE, {"GREETER_NAME": name}
    )
    states: list[Progress] = []

    async def play() -> None:
        stop = asyncio.Event()
        async with start(
            build, credentials, environ=os.environ, cassette_dir=tmp_path / "parts"
        ) as worker:
            await worker.registered(60_000_000, stop)
            await ann.join()
            talk = asyncio.create_task(ann.talk(60))
            recording = asyncio.create_task(
                record_room(
                    RecordOptions(room, tmp_path / "call", credentials),
                    on_progress=states.append,
                    stop=stop,
                )
            )
            async with api.LiveKitAPI(
                credentials.url, credentials.key, credentials.secret
            ) as client:
                await client.agent_dispatch.create_dispatch(
                    CreateAgentDispatchRequest(agent_name=name, room=room)
                )
            await async_until(lambda: bool(states) and states[-1].tracks >= 2, 30)
            await asyncio.sleep(5)
            os.killpg(worker._process.pid, signal.SIGKILL)
            await async_until(lambda: ann.room is None or not ann.room.remote_participants, 30)
            await asyncio.sleep(2)
            stop.set()
            await recording
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
            await ann.leave()

    asyncio.run(asyncio.wait_for(play(), 100))
    bundle = verify(tmp_path / "call")
    jobs = [e for e in bundle.of_kind("lkgate.job") if e.data.get("agent_name") != ""]
    assert [e.data["phase"] for e in jobs] == [
        "requested",
        "joined",
        "first_audio",
        "assigned",
        "ended",
    ]
    over = jobs[-1]
    assert over.data["job_id"] == jobs[3].data["job_id"]
    assert (over.data["status"], over.data["error"]) == (None, None)
    assert ending(bundle) == "stopped"
    assert bundle.tracks("caller")[0].span.end_us > over.t_us + 1_000_000
