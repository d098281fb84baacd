"""Each rule of when the caller speaks, as one short call."""

from __future__ import annotations

from collections.abc import Mapping

from lkgate.model.bundle import Span
from lkgate.model.event import Json
from tests.caller.fakes import (
    FakeAgent,
    Notes,
    after_agent,
    after_caller,
    at_start,
    into_agent,
    perform,
    plan,
)


def span(start_ms: int, end_ms: int) -> Span:
    return Span(start_ms * 1000, end_ms * 1000)


def said(
    start_ms: int, *, late_ms: int = 0, anchor: str, index: int = 0, **more: Json
) -> Mapping[str, Json]:
    return {
        "index": index,
        "phase": "start",
        "anchor": anchor,
        "at_us": start_ms * 1000,
        "late_us": late_ms * 1000,
        **more,
    }


def starts(notes: Notes) -> list[Mapping[str, Json]]:
    return [data for data in notes.of("lkgate.caller_utterance") if data["phase"] == "start"]


def test_an_answer_comes_that_long_after_the_agent() -> None:
    caller = plan((0, 1000, after_agent(700)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 2013)]))
    assert starts(notes) == [said(2713, anchor="after_agent")]


def test_an_answer_waits_for_as_many_stretches_as_the_recording_had() -> None:
    caller = plan((0, 1000, after_agent(300, segments=2)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1500), span(2500, 3000)]))
    assert starts(notes) == [said(3300, anchor="after_agent")]


def test_fewer_stretches_are_the_whole_reply_after_the_grace() -> None:
    caller = plan((0, 1000, after_agent(300, segments=2)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1500)]))
    reason = "the agent spoke in 1 stretches, not 2"
    assert starts(notes) == [said(3000, anchor="after_agent", reason=reason)]


def test_an_agent_that_thinks_between_two_pieces_is_not_interrupted() -> None:
    caller = plan((0, 1000, after_agent(300)))
    states = [(500_000, "speaking"), (1_500_000, "thinking"), (4_000_000, "speaking")]
    agent = FakeAgent([span(500, 1500), span(4000, 5000)], [*states, (5_000_000, "listening")])
    _, notes, _ = perform(caller, agent)
    assert starts(notes) == [said(5300, anchor="after_agent")]


def test_a_listening_agent_is_answered_faster_than_a_detector_is_sure() -> None:
    caller = plan((0, 1000, after_agent(150)))
    agent = FakeAgent([span(500, 1500)], [(500_000, "speaking"), (1_510_000, "listening")])
    _, notes, _ = perform(caller, agent)
    assert starts(notes) == [said(1650, anchor="after_agent")]


def test_an_answer_decided_too_late_says_by_how_much() -> None:
    caller = plan((0, 1000, after_agent(100)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1500)]))
    assert starts(notes) == [said(1800, late_ms=200, anchor="after_agent")]


def test_a_barge_in_comes_that_long_into_the_stretch() -> None:
    caller = plan((0, 1000, into_agent(1200, segments=2)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1500), span(2000, 9000)]))
    assert starts(notes) == [said(3200, anchor="into_agent")]


def test_a_barge_in_into_a_stretch_that_ended_is_a_reply() -> None:
    caller = plan((0, 1000, into_agent(3000)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1500)]))
    reason = "the agent had finished: said as a reply"
    assert starts(notes) == [said(1800, anchor="into_agent", reason=reason)]


def test_a_barge_in_survives_a_pause_inside_the_reply() -> None:
    caller = plan((0, 1000, into_agent(3000)))
    agent = FakeAgent([span(500, 1500), span(2100, 6000)], [(500_000, "speaking")])
    _, notes, _ = perform(caller, agent)
    assert starts(notes) == [said(3500, anchor="into_agent")]


def test_the_caller_goes_on_whatever_the_agent_does() -> None:
    caller = plan((0, 1000, at_start(250)), (1400, 2000, after_caller(400)))
    _, notes, _ = perform(caller, FakeAgent([span(1300, 5000)]))
    assert starts(notes) == [
        said(250, anchor="start"),
        said(1650, anchor="after_caller", index=1),
    ]


def test_a_stretch_spoken_into_is_waited_for() -> None:
    caller = plan((0, 500, into_agent(1000)), (3000, 3500, after_agent(400, segments=0)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 4000)]))
    assert starts(notes)[1] == said(4400, anchor="after_agent", index=1)


def test_if_the_agent_yields_there_its_reply_is_waited_for() -> None:
    caller = plan((0, 500, into_agent(1000)), (3000, 3500, after_agent(400, segments=0)))
    _, notes, _ = perform(caller, FakeAgent([span(500, 1600), span(3000, 4000)]))
    assert starts(notes)[1] == said(4400, anchor="after_agent", index=1)


def test_a_silent_agent_ends_the_callers_patience() -> None:
    caller = plan((0, 1000, at_start(0)), (2000, 2500, after_agent(700)), patience_ms=5000)
    _, notes, _ = perform(caller, FakeAgent([]))
    reason = "the agent did not answer"
    assert notes.of("lkgate.caller_impatient") == [{"index": 1, "reason": reason}]
    assert starts(notes)[1] == said(6000, anchor="after_agent", index=1, reason=reason)


def test_patience_does_not_run_while_the_agent_speaks() -> None:
    caller = plan((0, 1000, after_agent(700)), patience_ms=5000)
    _, notes, _ = perform(caller, FakeAgent([span(500, 30_000)]))
    assert starts(notes) == [said(30_700, anchor="after_agent")]


def test_an_agent_that_thinks_for_ever_ends_the_callers_patience() -> None:
    caller = plan((0, 1000, after_agent(700)), patience_ms=5000)
    _, notes, _ = perform(caller, FakeAgent([span(500, 2000)], [(2_000_000, "thinking")]))
    reason = "the agent did not come to an end"
    assert starts(notes) == [said(7700, anchor="after_agent", reason=reason)]


def test_the_caller_leaves_once_the_agents_answer_is_over() -> None:
    caller = plan((0, 1000, at_start(0)), hangup_ms=800, closing=1)
    _, notes, _ = perform(caller, FakeAgent([span(3000, 4000)]))
    assert notes.of("lkgate.caller_hangup") == [
        {"reason": "everything was said", "at_us": 4_800_000}
    ]


def test_a_caller_who_got_no_answer_leaves_after_the_silence() -> None:
    caller = plan((0, 1000, at_start(0)), hangup_ms=800)
    _, notes, _ = perform(caller, FakeAgent([]))
    assert notes.of("lkgate.caller_hangup") == [
        {"reason": "everything was said", "at_us": 1_800_000}
    ]


def test_a_caller_never_answered_leaves_when_patience_ends() -> None:
    caller = plan((0, 1000, at_start(0)), hangup_ms=800, closing=1, patience_ms=5000)
    _, notes, _ = perform(caller, FakeAgent([]))
    assert notes.of("lkgate.caller_hangup") == [
        {"reason": "the agent did not answer", "at_us": 6_000_000}
    ]
