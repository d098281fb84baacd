"""What programs ask of the room and of the world outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.harness.program import replay
from tests.harness.program.replay import PROGRAMS, Program, Replay, plan_and_pcm


@pytest.fixture(scope="module")
def telephony(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """A call from a telephone."""
    program = replay.start(tmp_path_factory.mktemp("telephony"), "telephony.py")
    plan, pcm = plan_and_pcm([0.6])
    sip = {"sip.phoneNumber": "+4930123456", "sip.callStatus": "active"}
    call = program.call(caller=(replace(plan, attributes=sip), pcm))
    program.server.kill()
    assert call.result["status"] == "ok", call
    yield call


def test_a_sip_caller_is_known_by_number(telephony: Replay) -> None:
    assert "a PARTICIPANT_KIND_SIP call from +4930123456" in telephony.printed
    caller, agent = telephony.of("participant_connected")
    assert (caller["kind"], agent["kind"]) == ("sip", "agent")
    assert caller["attributes"]["sip.callStatus"] == "active"


def test_participants_have_entrypoints_and_ends(telephony: Replay) -> None:
    assert "entrypoint of caller" in telephony.printed
    assert "caller left" in telephony.printed


def test_a_remote_procedure_that_the_caller_has_not(telephony: Replay) -> None:
    assert "location: 1400 Method not supported at destination" in telephony.printed


def test_what_the_agent_sends_is_recorded(telephony: Replay) -> None:
    (data,) = telephony.of("data_received")
    assert (data["identity"], data["topic"], data["text"]) == (
        "agent-1",
        "ui",
        '{"card": "shown"}',
    )
    (chat,) = telephony.of("chat")
    assert (chat["identity"], chat["text"]) == ("agent-1", "Your ticket is 12.")
    (key,) = telephony.of("sip_dtmf_received")
    assert (key["identity"], key["code"], key["digit"]) == ("agent-1", 5, "5")
    changed = [event["changed"] for event in telephony.of("participant_attributes_changed")]
    assert {"department": "billing"} in changed


def test_statistics_of_the_connection_are_there(telephony: Replay) -> None:
    assert "stats: RtcStats" in telephony.printed


def test_a_speech_handle_ends_when_it_is_said(telephony: Replay) -> None:
    assert "said, interrupted: False" in telephony.printed
    assert telephony.texts("assistant")[0] == "Which number do you call about?"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = replay.start(tmp_path_factory.mktemp("network"), "network.py")
    yield program
    program.server.kill()


def line(text: str) -> str:
    path = PROGRAMS / "network.py"
    lines = path.read_text().splitlines()
    (number,) = [number for number, content in enumerate(lines, 1) if text in content]
    return f"{path}:{number}"


def ask(network: Program, way: str, tmp_path: Path) -> Replay:
    (tmp_path / "cassette").mkdir()
    cassette: dict[str, Any] = {
        "mode": "cassette",
        "directory": str(tmp_path / "cassette"),
        "new_directory": str(tmp_path / "new"),
    }
    return network.call(room=way, cassette=cassette, caller=plan_and_pcm([0.6]))


@pytest.mark.parametrize(
    ("way", "host", "text"),
    [
        ("asks with aiohttp", "crm.example.com:443", "session.get("),
        ("asks with livekits session", "192.0.2.7:8080", "http_session().get("),
        ("asks in a thread", "crm.example.com:443", "to_thread(urllib"),
        ("asks for a name", "db.example.com:5432", "getaddrinfo("),
    ],
)
def test_a_request_ends_the_call_by_name_even_if_the_program_would_go_on(
    network: Program, tmp_path: Path, way: str, host: str, text: str
) -> None:
    call = ask(network, way, tmp_path)
    error = call.result["error"]
    assert (error["kind"], error["where"]) == ("network_refused", line(text))
    # Of what runs in a thread, only its error leads to the program's line.
    refused = f"lkgate refused the network: {host}"
    asked = f"the program asked for {host}, and a replay has no network"
    assert (refused if "thread" in way else asked) in error["message"]
    assert error["next_step"].startswith("A replay has no network")


def test_a_request_of_nobodys_or_of_prewarm_is_only_noted(network: Program, tmp_path: Path) -> None:
    call = ask(network, "a library asks", tmp_path)
    assert call.result["status"] == "ok", call
    noted = [(event["host"], event["where"]) for event in call.of("lkgate.network_refused")]
    assert noted == [
        ("hub.example.com:443", line('"hub.example.com"')),
        ("192.0.2.9:4317", None),
    ]
