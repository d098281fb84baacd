"""Function tools in a session: answered, refused, executed, and what they do besides answering."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit.agents import (
    Agent,
    AgentSession,
    AgentTask,
    RunContext,
    StopResponse,
    ToolError,
    function_tool,
    llm,
)
from livekit.agents.llm import ToolResult
from livekit.agents.voice.run_result import mock_tools

from lkgate.harness.tape import tool as tool_tape
from lkgate.model.event import Json
from tests.harness.tape.models import FakeLLM
from tests.harness.tape.stage import Stage


@dataclass
class Guest:
    name: str = ""
    orders: list[str] = field(default_factory=list)
    clinic: dict[str, object] = field(default_factory=dict)


Context = RunContext[Guest]


EXECUTED: list[str] = []
RUN: dict[str, Json] = {"default": "run", "by_name": {}}


class Desk(Agent):
    """Every kind of tool; ``EXECUTED`` names those that were."""

    def __init__(self) -> None:
        super().__init__(instructions="A desk.")
        self.visits = 0

    @function_tool
    async def book(self, context: Context, day: str, hour: int = 9) -> dict[str, Any]:
        """Books."""
        EXECUTED.append(f"book {day}")
        await asyncio.sleep(1.5)
        return {"day": day, "hour": hour, "open": True}

    @function_tool
    async def pair(self) -> tuple[int, str]:
        """Returns what JSON does not have."""
        return (1, "a")

    @function_tool
    async def refuse(self) -> str:
        """Raises what the model may read."""
        raise ToolError("no such day")

    @function_tool
    async def crash(self) -> str:
        """Raises what it may not."""
        raise ValueError("secret")

    @function_tool
    async def hush(self) -> str:
        """Wants no reply."""
        raise StopResponse

    @function_tool
    async def quiet(self) -> ToolResult:
        """Wants no reply either."""
        return ToolResult("sent", reply_required=False)

    @function_tool(raw_schema={"name": "raw", "description": "", "parameters": {"type": "object"}})
    async def raw(self, raw_arguments: dict[str, object]) -> str:
        EXECUTED.append("raw")
        return json.dumps(raw_arguments)

    @function_tool
    async def hand_over(self) -> tuple[Agent, str]:
        """Another agent."""
        EXECUTED.append("hand_over")
        return Agent(instructions="A nurse."), "please hold"

    @function_tool
    async def remember(self, context: Context, name: str) -> str:
        """Changes the program's own state."""
        EXECUTED.append("remember")
        context.userdata.name = name
        context.userdata.orders.append("tea")
        context.userdata.clinic["x"] = object()
        self.visits += 1
        return "ok"

    @function_tool
    async def announce(self, context: Context) -> str:
        """Acts on the session."""
        EXECUTED.append("announce")
        context.disallow_interruptions()
        await asyncio.sleep(0.5)
        context.session.say("One moment.")
        await asyncio.sleep(0.5)
        return "done"

    @function_tool
    async def ask(self) -> str:
        """Needs a conversation of its own."""
        EXECUTED.append("ask")
        return await AskName()

    @function_tool
    async def ask_order(self) -> str:
        """Needs a tool of a task."""
        EXECUTED.append("ask_order")
        return await AskOrder()


class AskName(AgentTask[str]):
    """Ends at once."""

    def __init__(self) -> None:
        super().__init__(instructions="Ask.")

    async def on_enter(self) -> None:
        self.complete("Ann")


class AskOrder(AgentTask[str]):
    """Ends when its tool is called."""

    def __init__(self) -> None:
        super().__init__(instructions="Ask.")

    @function_tool
    async def order(self) -> None:
        """Keeps the order."""
        EXECUTED.append("order")
        self.complete("tea")


@dataclass(slots=True)
class Nameless:
    """What another build keeps."""

    orders: list[str] = field(default_factory=list)


def script(context: llm.ChatContext) -> list[tuple[float, Any]]:
    """A user's ``tool {json}`` is a call of it; a tool's output is read out."""
    last = context.items[-1]
    if last.type == "function_call_output":
        return [(0.1, f"I got {last.output}")]
    text = context.messages()[-1].text_content or ""
    name, _, arguments = text.partition(" ")
    if not arguments.startswith("{"):
        return [(0.1, "Yes?")]
    call = llm.FunctionToolCall(name=name, arguments=arguments, call_id=f"call_{len(text)}")
    return [(0.1, call)]


@dataclass
class Outcome:
    outputs: list[tuple[str, bool]]
    said: list[str]
    took_ms: int
    guest: Guest
    visits: int
    agent: str


