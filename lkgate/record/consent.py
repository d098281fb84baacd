"""Whether everybody who has to agree to a recording does, by an attribute of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from livekit import rtc
from livekit.protocol.models import ParticipantInfo

from lkgate.errors import ConfigError, RecordError
from lkgate.record.server import Server, until

State = Literal["given", "missing", "withdrawn"]
People = Mapping[str, Mapping[str, str]]

_POLL_SECONDS = 0.5


class ConsentError(RecordError):
    """There is no recording, for not everybody agreed to it."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a participant who agrees has."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Attribute:
        """``NAME=VALUE``.

        Raises:
            ConfigError: if it is none.
        """
        name, equals, value = text.partition("=")
        if not name or not equals or not value:
            raise ConfigError(
                f"{text!r} is no NAME=VALUE", next_step="As in recording_consent=true."
            )
        return cls(name, value)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class Consent:
    """Follows the attributes of those who have to agree: of everybody who is neither an agent nor
    a recorder, or of ``caller`` alone.

    ``given`` while there is at least one of them, and each of those present has the attribute;
    ``withdrawn`` when one who had it is there without it; ``missing`` otherwise.
    Who leaves takes nothing back.
    """

    def __init__(self, required: Attribute, caller: str | None = None):
        self.required = required
        self.ended: State | None = None
        """What ended the recording that asks :meth:`admits`; ``None``: nothing did."""
        self._began = False
        self._caller = caller
        self._agreed: set[str] = set()

    def look(self, people: People) -> State:
        """What holds now.

        Args:
            people: attributes by identity, of all who are neither agents nor recorders.
        """
        present = {who for who in people if self._caller in (None, who)}
        agree = {
            who for who in present if people[who].get(self.required.name) == self.required.value
        }
        lacking = present - agree
        if lacking & self._agreed:
            self._agreed -= lacking
            return "withdrawn"
        self._agreed |= agree
        return "given" if self._agreed and not lacking else "missing"

    async def wait(self, server: Server, room: str, stop: asyncio.Event) -> None:
        """Return when it is given, or ``stop`` is set, without being in the room.

        Raises:
            ConsentError: if the room ends before.
            RecordError: if the server does not answer.
        """
        while True:
            found = await server.participants(room)
            people = {
                who.identity: who.attributes for who in found if _is_person(_KINDS.get(who.kind))
            }
            if self.look(people) == "given":
                return
            if not found and not await server.room_exists(room):
                raise ConsentError(
                    f"nothing was recorded: room {room!r} ended before everybody in it had "
                    f"{self.required}",
                    next_step="The attribute comes from the caller's token, or is set in the call.",
                )
            if await until(stop, _POLL_SECONDS):
                return

    def admits(self, room: rtc.Room, stop: asyncio.Event) -> bool:
        """Whether what now happens in ``room``, where the recorder is, may be written down.

        To be asked before anything is. As soon as it is not given, ``stop`` and :attr:`ended` are
        set, and the answer stays no.
        """
        if self.ended is None:
            people = {
                who.identity: who.attributes
                for who in room.remote_participants.values()
                if _is_person(who.kind)
            }
            state = self.look(people)
            if state == "given":
                self._began = True
            else:
                self.ended = state
                stop.set()
        return self.ended is None

    @property
    def keeps_nothing(self) -> bool:
        """Whether the recording is to be thrown away: it was withdrawn, or somebody without it was
        there as soon as the recorder was."""
        return self.ended == "withdrawn" or (self.ended is not None and not self._began)

    def error(self, room: str) -> ConsentError:
        """What to say of a recording that was thrown away."""
        if self.ended == "withdrawn":
            return ConsentError(
                f"somebody in room {room!r} withdrew {self.required}: what was recorded was deleted"
            )
        return ConsentError(
            f"nothing was recorded: somebody without {self.required} came into room {room!r} "
            "together with the recorder"
        )


_KINDS = {
    ParticipantInfo.AGENT: rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
    ParticipantInfo.EGRESS: rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
}


def _is_person(kind: object) -> bool:
    return kind not in (
        rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
        rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
    )
