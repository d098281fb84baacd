"""Which layer: every one of them can be the answer, with what shows it; and some have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lkgate.gate.evaluate import judge
from lkgate.gate.examine import examine
from lkgate.model.blame import LAYER_NAMES, Blame, FaultLayer
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event, Json
from tests.gate.calls import BOOK
from tests.gate.suites import gate
from tests.measure.builders import V1, Agent, Step, labels, play, result, us

Happened = tuple[float, str, Mapping[str, Json]]

AT: dict[str, Json] = {"time": "20:00"}
ASKED = Step("A table for two.", "For two, at what time?")
DONE = Step("At eight.", "It is booked.", tools=((BOOK, AT, "ok"),))
SAID = (ASKED, DONE)
DEAF = (ASKED, replace(DONE, heard="At.", reply="At what time?", tools=()))
# The caller says the second thing from 11.3 s to 13.3 s, ...
GAP: Happened = (
    12.0,
    "lkgate.gap",
    {"track": "caller", "cause": "loss", "start_us": us(11.5), "end_us": us(12.0)},
)
# ... and is silent while the agent says its first, from 7.5 s to 10.5 s.
SILENT_GAP: Happened = (
    10.0,
    "lkgate.gap",
    {"track": "caller", "cause": "loss", "start_us": us(9.5), "end_us": us(10.0)},
)
FAULT: Happened = (0.2, "lkgate.job", {"phase": "fault", "fault": "no_worker", "what": "no worker"})


def job(*phases: tuple[str, float]) -> tuple[Happened, ...]:
    return tuple(
        (t, "lkgate.job", {"phase": phase, "job": "J1", "agent": "clinic"}) for phase, t in phases
    )


QUICK = job(("requested", 0.1), ("assigned", 0.2), ("joined", 0.6))
SLOW = job(("requested", 0.1), ("assigned", 4.2), ("joined", 4.6))


def when(played: Bundle, happened: tuple[Happened, ...]) -> Bundle:
    """The same session, in which this was seen too."""
    seen = [(event.t_us, event.kind, event.data) for event in played.events]
    seen += [(us(t), kind, data) for t, kind, data in happened]
    seen.sort(key=lambda one: one[0])
    events = tuple(Event(t, n, kind, data) for n, (t, kind, data) in enumerate(seen))
    return replace(played, events=events)


def failing(played: Bundle) -> Bundle:
    """The same session, in which the first call of a tool failed."""
    at = next(n for n, event in enumerate(played.events) if event.kind == "function_tools_executed")
    calls = played.events[at].data["calls"]
    assert isinstance(calls, list)
    assert isinstance(calls[0], dict)
    failed: dict[str, Json] = {**calls[0], "is_error": True, "output": "the line is busy"}
    data: dict[str, Json] = {"calls": [failed]}
    changed = replace(played.events[at], data=data)
    return replace(played, events=(*played.events[:at], changed, *played.events[at + 1 :]))


def blamed(
    rule: str,
    now: tuple[Step, ...] = SAID,
    was: tuple[Step, ...] = SAID,
    *,
    build: Agent = V1,
    happened: tuple[Happened, ...] = (),
    before: tuple[Happened, ...] = (),
    fails: bool = False,
) -> Blame:
    """The blame of a rule that one call breaks."""
    said = labels(*(step.says for step in was), tools=[(BOOK, AT)])
    base = result("one", was, V1, truth=said)
    assert base.baseline is not None
    played = when(play(now, build, recording="one"), happened)
    accepted = when(base.baseline.bundle, before)
    one = replace(
        base,
        candidate=failing(played) if fails else played,
        baseline=replace(base.baseline, bundle=accepted),
    )
    (finding,) = judge(gate(rule), [examine(one)], recordings=["one"]).findings
    assert finding.status == "fail", finding.reason
    assert finding.blame is not None
    return finding.blame


TOOLS = "metric: tool_selection_changes, aggregate: sum, max: 0"
ARGUMENTS = "metric: tool_argument_changes, aggregate: sum, max: 0"
HEARD = "metric: word_error_rate, aggregate: rate, max: 1%"
WAITED = "metric: response_latency, aggregate: mean, max_increase: 40 ms, about: these_calls"
HANDOFFS = "metric: handoff_changes, aggregate: sum, max: 0"

THANKS = Step("Thank you.", "Goodbye.")
AGAIN = replace(DONE, says="Please try it again.")
MORE = (*SAID, THANKS)
LATE_GAP: Happened = (
    17.0,
    "lkgate.gap",
    {"track": "caller", "cause": "loss", "start_us": us(16.5), "end_us": us(17.0)},
)


# The caller says the first thing from 4.3 s to 6.3 s.
EARLY_GAP: Happened = (
    5.0,
    "lkgate.gap",
    {"track": "caller", "cause": "loss", "start_us": us(4.8), "end_us": us(5.0)},
)


AGENT_GAP: Happened = (
    12.0,
    "lkgate.gap",
    {"track": "agent", "cause": "loss", "start_us": us(11.5), "end_us": us(12.0)},
)


def with_tool(name: str, arguments: dict[str, Json]) -> tuple[Step, ...]:
    return (ASKED, replace(DONE, tools=((name, arguments, "ok"),)))


def to(nurse: str) -> tuple[Step, ...]:
    return (ASKED, replace(DONE, tools=(), handoff=nurse))


@dataclass(frozen=True)
class Case:
    """What happened, whose fault it is, and what is told of it."""

    layer: FaultLayer | None
    rule: str
    told: str
    now: tuple[Step, ...] = SAID
    was: tuple[Step, ...] = SAID
    more: dict[str, Any] = field(default_factory=dict)


CASES = {
    "lost sound": Case(
        "media", "metric: media_gaps, aggregate: sum, max: 0 s", "caller: loss",
        more={"happened": (GAP,)},
    ),
    "lost sound, so words": Case("media", HEARD, "caller: loss", DEAF, more={"happened": (GAP,)}),
    "lost sound, so tools": Case("media", TOOLS, "caller: loss", DEAF, more={"happened": (GAP,)}),
    "no worker": Case(
        "dispatch", "metric: job_faults, aggregate: sum, max: 0", "no worker",
        more={"happened": (FAULT,)},
    ),
    "slow dispatch": Case(
        "dispatch", "metric: dispatch_time, aggregate: max, max: 2 s",
        "dispatch_time is 4.10 s in the call, was 100 ms",
        more={"happened": SLOW, "before": QUICK},
    ),
    "slow start, as ever": Case(
        "dispatch", "metric: job_start_time, aggregate: max, max: 100 ms",
        "job_start_time is 400 ms in the call, as it was before",
        more={"happened": SLOW, "before": QUICK},
    ),
    "misheard": Case("stt", HEARD, 'heard "At.", was "At eight."', DEAF),
    "misheard, then lost sound": Case(
        "stt", HEARD, 'heard "At.", was "At eight."', (ASKED, replace(DONE, heard="At."), THANKS),
        MORE, {"happened": (LATE_GAP,)},
    ),
    "lost sound that changed nothing, then misheard": Case(
        "stt", TOOLS, 'heard "At.", was "At eight."', (THANKS, *DEAF), (THANKS, *SAID),
        {"happened": (EARLY_GAP,)},
    ),
    "lost sound that was heard the same, then an argument changed": Case(
        "llm", ARGUMENTS, 'book_appointment $.time: "20:00" became "08:00"',
        with_tool(BOOK, {"time": "08:00"}), more={"happened": (GAP,)},
    ),
    "lost sound that was heard the same, then a tool renamed": Case(
        "tool_schema", TOOLS,
        "book_appointment is called create_booking, with the same arguments",
        with_tool("create_booking", AT), more={"happened": (GAP,)},
    ),
    "lost sound that was heard the same, then another nurse": Case(
        "handoff", HANDOFFS, "handed off to billing, was nurse", to("billing"), to("nurse"),
        {"happened": (GAP,)},
    ),
    "lost sound that was heard the same, then a tool fails": Case(
        "tool", "metric: tool_errors, aggregate: sum, max: 0", "book_appointment failed",
        more={"fails": True, "happened": (GAP,)},
    ),
    "lost sound of a silent caller, then misheard": Case(
        "stt", HEARD, 'heard "At.", was "At eight."', DEAF, more={"happened": (SILENT_GAP,)},
    ),
    "the agent's lost sound, then misheard": Case(
        "stt", TOOLS, 'heard "At.", was "At eight."', DEAF,
        more={"happened": (AGENT_GAP,)},
    ),
    "late end of turn": Case(
        "turn_taking", WAITED, "the end of the turn is decided 700 ms later",
        more={"build": Agent(end_of_turn=1.4)},
    ),
    "tool renamed": Case(
        "tool_schema", TOOLS,
        "book_appointment is called create_booking, with the same arguments",
        with_tool("create_booking", AT),
    ),
    "argument gone": Case(
        "tool_schema", ARGUMENTS, 'book_appointment $.time: "20:00" is missing',
        with_tool(BOOK, {}),
    ),
    "argument new": Case(
        "tool_schema", ARGUMENTS, 'book_appointment $.day: "today" is new',
        with_tool(BOOK, {**AT, "day": "today"}),
    ),
    "argument changed": Case(
        "llm", ARGUMENTS, 'book_appointment $.time: "20:00" became "08:00"',
        with_tool(BOOK, {"time": "08:00"}),
    ),
    "tool fails": Case(
        "tool", "metric: tool_errors, aggregate: sum, max: 0", "book_appointment failed",
        more={"fails": True},
    ),
    "tool fails, so called again": Case(
        "tool", TOOLS, "book_appointment failed", (*SAID, AGAIN), (*SAID, replace(AGAIN, tools=())),
        {"fails": True},
    ),
    "other nurse": Case(
        "handoff", HANDOFFS, "handed off to billing, was nurse", to("billing"), to("nurse")
    ),
    "late voice": Case(
        "tts", WAITED, "the voice's first sound comes 700 ms later", more={"build": Agent(tts=0.9)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_layer_is_named_with_what_shows_it(case: Case) -> None:
    told = blamed(case.rule, case.now, case.was, **case.more)
    assert told.layer == case.layer
    assert told.reason == f"what changed first in 1 of 1 call: {case.told}"
    assert [(one.layer, one.calls) for one in told.suspects] == [(case.layer, ("one",))]


def test_every_layer_can_be_the_answer() -> None:
    assert {case.layer for case in CASES.values()} == set(LAYER_NAMES)


def test_waiting_that_grew_in_every_part_is_not_clear() -> None:
    told = blamed(WAITED, build=Agent(end_of_turn=1.0, llm=0.6, tts=0.5))
    assert (told.layer, told.suspects) == (None, ())
    assert told.reason == "no part of the waiting holds half of what was added"


def test_a_whole_call_that_nothing_came_before_is_not_clear() -> None:
    told = blamed("metric: call_duration, aggregate: sum, max: 0 s")
    assert (told.layer, told.suspects) == (None, ())
    assert told.reason == "nothing that can be the reason changed before it"