async def converse(stage: Stage, *inputs: str, mocks: Any = None, guest: Any = None) -> Outcome:
    """A session in text mode that hears ``inputs``, one after another."""
    EXECUTED.clear()
    guest, desk = guest or Guest(), Desk()
    session: AgentSession[Guest] = AgentSession(
        llm=FakeLLM(script), vad=None, turn_handling={"turn_detection": None}, userdata=guest
    )
    outputs: list[tuple[str, bool]] = []

    @session.on("function_tools_executed")
    def executed(event: Any) -> None:
        for _, output in event.zipped():
            if output is not None:
                outputs.append((output.output, output.is_error))

    await session.start(desk, record=False)
    began_us = stage.now_us()
    with mock_tools(Desk, mocks or {}):
        for text in inputs:
            await session.run(user_input=text)
    took_ms = round((stage.now_us() - began_us) / 1_000)
    said = [m.text_content or "" for m in session.history.messages() if m.role == "assistant"]
    agent = str(session.current_agent.instructions)
    await session.aclose()
    return Outcome(outputs, said, took_ms, guest, desk.visits, agent)


def again(stage: Stage, *inputs: str, **options: Any) -> tuple[Outcome, Outcome]:
    """Record, replay."""
    live = stage.record(lambda: converse(stage, *inputs))
    return live, stage.replay(lambda: converse(stage, *inputs), **options)


def test_a_recorded_output_is_given_after_its_time(stage: Stage) -> None:
    live, replayed = again(stage, 'book {"day": "Monday"}')
    assert live.outputs == [("{'day': 'Monday', 'hour': 9, 'open': True}", False)]
    assert (replayed.outputs, replayed.said) == (live.outputs, live.said)
    assert replayed.took_ms == pytest.approx(live.took_ms, abs=5)
    assert live.took_ms >= 1_700
    assert EXECUTED == []
    assert [(n["modality"], n["origin"]) for n in stage.notes] == [
        ("llm", "recorded"),
        ("tool", "recorded"),
        ("llm", "recorded"),
    ]


@pytest.mark.parametrize(
    ("call", "output"),
    [
        ("pair {}", ("[1, 'a']", False)),
        ("refuse {}", ("no such day", True)),
        ("crash {}", ("An internal error occurred", True)),
        ("hush {}", ("", False)),
        ("quiet {}", ("sent", False)),
        ('raw {"b": 1, "a": [2]}', ('{"b": 1, "a": [2]}', False)),
    ],
)
def test_every_kind_of_outcome(stage: Stage, call: str, output: tuple[str, bool]) -> None:
    live, replayed = again(stage, call)
    assert live.outputs == [output]
    assert (replayed.outputs, replayed.said) == (live.outputs, live.said)
    assert (EXECUTED, stage.misses) == ([], [])


def test_the_order_of_arguments_does_not_matter(stage: Stage) -> None:
    stage.record(lambda: converse(stage, 'raw {"b": 1, "a": 2}'))
    stage.replay(lambda: converse(stage, 'raw {"a": 2, "b": 1}'), mode="live")
    assert EXECUTED == []


def test_a_call_that_was_never_recorded_is_not_executed(stage: Stage) -> None:
    stage.record(lambda: converse(stage, 'book {"day": "Monday"}'))
    with pytest.raises(Exception, match="holds no LLM exchange"):
        stage.replay(lambda: converse(stage, 'book {"day": "Tuesday"}'))
    assert EXECUTED == []


def test_refused_executed_or_fixed_by_policy(stage: Stage) -> None:
    live = 'book {"day": "Monday"}'

    def replay(policy: Any, mode: Any = "live") -> Outcome:
        return stage.replay(
            lambda: converse(stage, live),
            mode=mode,
            tools={"default": "error", "by_name": {"book": policy}},
        )

    refused = replay("error")
    assert refused.outputs == [
        (
            "lkgate: book was not executed: the cassette holds no tool exchange at all",
            True,
        )
    ]
    assert (EXECUTED, stage.misses[0].asked) == ([], 'book(day: "Monday")')
    assert replay({"value": {"ok": 1}}).outputs == [("{'ok': 1}", False)]
    assert [n["origin"] for n in stage.notes if n["modality"] == "tool"] == ["policy"]
    assert EXECUTED == []
    assert replay("run").outputs == [("{'day': 'Monday', 'hour': 9, 'open': True}", False)]
    assert EXECUTED == ["book Monday"]
    replay("run", "record")
    added = (stage.directory / "new" / "index.jsonl").read_text()
    assert '"modality":"tool"' in added


def test_a_miss_names_the_argument(stage: Stage) -> None:
    stage.record(lambda: converse(stage, 'book {"day": "Monday"}'))
    stage.replay(lambda: converse(stage, 'book {"day": "Tuesday"}'), mode="live")
    assert stage.misses[0].difference == 'day: [-"Monday"-] {+"Tuesday"+}'


def test_run_by_name_executes_what_was_recorded_too(stage: Stage) -> None:
    tools: dict[str, Json] = {"default": "error", "by_name": {"book": "run"}}
    again(stage, 'book {"day": "Monday"}', tools=tools)
    assert EXECUTED == ["book Monday"]
    tools = {"default": "run", "by_name": {}}
    stage.replay(lambda: converse(stage, 'book {"day": "Monday"}'), tools=tools)
    assert EXECUTED == []


