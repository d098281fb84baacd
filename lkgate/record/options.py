"""What to record, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lkgate.model.build import Build
from lkgate.record.consent import Attribute
from lkgate.record.credentials import Credentials

State = Literal[
    "waiting for the build's worker", "waiting for the room", "waiting for the agent", "recording"
]


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What to record and where to put it.

    Attributes:
        room: its name.
        out: the bundle's directory; must not exist yet. While recording, ``<out>.unfinished``.
        credentials: of the server.
        build: started and dispatched into the room, with its cassette recorded; ``None`` records
            whoever is there.
        caller: identity of the participant who is the caller; ``None``: the first who
            is heard and is no agent.
        topics: of text and byte streams to record besides LiveKit's own.
        wait_us: how long to wait for the room (without a build) or the build's worker, and then
            for an agent.
        duration_us: stop after this much; ``None``: when the room or the call ends.
        worker_url: where the agent's worker answers health checks, such as
            ``http://127.0.0.1:8081``. Only asked when there is no agent, to say why.
        rejoin_us: for how long to try to come back into the room after the connection was lost.
        consent: what everybody who speaks, but for agents, has to have for as long as the
            recording lasts (``caller`` alone, if there is one); ``None``: nothing.
        room_wait_us: how long to wait for the room; ``None``: as ``wait_us`` says.
    """

    room: str
    out: Path
    credentials: Credentials
    build: Build | None = None
    caller: str | None = None
    topics: tuple[str, ...] = ()
    wait_us: int = 60_000_000
    duration_us: int | None = None
    worker_url: str | None = None
    rejoin_us: int = 60_000_000
    consent: Attribute | None = None
    room_wait_us: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording is. ``bytes`` is what the journal holds on disk."""

    state: State
    elapsed_us: int
    tracks: int
    events: int
    bytes: int


OnProgress = Callable[[Progress], None]
OnWarning = Callable[[str], None]
