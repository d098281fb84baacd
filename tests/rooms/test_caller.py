"""Who the recording's caller was."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.bundle import Journal, close_journal
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.rooms.caller import Person, person_of


def bundle(directory: Path, **came: Json) -> Bundle:
    journal = Journal.create(directory / "j", header={"id": "c", "source": "record", "room": "r"})
    journal.event(0, "participant_connected", {"identity": "bot", "kind": "agent", "name": "Bot"})
    if came:
        journal.event(1, "participant_connected", {"identity": "ann", **came})
        journal.event(2, "participant_connected", {"identity": "ann", "name": "later"})
    journal.finish(duration_us=10)
    return close_journal(directory / "j", directory / "b")


@pytest.mark.parametrize(
    ("came", "person"),
    [
        ({}, Person("ann", "", "", {}, "standard")),
        (
            {"kind": "standard", "name": "Ann", "metadata": "m", "attributes": {"language": "de"}},
            Person("ann", "Ann", "m", {"language": "de"}, "standard"),
        ),
        (
            {"kind": "sip", "name": "", "metadata": "", "attributes": {}},
            Person("ann", "", "", {}, "sip"),
        ),
        # Recorded where nothing told the kind.
        (
            {"attributes": {"sip.phoneNumber": "+15550100"}},
            Person("ann", "", "", {"sip.phoneNumber": "+15550100"}, "sip"),
        ),
    ],
)
def test_a_person(tmp_path: Path, came: dict[str, Json], person: Person) -> None:
    assert person_of(bundle(tmp_path, **came), "ann") == person