def test_a_handoff_is_executed(stage: Stage) -> None:
    live, replayed = again(stage, "hand_over {}", "hello")
    assert (live.agent, replayed.agent) == ("A nurse.", "A nurse.")
    assert (replayed.said, EXECUTED) == (live.said, ["hand_over"])


def test_a_tool_that_only_hands_over_says_so_itself() -> None:
    @function_tool
    async def to_nurse() -> Agent:
        """Hands over."""
        return Agent(instructions="")

    @function_tool
    async def maybe() -> Agent | str:
        """Hands over, or not."""
        return ""

    desk = Desk()
    assert tool_tape.hands_over(to_nurse)
    assert tool_tape.hands_over(desk.hand_over)
    assert not tool_tape.hands_over(maybe)
    assert not tool_tape.hands_over(desk.book)


def test_state_that_a_tool_changed_is_changed_again(stage: Stage) -> None:
    live, replayed = again(stage, 'remember {"name": "Ann"}')
    assert live.guest.name == replayed.guest.name == "Ann"
    assert live.guest.orders == replayed.guest.orders == ["tea"]
    assert live.visits == replayed.visits == 1
    assert EXECUTED == []
    (note,) = [n for n in stage.notes if n["modality"] == "tool"]
    assert note["lost"] == ["userdata.clinic"]


def test_what_a_tool_did_to_the_session_is_done_again(stage: Stage) -> None:
    live, replayed = again(stage, "announce {}")
    assert "One moment." in live.said
    assert (replayed.said, EXECUTED) == (live.said, [])
    assert replayed.took_ms == pytest.approx(live.took_ms, abs=5)


def test_a_tool_with_a_conversation_of_its_own_is_executed(stage: Stage) -> None:
    live, replayed = again(stage, "ask {}", tools=RUN)
    assert live.outputs == replayed.outputs == [("Ann", False)]
    assert EXECUTED == ["ask"]
    stage.replay(lambda: converse(stage, "ask {}"), mode="live")
    assert EXECUTED == []
    assert stage.misses[0].reason == (
        "what it did cannot be replayed (AgentTask.await, AgentTask.complete), and "
        '[tool.lkgate.tools] does not say ask = "run"'
    )


def test_a_task_of_the_programs_own_has_tools_like_any_other(stage: Stage) -> None:
    live, replayed = again(stage, "ask_order {}", "order {}", tools=RUN)
    assert live.outputs == replayed.outputs
    assert EXECUTED == ["ask_order", "order"]
    stage.replay(
        lambda: converse(stage, "ask_order {}", "order {}"),
        mode="live",
        tools={"default": "run", "by_name": {"order": "error"}},
    )
    assert EXECUTED == ["ask_order"]
    assert "(AgentTask.complete)" in stage.misses[0].reason


def test_a_handoff_that_was_never_recorded_needs_the_settings(stage: Stage) -> None:
    stage.record(lambda: converse(stage, "pair {}"))
    stage.replay(lambda: converse(stage, "hand_over {}"), mode="live")
    assert EXECUTED == []
    assert stage.misses[0].reason == (
        "it hands the call over to another agent, which was never recorded, and "
        '[tool.lkgate.tools] does not say hand_over = "run"'
    )
    stage.replay(lambda: converse(stage, "hand_over {}"), mode="live", tools=RUN)
    assert (EXECUTED, stage.misses) == (["hand_over"], [])


def test_error_by_name_refuses_even_a_recorded_handoff(stage: Stage) -> None:
    tools: dict[str, Json] = {"default": "run", "by_name": {"hand_over": "error"}}
    stage.record(lambda: converse(stage, "hand_over {}"))
    stage.replay(lambda: converse(stage, "hand_over {}"), mode="live", tools=tools)
    assert EXECUTED == []
    assert "(returns an agent), and [tool.lkgate.tools]" in stage.misses[0].reason


def test_places_that_the_program_lacks_are_named(stage: Stage) -> None:
    stage.record(lambda: converse(stage, 'remember {"name": "Ann"}'))
    stage.replay(lambda: converse(stage, 'remember {"name": "Ann"}', guest=Nameless()))
    (note,) = [n for n in stage.notes if n["modality"] == "tool"]
    assert note["lost"] == ["userdata.clinic", "userdata.name"]


def test_a_programs_own_mock_is_left_alone(stage: Stage) -> None:
    stage.record(lambda: converse(stage, 'raw {"a": 1}'))
    mocks = {"raw": lambda: '{"a": 1}'}
    replayed = stage.replay(lambda: converse(stage, 'raw {"a": 1}', mocks=mocks))
    assert replayed.outputs == [('{"a": 1}', False)]
    assert [n["modality"] for n in stage.notes] == ["llm", "llm"]
