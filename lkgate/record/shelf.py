"""The directory of a recorder that runs by itself: where bundles begin, are closed, and go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lkgate.bundle import read
from lkgate.errors import LkgateError
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.record.calllog import CallLog
from lkgate.record.hook import Hook
from lkgate.record.ledger import Ledger, Made
from lkgate.record.naming import bundle_name
from lkgate.record.retention import Limits, tidy
from lkgate.record.unfinished import UNFINISHED

# Hooks may be as heavy as a replay: not all at once.
_HOOKS = 2


@dataclass(slots=True)
class Shelf:
    """What is on disk, and what is done with it. Slow work is on threads: no room waits for it.

    Attributes:
        ledger: of the directory.
        limits: of the directory.
        recover: closes what a recording left; raises ``LkgateError``.
        hook: run for every bundle; ``None``: nothing is.
        log: of what is removed and of hooks.
        printed: called with each bundle's path when it is whole.
        environ: of hooks.
        now_unix_us: the wall clock.
        stamp: a local time as it stands in a bundle's name.
    """

    ledger: Ledger
    limits: Limits
    recover: Callable[[Path], Path]
    hook: Hook | None
    log: CallLog
    printed: Callable[[Path], None]
    environ: Mapping[str, str]
    now_unix_us: Callable[[], int]
    stamp: Callable[[], str]
    _open: set[Path] = field(default_factory=set)
    _busy: set[str] = field(default_factory=set)
    _tidying: asyncio.Lock = field(default_factory=asyncio.Lock)
    _hooks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HOOKS))

    @property
    def open(self) -> int:
        """How many recordings are open."""
        return len(self._open)

    async def begin(self, room: str) -> Path:
        """A place for a room's bundle that nobody else has.

        Raises:
            OSError: if the ledger cannot be written.
        """
        directory, number = self.ledger.directory, 1
        name = chosen = bundle_name(room, self.stamp())
        while self._is_taken(directory / chosen):
            number += 1
            chosen = f"{name}-{number}"
        out = directory / chosen
        self._open.add(out)
        try:
            await asyncio.to_thread(self.ledger.begin, chosen)
        except OSError:
            self._open.discard(out)
            raise
        return out

    async def give_up(self, out: Path) -> None:
        """There is nothing of a recording."""
        self._open.discard(out)
        await asyncio.to_thread(self.ledger.forget, out.name)

    async def close(self, out: Path) -> dict[str, Json]:
        """Take up a bundle that is whole; what the log says of it. :meth:`finish` is next.

        Raises:
            OSError, BundleError: if it cannot be read.
        """
        self._busy.add(out.name)
        self._open.discard(out)
        try:
            made = await asyncio.to_thread(
                self.ledger.close,
                out.name,
                now_unix_us=self.now_unix_us(),
                hook=self.hook is not None,
            )
            bundle = await asyncio.to_thread(read, out)
        except (OSError, LkgateError):
            self._busy.discard(out.name)
            raise
        try:
            self.printed(out)
        except OSError as error:  # Whoever reads that is gone; the bundle is whole.
            self.log.line("not_printed", bundle=str(out), error=error.strerror)
        return {"bundle": str(out), "bytes": made.bytes, **_summary(bundle)}

    async def close_left(self, out: Path) -> dict[str, Json]:
        """The same of a recording that was not closed, where :func:`left` of it is.

        Raises:
            OSError, LkgateError: if it cannot be made a bundle.
        """
        try:
            await asyncio.to_thread(self.recover, left(out))
        finally:
            self._open.discard(out)
        return await self.close(out)

    async def finish(self, out: Path) -> None:
        """Run the hook for a bundle that was closed, and remove what is too much.

        A hook that a kill cuts off, or keeps from beginning, is due again: see ``Ledger.due``.
        """
        self._busy.add(out.name)
        try:
            if self.hook is not None:
                async with self._hooks:
                    outcome = await self.hook.run(out, self.environ)
                self.log.line(
                    "hook", bundle=str(out), error=outcome.reason, output=outcome.output or None
                )
                try:
                    await asyncio.to_thread(self.ledger.hooked, out.name)
                except OSError as error:  # It will be run once more.
                    self.log.line("hook_not_noted", bundle=str(out), error=str(error))
        finally:
            self._busy.discard(out.name)
        await self.tidy()

    async def tidy(self) -> bool:
        """Remove what is too much. Whether what is being recorded takes all that may be taken."""
        async with self._tidying:
            used = await asyncio.to_thread(self._tidy, frozenset(self._open), frozenset(self._busy))
        return self.limits.disk_bytes is not None and used >= self.limits.disk_bytes

    def _tidy(self, recording: frozenset[Path], busy: frozenset[str]) -> int:
        used = sum(_bytes(left(out)) for out in recording)
        tidy(
            self.ledger,
            self.limits,
            now_unix_us=self.now_unix_us(),
            open_bytes=used,
            busy=busy,
            told=self._told,
        )
        return used

    def _told(self, made: Made, kept: str | None) -> None:
        path = str(self.ledger.directory / made.name)
        self.log.line("kept" if kept else "removed", bundle=path, reason=kept)

    def _is_taken(self, out: Path) -> bool:
        return out.exists() or left(out).exists() or out in self._open


def left(out: Path) -> Path:
    """Where a recording is as long as it is no bundle."""
    return out.with_name(out.name + UNFINISHED)


def _bytes(directory: Path) -> int:
    """Of all files below it, while it may become a bundle and vanish."""
    size = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                size += (Path(place) / name).stat().st_size
    return size


def _summary(bundle: Bundle) -> dict[str, Json]:
    endings = bundle.of_kind("lkgate.recording_ended")
    return {
        "duration_us": bundle.manifest.duration_us,
        "tracks": len(bundle.manifest.tracks),
        "events": len(bundle.events),
        "ended": endings[-1].data["reason"] if endings else None,
        "gaps": len(bundle.of_kind("lkgate.gap")),
    }
