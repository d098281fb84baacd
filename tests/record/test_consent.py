from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc
from livekit.protocol.models import ParticipantInfo

from lkgate.errors import ConfigError
from lkgate.record import Attribute, Consent, ConsentError

REQUIRED = Attribute("recording_consent", "true")
YES = {"recording_consent": "true", "other": "x"}
NO = {"recording_consent": "false"}


def looks(*people: dict[str, dict[str, str]], caller: str | None = None) -> list[str]:
    consent = Consent(REQUIRED, caller)
    return [consent.look(each) for each in people]


@pytest.mark.parametrize(
    ("people", "states"),
    [
        ([{}, {"ann": {}}, {"ann": NO}, {"ann": YES}], ["missing"] * 3 + ["given"]),
        ([{"ann": YES}, {"ann": NO}], ["given", "withdrawn"]),
        ([{"ann": YES}, {"ann": {}}], ["given", "withdrawn"]),
        # Who leaves takes nothing back; who comes back without it does.
        ([{"ann": YES}, {}, {"ann": {}}], ["given", "given", "withdrawn"]),
        # A second person has to agree as well.
        ([{"ann": YES, "bob": {}}], ["missing"]),
        ([{"ann": YES}, {"ann": YES, "bob": {}}], ["given", "missing"]),
        ([{"ann": YES, "bob": YES}, {"ann": YES, "bob": NO}], ["given", "withdrawn"]),
        # Withdrawn before there was a recording: it may be given again.
        ([{"ann": YES}, {"ann": NO}, {"ann": NO}, {"ann": YES}],
         ["given", "withdrawn", "missing", "given"]),
    ],
)  # fmt: skip
def test_everybody_has_to_agree(people: list[dict[str, dict[str, str]]], states: list[str]) -> None:
    assert looks(*people) == states


def test_the_named_caller_alone() -> None:
    assert looks({"bob": YES}, {"ann": YES, "bob": NO}, {"ann": {}}, caller="ann") == [
        "missing",
        "given",
        "withdrawn",
    ]


@pytest.mark.parametrize("text", ["", "x", "=true", "x="])
def test_an_attribute_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Attribute.parse(text)
    assert str(caught.value) == f"{text!r} is no NAME=VALUE\n  As in recording_consent=true."


def test_an_attribute_may_hold_an_equals_sign() -> None:
    assert Attribute.parse("a=b=c") == Attribute("a", "b=c")


class FakeServer:
    """Answers with one list of participants after another, and then ends the room."""

    def __init__(self, *answers: list[ParticipantInfo]):
        self.answers = list(answers)

    async def participants(self, room: str) -> list[ParticipantInfo]:
        return self.answers.pop(0) if self.answers else []

    async def room_exists(self, room: str) -> bool:
        return bool(self.answers)


def somebody(kind: ParticipantInfo.Kind, **attributes: str) -> ParticipantInfo:
    return ParticipantInfo(identity=str(kind), kind=kind, attributes=attributes)


def wait(*answers: list[ParticipantInfo]) -> None:
    server = FakeServer(*answers)
    waiting = Consent(REQUIRED).wait(server, "ward", asyncio.Event())  # type: ignore[arg-type]
    asyncio.run(asyncio.wait_for(waiting, 20))


def test_it_is_waited_for_outside_the_room() -> None:
    agent = somebody(ParticipantInfo.AGENT)
    egress = somebody(ParticipantInfo.EGRESS)
    caller = somebody(ParticipantInfo.SIP)
    wait([], [agent, egress], [agent, caller], [agent, somebody(ParticipantInfo.SIP, **YES)])


def test_what_an_agent_has_is_no_consent() -> None:
    with pytest.raises(ConsentError) as caught:
        wait([somebody(ParticipantInfo.AGENT, **YES)], [somebody(ParticipantInfo.SIP)])
    assert str(caught.value) == (
        "nothing was recorded: room 'ward' ended before everybody in it had "
        "recording_consent=true\n"
        "  The attribute comes from the caller's token, or is set in the call."
    )


class FakeRoom:
    """Who is in it: attributes by identity."""

    def __init__(self, **people: dict[str, str]):
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        self.remote_participants = {
            who: SimpleNamespace(identity=who, kind=kind, attributes=attributes)
            for who, attributes in people.items()
        }


def admitted(*rooms: FakeRoom) -> tuple[list[bool], bool, Consent]:
    consent, stop = Consent(REQUIRED), asyncio.Event()
    answers = [consent.admits(cast(rtc.Room, room), stop) for room in rooms]
    return answers, stop.is_set(), consent


def test_what_is_not_agreed_to_is_not_admitted_and_never_again() -> None:
    both = FakeRoom(ann=YES, bob=NO)
    answers, stopped, consent = admitted(FakeRoom(ann=YES), both, FakeRoom(ann=YES))
    assert answers == [True, False, False]
    assert stopped
    assert not consent.keeps_nothing  # what was said before bob came is kept


def test_who_comes_together_with_the_recorder_leaves_no_recording() -> None:
    answers, stopped, consent = admitted(FakeRoom(ann=YES, bob=NO))
    assert (answers, stopped, consent.keeps_nothing) == ([False], True, True)
    assert consent.error("ward").what == (
        "nothing was recorded: somebody without recording_consent=true came into room 'ward' "
        "together with the recorder"
    )


def test_what_was_withdrawn_leaves_no_recording() -> None:
    answers, _, consent = admitted(FakeRoom(ann=YES), FakeRoom(ann=NO))
    assert (answers, consent.keeps_nothing) == ([True, False], True)
    assert "withdrew recording_consent=true" in consent.error("ward").what
