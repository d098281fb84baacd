"""Which of a server's rooms to record. Pure: no clock, no chance, no server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

# Attempts at one room that ended with nothing on disk.
_ATTEMPTS = 3
# Looks until a room that has a recorder is asked again: that one may have been killed.
_LATER = 10

SkipReason = Literal["not_sampled", "max_rooms", "keep_disk"]
Next = Literal["done", "later", "failed"]


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room as a server lists it.

    Attributes:
        name, sid: of the room; a name that is used again later has another sid.
        people: how many are in it, as of up to 5 s ago: that often the server counts.
    """

    name: str
    sid: str
    people: int


@dataclass(frozen=True, slots=True)
class Skip:
    """A room that will not be recorded, and why."""

    room: LiveRoom
    reason: SkipReason


def sampled(room: str, ratio: float) -> bool:
    """Whether a room of this name belongs to the share ``ratio`` (0 to 1) of all names.

    The first 8 bytes of the SHA-256 of the name in UTF-8, as a big-endian number, are less than
    ``ratio * 2**64``: so the same on every machine and in every run, and whoever is in a share is
    in every greater one.
    """
    number = int.from_bytes(hashlib.sha256(room.encode()).digest()[:8], "big")
    return number < int(ratio * 2**64)


class Schedule:
    """Decides on every room once, at the moment it is first seen.

    A room that comes while ``max_rooms`` are recorded is skipped for good, not put off: a call
    that is recorded from its middle cannot be replayed.

    Args:
        patterns: of names, as in a shell: ``*``, ``?`` and ``[...]``; case matters.
        ratio: of the names to record; see :func:`sampled`.
        max_rooms: recorded at once.
        waits: a room that begins has no place among these before :meth:`claim` gives it one: it
            waits for consent, which may never come, and must not keep others out.
    """

    def __init__(
        self, patterns: Iterable[str], *, ratio: float, max_rooms: int, waits: bool = False
    ):
        self._patterns = tuple(patterns)
        self._ratio = ratio
        self._max_rooms = max_rooms
        self._waits = waits
        # By name, for a recording goes on when its room comes back under another sid.
        self._active: dict[str, set[str]] = {}
        # Of these, the names that take up one of the places.
        self._placed: set[str] = set()
        self._decided: set[str] = set()
        self._attempts: dict[str, int] = {}
        self._later: dict[str, int] = {}

    def look(
        self, rooms: Sequence[LiveRoom], *, disk_full: bool = False
    ) -> tuple[list[LiveRoom], list[Skip]]:
        """The rooms to record from now on, and those that were just decided against.

        Args:
            rooms: all that there are.
            disk_full: whether nothing more may be begun.
        """
        present = {room.sid for room in rooms}
        self._decided &= present
        self._attempts = {sid: n for sid, n in self._attempts.items() if sid in present}
        self._later = {sid: n - 1 for sid, n in self._later.items() if sid in present and n}
        starts: list[LiveRoom] = []
        skips: list[Skip] = []
        for room in rooms:
            if room.name in self._active:
                self._active[room.name].add(room.sid)
            elif self._is_new(room):
                reason = self._against(room, disk_full=disk_full)
                if reason is None:
                    self._active[room.name] = {room.sid}
                    if not self._waits:
                        self._placed.add(room.name)
                    starts.append(room)
                else:
                    self._decided.add(room.sid)
                    skips.append(Skip(room, reason))
        return starts, skips

    def claim(self, room: LiveRoom) -> bool:
        """Whether an active room may be recorded from now on: it has a place, or gets one."""
        if len(self._placed - {room.name}) >= self._max_rooms:
            return False
        self._placed.add(room.name)
        return True

    def ended(self, room: LiveRoom, then: Next) -> bool:
        """A recording that :meth:`look` began is over. Whether its room may be taken up again.

        Args:
            then: ``done`` with the room; ``later``: ten looks from now, as if it were new;
                ``failed``: nothing was recorded, so once more when somebody is there, but not for
                ever.
        """
        sids = self._active.pop(room.name)
        self._placed.discard(room.name)
        attempts = self._attempts.get(room.sid, 0) + (then == "failed")
        if then == "done" or attempts >= _ATTEMPTS:
            self._decided |= sids
            return False
        if then == "failed":
            self._attempts[room.sid] = attempts
        else:
            self._later[room.sid] = _LATER
        return True

    def _is_new(self, room: LiveRoom) -> bool:
        if room.sid in self._decided or room.sid in self._later:
            return False
        if room.sid in self._attempts and room.people == 0:
            return False
        return any(fnmatchcase(room.name, pattern) for pattern in self._patterns)

    def _against(self, room: LiveRoom, *, disk_full: bool) -> SkipReason | None:
        if not sampled(room.name, self._ratio):
            return "not_sampled"
        if disk_full:
            return "keep_disk"
        full = not self._waits and len(self._placed) >= self._max_rooms
        return "max_rooms" if full else None
