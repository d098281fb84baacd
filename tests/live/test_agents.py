"""Agents in Node and on a speech-to-speech model, as real workers in real rooms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, cast

import pytest

from lkgate.caller.script import Line, after_agent, into_agent
from lkgate.model.bundle import Bundle
from tests.live.agents.caller import call, sentence
from tests.live.agents.workers import REALTIME, model_server, node_agent, worker
from tests.live.conftest import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(240)]

AGENTS = ("clinic-node", "clinic-realtime")
GREETING = "Hello, this is Harbour Street Clinic. How can I help you?"
PREPARE = (
    "For a blood test, please do not eat for eight hours before you come. Water is fine. "
    "Bring your insurance card and a list of the medicines that you take."
)
TRANSFERRED = (
    "I am connecting you to a colleague now. Please stay on the line, you are number one in the "
    "queue."
)


@pytest.fixture(scope="module")
def calls(
    live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Bundle]]:
    """One call to each agent, at the same time."""
    directory = tmp_path_factory.mktemp("agents")
    lines = [
        Line(sentence("barge-in", 0), after_agent()),
        Line(sentence("barge-in", 1), into_agent(2_500)),
        Line(sentence("emergency", 2), after_agent()),
    ]

    async def both() -> list[Bundle]:
        made = (call(live_server, name, lines, directory / name) for name in AGENTS)
        return await asyncio.wait_for(asyncio.gather(*made), 120)

    with ExitStack() as stack:
        programs = (node_agent(), REALTIME)
        variables = stack.enter_context(model_server(directory))
        for program in programs:
            stack.enter_context(worker(program, live_server, variables, directory))
        yield dict(zip(AGENTS, asyncio.run(both()), strict=True))


@pytest.mark.parametrize("agent", AGENTS)
def test_a_spoken_caller_is_answered(calls: Mapping[str, Bundle], agent: str) -> None:
    greeting, _, *others = [text for text, _ in said(calls[agent], "assistant")]
    assert greeting == GREETING
    assert others == ["Of course. What else can I do for you?", TRANSFERRED]
    heard = " ".join(text for text, _ in said(calls[agent], "user")).lower()
    assert "for a blood test" in heard
    assert "chest pain" in heard


@pytest.mark.parametrize("agent", AGENTS)
def test_an_interrupted_agent_falls_silent(calls: Mapping[str, Bundle], agent: str) -> None:
    bundle = calls[agent]
    kept, interrupted = said(bundle, "assistant")[1]
    assert interrupted
    assert PREPARE.startswith(kept)
    start_us, end_us = (
        cast(int, event.data["at_us"])
        for event in bundle.of_kind("lkgate.caller_utterance")
        if event.data["index"] == 1
    )
    (track,) = bundle.tracks("agent")
    assert track.speech
    during = [span for span in track.speech if span.start_us < end_us and span.end_us > start_us]
    assert during
    assert all(span.end_us < end_us for span in during)


@pytest.mark.parametrize("agent", AGENTS)
def test_a_tool_is_called(calls: Mapping[str, Bundle], agent: str) -> None:
    (executed,) = calls[agent].of_kind("function_tools_executed")
    (called,) = cast(list[dict[str, Any]], executed.data["calls"])
    assert (called["name"], called["arguments"]) == ("escalate_to_human", {"reason": "chest pain"})
    assert json.loads(called["output"]) == {"position": 1}


def said(bundle: Bundle, role: str) -> list[tuple[str, bool]]:
    """Every message of one side, and whether it was interrupted."""
    items = [cast(Any, event.data["item"]) for event in bundle.of_kind("conversation_item_added")]
    return [(item["text"], item["interrupted"]) for item in items if item.get("role") == role]
