"""How calls are placed over rooms, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lkgate.config import Config
from lkgate.model.plan import Pacing


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """How calls are placed.

    Attributes:
        state: the project's ``.lkgate`` directory: replays go to ``rooms/<build>/<call>``.
        environ: where the server and its key are read from.
        env_file: wins over ``environ``.
        repeats: times that each call is placed to each build.
        concurrency: calls at once, at most; fewer where this machine cannot keep time.
        wait_us: for an agent to come into the room after it was dispatched.
        start_us: for a build's worker to be registered at the server.
        pacing, patience_us: of the caller, as in a virtual replay.
    """

    state: Path
    environ: Mapping[str, str] = field(repr=False)
    env_file: Path | None = None
    repeats: int = 3
    concurrency: int = 1
    wait_us: int = 20_000_000
    start_us: int = 60_000_000
    pacing: Pacing = "anchored"
    patience_us: int = 20_000_000

    @classmethod
    def of(cls, config: Config, environ: Mapping[str, str]) -> RoomOptions:
        """What the project's settings say."""
        settings = config.replay
        return cls(
            state=config.root / ".lkgate",
            environ=environ,
            start_us=round(settings.load_limit_s * 1_000_000),
            pacing=settings.pacing,
            patience_us=round(settings.patience_s * 1_000_000),
        )


@dataclass(frozen=True, slots=True)
class RoomProgress:
    """What has just happened: ``text`` is one line for a person; ``ended`` takes of ``all``."""

    text: str
    ended: int
    all: int


OnProgress = Callable[[RoomProgress], None]
