"""Recording and replaying in virtual time, in the test's own process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lkgate.cassette import Cassette, Miss, Part, merge
from lkgate.harness import tape
from lkgate.harness.tape import deck
from lkgate.harness.tape.recorder import Recorder
from lkgate.harness.time import Clock, run
from lkgate.harness.time.clock import START_NS
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan

T = TypeVar("T")
Main = Callable[[], Coroutine[Any, Any, T]]


@dataclass
class Stage:
    """One virtual clock after another; what was noted and missed in the last replay."""

    directory: Path
    clock: Clock = field(default_factory=lambda: Clock(started_at_unix_us=0))
    notes: list[Mapping[str, Json]] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)

    def now_us(self) -> int:
        return (self.clock.peek() - START_NS) // 1_000

    @property
    def cassette(self) -> Path:
        return self.directory / "cassette"

    def play(self, main: Main[T]) -> T:
        """Run it from time 0, an hour at most."""
        self.clock.set(0)
        return run(main, clock=self.clock, horizon_us=3_600_000_000)

    def record(self, main: Main[T], *, into: Path | None = None) -> T:
        """Run it with the program's own models, and make a cassette of what they said."""
        tape.install_seams()
        parts = self.directory / "parts"
        deck.insert(Recorder(Part(parts, lambda: None), self.now_us))
        try:
            result = self.play(main)
        finally:
            tape.reset()
        merge(parts, into or self.cassette, started_at_unix_us=0, room=None)
        for part in parts.glob("*.jsonl"):
            part.unlink()
        return result

    def replay(
        self,
        main: Main[T],
        *,
        mode: tape.Mode = "cassette",
        tools: Mapping[str, Json] | None = None,
        plan: CallerPlan | None = None,
        placed: Callable[[int], int | None] = lambda _: None,
        on_miss: Mapping[str, tape.Policy] | None = None,
    ) -> T:
        """Run it with answers from the cassette."""
        self.notes.clear()
        self.misses.clear()
        tape.install_replay(
            cassette_dir=self.cassette,
            new_dir=self.directory / "new",
            mode=mode,
            tools=tools or {"default": "error", "by_name": {}},
            plan=plan,
            placed=placed,
            now_us=self.now_us,
            note=lambda kind, data: self.notes.append({"kind": kind, **data}),
            on_miss=self.misses.append,
            policies=on_miss,
        )
        try:
            return self.play(main)
        finally:
            tape.reset()

    def recorded(self) -> Cassette:
        return Cassette.open(self.cassette)


@contextmanager
def timed(stage: Stage, into: list[tuple[int, Any]]) -> Iterator[Callable[[Any], None]]:
    """Collects values with the millisecond at which they came."""
    yield lambda value: into.append((round(stage.now_us() / 1_000), value))
