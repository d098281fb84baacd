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
        """What ended the recording that :meth:`guard` watches; ``None``: nothing did."""
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

    def guard(self, room: rtc.Room, stop: asyncio.Event) -> None:
        """Set ``stop`` and :attr:`ended` as soon as it is no longer given in ``room``.

        To be called before the room's recorder registers itself: this has to act first.
        """

        def look(*_: object) -> None:
            people = {
                who.identity: who.attributes
                for who in room.remote_participants.values()
                if _is_person(who.kind)
            }
            state = self.look(people)
            if state != "given" and self.ended is None:
                self.ended = state
                stop.set()

        # Of tracks too: nothing that is published is heard before.
        room.on("participant_connected", look)
        room.on("participant_attributes_changed", look)
        room.on("track_subscribed", look)

    def error(self, room: str) -> ConsentError:
        """What to say of a recording that was thrown away."""
        return ConsentError(
            f"somebody in room {room!r} withdrew {self.required}: what was recorded was deleted"
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
