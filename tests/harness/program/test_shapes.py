"""Programs of many shapes, each unmodified, each through a whole call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lkgate.measure.message import messages_of
from lkgate.model.event import Event
from tests.harness.program.conftest import Load
from tests.harness.program.replay import plan_and_pcm
from tests.measure.builders import bundle


def test_an_agent_server_with_run_app_and_a_tool(load: Load) -> None:
    call = load("simple.py").call()
    assert call.result["status"] == "ok", call
    assert call.texts("user") == ["I want a table.", "How is the weather?", "Good bye."]
    assert [text.strip() for text in call.texts("assistant")] == [
        "How can I help you?",
        "For how many people, and at what time, shall I book the table for you?",
        "I found this: eighteen degrees in Berlin.",
        "Good bye, and thank you for calling.",
    ]
    (executed,) = call.of("function_tools_executed")
    assert executed["calls"][0]["arguments"] == {"city": "Berlin"}
    assert call.journal is not None
    tracks = {track.id: track for track in call.journal.tracks}
    assert sorted(tracks) == ["agent", "caller"]
    assert {"caller", "agent-1"} == {event["identity"] for event in call.of("track_published")}
    left = call.of("participant_disconnected")
    assert [event["identity"] for event in left] == ["caller", "agent-1"]
    states = [(event["old_state"], event["new_state"]) for event in call.of("user_state_changed")]
    assert states.count(("listening", "speaking")) == 3


def test_an_interruption_cuts_the_agent_short(load: Load) -> None:
    call = load("simple.py").call(caller=plan_and_pcm([0.6, 1.0, 0.6], into=1))
    assert call.result["status"] == "ok", call
    items = [event["item"] for event in call.of("conversation_item_added")]
    (cut,) = [item for item in items if item.get("interrupted")]
    assert cut["role"] == "assistant"
    assert cut["text"].startswith("For how many")
    assert not cut["text"].strip().endswith("?")
    # It falls silent soon after the caller began, long before its sentence would have ended.
    began = [one for one in call.of("lkgate.caller_utterance") if one["phase"] == "start"][1]
    assert call.journal is not None
    (agent,) = [track for track in call.journal.tracks if track.id == "agent"]
    begin = (began["at_us"] - agent.offset_us) * agent.sample_rate_hz // 1_000_000
    loud = np.flatnonzero(np.abs(agent.samples()[begin:]) > 100)
    pause = int(np.argmax(np.diff(loud) > agent.sample_rate_hz // 2))
    assert 0.2 < loud[pause] / agent.sample_rate_hz < 1.5


def test_calls_run_side_by_side(load: Load) -> None:
    program = load("simple.py")
    started = [program.start() for _ in range(3)]
    calls = [program.end_of(directory) for directory in started]
    assert [call.result["status"] for call in calls] == ["ok"] * 3
    assert calls[0].digest() == calls[1].digest() == calls[2].digest()


def test_worker_options_with_prewarm_connect_and_callbacks(load: Load) -> None:
    call = load("worker_options.py").call(caller=plan_and_pcm([0.6, 0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "Front desk, good morning."
    assert "answering caller in clinic-7" in call.printed
    assert "shut down because of: room disconnected" in call.printed


def test_a_server_at_module_level_with_a_session_end(load: Load) -> None:
    call = load("module_server.py").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert "summary of 2 messages" in call.printed
    assert "'lk.agent.name': 'summary'" in call.printed


def test_a_package_run_with_m(load: Load) -> None:
    call = load(None, module="frontdesk").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "Welcome to the package."


def test_a_script_with_arguments_and_an_env_file(load: Load) -> None:
    call = load("own_arguments.py", "--persona", "Ann").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "I am Ann of Harbour Street."


def test_asyncio_run_at_module_level_and_server_run(load: Load) -> None:
    call = load("async_main.py").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "Settings are loaded."


def test_two_servers_of_which_one_is_started(load: Load) -> None:
    call = load("two_servers.py", "--start").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "Inbound."


def test_two_agents_and_a_recorded_session(load: Load) -> None:
    call = load("two_agents.py").call(caller=plan_and_pcm([0.6, 0.6]))
    assert call.result["status"] == "ok", call
    handoffs = [
        (event["item"]["old_agent_id"], event["item"]["new_agent_id"])
        for event in call.of("conversation_item_added")
        if event["item"]["type"] == "agent_handoff"
    ]
    assert handoffs == [(None, "receptionist"), ("receptionist", "nurse")]
    assert "This is the nurse speaking." in call.texts("assistant")
    assert "recording kept: True True" in call.printed


def test_background_audio_is_a_track_of_its_own(load: Load) -> None:
    call = load("background.py").call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.journal is not None
    tracks = {track.id: track for track in call.journal.tracks}
    assert sorted(tracks) == ["agent", "caller", "other"]
    assert abs(tracks["other"].samples()[:]).max() > 50
    assert call.texts("assistant")[0] == "We are in an office."


def test_tools_that_sleep_block_and_use_threads(load: Load) -> None:
    call = load("tools.py").call(caller=plan_and_pcm([0.6, 0.6, 0.6]))
    assert call.result["status"] == "ok", call
    outputs = [event["calls"][0]["output"] for event in call.of("function_tools_executed")]
    assert outputs == ["slept 2.0", "blocked 1.5", "threads gave [0, 2, 4]"]


def test_a_thread_left_by_the_import_moves_loading_behind_the_fork(load: Load) -> None:
    program = load("lifecycle.py", "thread at import")
    assert program.ready == {"op": "ready", "forks": "before loading"}
    call = program.call(caller=plan_and_pcm([0.6]))
    assert call.result["status"] == "ok", call
    assert call.texts("assistant")[0] == "One moment."


@pytest.mark.parametrize(
    ("how", "printed"), [("never return", "entrypoint cancelled"), ("fork", "forked")]
)
def test_entrypoints_that_go_on(load: Load, how: str, printed: str) -> None:
    call = load("lifecycle.py").call(caller=plan_and_pcm([0.6]), room=how)
    assert call.result["status"] == "ok", call
    assert printed in call.printed
    assert call.of("participant_connected")[1]["attributes"]["desk"] == "7"
    assert call.kinds().count("lkgate.caller_hangup") == 1


@pytest.mark.parametrize(
    ("how", "reason"), [("shut down", "client_initiated"), ("delete the room", "room_deleted")]
)
def test_an_agent_that_ends_the_call(load: Load, how: str, reason: str) -> None:
    call = load("lifecycle.py").call(caller=plan_and_pcm([0.6]), room=how)
    assert call.result["status"] == "ok", call
    left = {event["identity"]: event["reason"] for event in call.of("participant_disconnected")}
    assert left["agent-1"] == reason
    assert call.texts("assistant") == ["One moment."]


def test_the_server_api_is_answered_or_refused_by_name(load: Load) -> None:
    call = load("lifecycle.py").call(caller=plan_and_pcm([0.6]), room="ask the server")
    assert call.result["status"] == "ok", call
    assert (
        "server said: unimplemented a replay has no LiveKit server: Egress/ListEgress is refused"
        in call.printed
    )
    assert "people: ['agent-1', 'caller']" in call.printed
    (refused,) = call.of("lkgate.network_refused")
    assert refused["host"] == "LiveKit server API: Egress/ListEgress"


def test_a_task_with_a_result_child_processes_patience_and_an_end(load: Load) -> None:
    call = load("workflow.py").call(caller=plan_and_pcm([0.6, 10.0, 0.6]))
    assert call.result["status"] == "ok", call
    said = [text.strip() for text in call.texts("assistant")]
    assert said == [
        "Who is calling?",
        "Thank you, Ann.",
        "Are you there?",
        "I found this: rain and rain.",
        "Good bye.",
    ]
    assert "beats: " in call.printed
    (hangup,) = call.of("lkgate.caller_hangup")
    assert hangup["reason"] == "agent_left"
    left = {event["identity"]: event["reason"] for event in call.of("participant_disconnected")}
    assert left["agent-1"] == "client_initiated"


def test_what_was_said_is_not_what_is_remembered(load: Load) -> None:
    """A line kept out of the chat, a turn left out of it, words that nobody spoke, edited words."""
    call = load("unlisted.py").call(caller=plan_and_pcm([0.6, 0.6, 6.0]))
    assert call.result["status"] == "ok", call
    assert call.journal is not None
    assert call.texts("user") == [
        "The caller has just come in.",
        "[table 7] I want a table.",
        "[table 7] Good bye.",
    ]
    empty = bundle(caller=[], agent=[])
    sids = {track.id: track.sid for track in call.journal.tracks}
    tracks = tuple(replace(track, sid=sids[track.id]) for track in empty.manifest.tracks)
    manifest = replace(empty.manifest, tracks=tracks)
    made = enumerate(call.journal.events)
    events = tuple(Event(e.t_us, seq, e.kind, e.data) for seq, e in made)
    told = replace(empty, manifest=manifest, events=events)
    said = {
        side: [(message.text.strip(), message.timed) for message in messages_of(told, side) or ()]
        for side in ("caller", "agent")
    }
    assert said["caller"] == [
        ("I want a table.", True),
        ("Wait a moment.", False),
        ("Good bye.", True),
    ]
    assert said["agent"] == [
        ("Calls are recorded.", False),
        ("Good evening.", True),
        ("It is yours.", True),
        ("It is yours.", True),
    ]
