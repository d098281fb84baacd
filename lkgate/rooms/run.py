"""The use case: recordings replayed over rooms, in turn with the build that they are held to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import read_pcm
from lkgate.errors import LkgateError
from lkgate.model.build import Build
from lkgate.replay.plan import caller_track, plan_from
from lkgate.replay.recordings import Recording
from lkgate.replay.work import work_directory
from lkgate.rooms.caller import person_of
from lkgate.rooms.keep import keep
from lkgate.rooms.options import OnProgress, RoomOptions, RoomProgress
from lkgate.rooms.outcome import Played, RoomSet, Take
from lkgate.rooms.pulse import Pace
from lkgate.rooms.stand import Party, Stand, Stands, party
from lkgate.rooms.take import Part, Shot, develop, shoot


async def replay_in_rooms(
    recordings: Sequence[Recording],
    build: Build,
    options: RoomOptions,
    *,
    interleave: Build | None = None,
    on_progress: OnProgress = lambda _: None,
) -> RoomSet:
    """Place every call ``options.repeats`` times to ``build``, and as often to ``interleave``.

    The two take turns, in the order A B, B A, A B: what changes slowly on the machine or the
    network meets both alike. All repeats are kept; none is chosen. A take in which this machine
    did not keep time is thrown away and placed once more, alone; if that one is late too, it
    stays, marked as late.

    Whatever ends it before, the repeats that both builds had by then are kept on disk.

    Raises:
        BuildError, ConfigError, RecordError: a build or its server is not to be had.
        ReplayError: no agent took a call; it says why, and where the repeats before it are.
    """
    parts = [await asyncio.to_thread(_part, recording, options) for recording in recordings]
    turns = [_Turn(part, n + 1) for n in range(options.repeats) for part in parts]
    async with AsyncExitStack() as stack:
        candidate = await stack.enter_async_context(party(build, options))
        baseline = (
            await stack.enter_async_context(party(interleave, options))
            if interleave is not None
            else None
        )
        work = Path(stack.enter_context(work_directory(options.state, build.name)))
        stands = Stands(options)
        stack.push_async_callback(stands.aclose)
        run = _Run(options, work, stands, on_progress, len(turns) * (2 if baseline else 1))
        baseline_name = interleave.name if interleave else None
        try:
            await run.all(turns, candidate, baseline)
        except BaseException as error:
            kept = keep(run.played, options.state, build.name, baseline_name)
            if kept and isinstance(error, LkgateError):
                _tell(error, kept)
            raise
        await stands.aclose()
        played = keep(run.played, options.state, build.name, baseline_name)
    return RoomSet(
        build=candidate.identity,
        baseline=baseline.identity if baseline is not None else None,
        calls=tuple(sorted(played, key=lambda one: (one.recording.call, one.repeat))),
        repeats=options.repeats,
        at_once=run.pace.reached,
    )


def _tell(error: LkgateError, kept: Sequence[Played]) -> None:
    """Add to an error where the repeats are that were taken before it."""
    # <build>/<call>/<repeat>
    home = kept[0].candidate.path.parents[1]
    many = "1 repeat" if len(kept) == 1 else f"{len(kept)} repeats"
    said = f"What was taken before it, {many}, is kept in {home}."
    error.next_step = f"{error.next_step} {said}" if error.next_step else said


@dataclass(frozen=True, slots=True)
class _Turn:
    """One repeat of one call."""

    part: Part
    repeat: int


def _part(recording: Recording, options: RoomOptions) -> Part:
    pcm = read_pcm(recording.path, caller_track(recording.bundle))
    plan = plan_from(recording.bundle, pcm, pacing=options.pacing, patience_us=options.patience_us)
    return Part(recording, person_of(recording.bundle, plan.identity), plan, pcm)


class _Run:
    def __init__(
        self, options: RoomOptions, work: Path, stands: Stands, on_progress: OnProgress, takes: int
    ) -> None:
        self.pace = Pace(options.concurrency)
        self.played: list[Played] = []
        """So far."""
        self._options = options
        self._work = work
        self._stands = stands
        self._on_progress = on_progress
        self._takes = takes
        self._ended = 0
        self._shots = 0

    async def all(self, turns: Sequence[_Turn], candidate: Party, baseline: Party | None) -> None:
        left = deque(turns)
        candidate_first = False
        while left:
            together = [left.popleft() for _ in range(min(self.pace.at_once, len(left)))]
            if baseline is None:
                takes = await self._together(together, candidate)
                before: list[Take] | list[None] = [None] * len(together)
            elif candidate_first:
                takes = await self._together(together, candidate)
                before = await self._together(together, baseline)
            else:
                before = await self._together(together, baseline)
                takes = await self._together(together, candidate)
            candidate_first = not candidate_first
            for turn, take, was in zip(together, takes, before, strict=True):
                self.played.append(Played(turn.part.recording, turn.repeat, take, was))

    async def _together(self, turns: Sequence[_Turn], side: Party) -> list[Take]:
        """A take a turn, all at once; late ones once more."""
        takes = await self._place(turns, side)
        late = any(take.late is not None for take in takes)
        self.pace.after([take.timeliness for take in takes], late=late)
        for number, turn in enumerate(turns):
            why = takes[number].late
            if why is not None:
                self._say(f"{turn.part.recording.call}: {why}; once more, alone")
                takes[number] = (await self._place([turn], side))[0]
        self._ended += len(turns)
        for turn in turns:
            self._say(f"{turn.part.recording.call} into {side.build.name}, repeat {turn.repeat}")
        return takes

    async def _place(self, turns: Sequence[_Turn], side: Party) -> list[Take]:
        stand = await self._stands.of(side)
        shots = [asyncio.create_task(self._shoot(turn, stand)) for turn in turns]
        try:
            await asyncio.gather(*shots)
        finally:
            # The others end their rooms before the worker is ended.
            for shot in shots:
                shot.cancel()
            await asyncio.gather(*shots, return_exceptions=True)
        # One after another, when no call goes on that it could make late.
        return [
            await asyncio.to_thread(develop, shot.result(), shot.result().directory / "bundle")
            for shot in shots
        ]

    async def _shoot(self, turn: _Turn, stand: Stand) -> Shot:
        self._shots += 1
        return await shoot(
            turn.part,
            stand,
            repeat=turn.repeat,
            of=self._options.repeats,
            directory=self._work / str(self._shots),
            wait_us=self._options.wait_us,
        )

    def _say(self, text: str) -> None:
        self._on_progress(RoomProgress(text, self._ended, self._takes))
