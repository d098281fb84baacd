"""Tools and the goal: what the one example of each metric does not show."""

from __future__ import annotations

import pytest

from lkgate.measure.toolrun import agrees
from lkgate.model.label import ArgumentRule, ExpectedTool, Step
from tests.measure.builders import bundle, handoff, labels, said, span, started, tool, us
from tests.measure.measuring import measured


def test_wrong_missing_and_extra_add_up() -> None:
    session = bundle(
        events=[(float(n), *tool(name, call_id=name)) for n, name in enumerate("axcyz", 1)]
    )
    truth = labels("hi", tools=[(name, {}) for name in ("a", "b", "c", "d", "e", "f")])
    # x stands for b; behind c, y and z for d and e; f is missing
    assert measured("tools_wrong", session, truth).value == 3
    assert measured("tools_missing", session, truth).value == 1
    assert measured("tools_extra", session, truth).value == 0
    assert measured("tool_selection_errors", session, truth).value == 2 * 3 + 1 + 0
    notes = [s.note for s in measured("tools_wrong", session, truth).samples if s.value]
    assert notes[0] == "x was called in place of b"
    extra = labels("hi", tools=[("a", {})])
    assert measured("tools_extra", session, extra).value == 4


def test_arguments_by_rules() -> None:
    session = bundle(events=[(1.0, *tool("book", {"at": "2:30 pm", "who": "ann"}))])
    exact = labels("hi", tools=[("book", {"at": "14:30"})])
    assert measured("tool_argument_errors", session, exact).value == 1
    assert measured("task_completed", session, exact).value == 0
    rules = {"at": ArgumentRule("date"), "who": ArgumentRule("text")}
    loose = labels("hi", tools=[ExpectedTool("book", {"at": "14:30", "who": "Ann."}, rules)])
    assert measured("tool_argument_errors", session, loose).value == 0
    assert measured("task_completed", session, loose).value == 1


def test_latency_needs_a_start_and_an_end() -> None:
    reported = bundle(events=[(1.0, *tool("book", call_id="1"))])
    found = measured("tool_latency", reported)
    assert [s.reason for s in found.samples] == ["the start of book was not seen"]
    begun = bundle(events=[(1.0, *started("book", {}, "1"))])
    assert measured("tool_latency", begun).samples[0].reason == "the end of book was not seen"
    both = bundle(
        events=[
            (1.0, *started("book", {}, "1")),
            (
                3.5,
                "tool_execution_updated",
                {"phase": "ended", "call_id": "1", "status": "done"},
            ),
        ]
    )
    assert measured("tool_latency", both).value == us(2.5)
    assert measured("tool_latency", bundle(events=[(1.0, *said("user", "x"))])).n == 0


def test_retries() -> None:
    session = bundle(
        events=[
            (1.0, *tool("book", {"n": 1}, is_error=True, call_id="1")),
            (2.0, *tool("book", {"n": 2}, call_id="2")),
            (3.0, *tool("book", {"n": 3}, call_id="3")),
            (4.0, *tool("look", {"n": 3}, call_id="4")),
            (5.0, *tool("book", {"n": 3}, call_id="5")),
        ]
    )
    # after the failure, not with other arguments, again with the same
    assert [s.value for s in measured("tool_retries", session).samples] == [0, 1, 0, 0, 1]


def test_tool_while_a_question_is_open() -> None:
    session = bundle(
        caller=[span(1, 2), span(6, 7)],
        agent=[span(3, 4), span(8, 9)],
        events=[
            (2.5, *said("user", "Book.")),
            (4.1, *said("assistant", "Which day?")),
            (4.5, *tool("book", call_id="1")),
            (7.5, *said("user", "Tuesday.")),
            (7.6, *tool("book", call_id="2")),
        ],
    )
    found = measured("tools_after_unclear_intent", session)
    assert [(s.value, s.note) for s in found.samples] == [
        (1.0, "book: 'Which day?' was not answered yet"),
        (0.0, None),
    ]


@pytest.mark.parametrize(
    ("words", "agreed"),
    [
        ("Yes, please.", True),
        ("That is right.", True),
        ("Oh, sounds good.", True),
        ("No, that is not right.", False),
        ("Not yet.", False),
        ("Wait, okay?", False),
        ("Tuesday.", False),
        ("", False),
    ],
)
def test_a_yes(words: str, agreed: bool) -> None:
    assert agrees(words) is agreed


def test_a_yes_of_another_language() -> None:
    assert agrees("Ja, gern.", ("ja", "genau"))
    assert not agrees("Yes.", ("ja", "genau"))


def test_confirmation_and_precondition() -> None:
    book = ExpectedTool("book", {}, changes=True, after=("look_up",))
    truth = labels("x", tools=[("look_up", {}), book])
    right = bundle(
        caller=[span(1, 2)],
        agent=[span(5, 6)],
        events=[
            (1.5, *tool("look_up", call_id="0")),
            (2.5, *said("user", "Yes.")),
            (3.0, *tool("book", call_id="1")),
        ],
    )
    assert measured("tools_unconfirmed", right, truth).value == 0
    assert measured("tool_precondition_errors", right, truth).value == 0
    early = bundle(
        caller=[span(2, 3)],
        events=[
            (1.0, *tool("book", call_id="1")),
            (1.5, *tool("look_up", call_id="0", is_error=True)),
            (3.5, *said("user", "Yes.")),
            (4.0, *tool("book", call_id="2")),
        ],
    )
    found = measured("tools_unconfirmed", early, truth)
    assert [(s.value, s.note) for s in found.samples] == [
        (1.0, "book before the caller said anything"),
        (0.0, "book after 'Yes.'"),
    ]
    found = measured("tool_precondition_errors", early, truth)
    # the second time it was looked up, but that failed
    assert [s.value for s in found.samples] == [1, 1]
    for name in ("tools_unconfirmed", "tool_precondition_errors"):
        assert measured(name, early, labels("x")).samples[0].status == "not_applicable"


def test_steps_in_their_order() -> None:
    session = bundle(
        caller=[span(3, 4)],
        agent=[span(1, 2), span(6, 7)],
        events=[
            (2.1, *said("assistant", "This call is recorded. How can I help?")),
            (4.5, *said("user", "Book.")),
            (5.0, *tool("book", call_id="1")),
            (5.1, *handoff("nurse")),
            (7.1, *said("assistant", "Done.")),
        ],
    )
    right = [
        Step("says", "call is recorded"),
        Step("says", "how can I help"),
        Step("tool", "book"),
        Step("handoff", "nurse"),
        Step("says", "done"),
    ]
    truth = labels("book", tools=[("book", {})], required=right)
    assert measured("required_steps_missed", session, truth).value == 0
    assert measured("task_completed", session, truth).value == 1
    wrong = [Step("tool", "book"), Step("says", "call is recorded"), Step("tool", "book")]
    truth = labels("book", tools=[("book", {})], required=wrong)
    found = measured("required_steps_missed", session, truth)
    assert [s.note for s in found.samples if s.value] == [
        "the agent did not say 'call is recorded' when it was due",
        "the agent did not call 'book' when it was due",
    ]
    assert measured("task_completed", session, truth).value == 0
    none = measured("required_steps_missed", session, labels("book"))
    assert (none.value, none.samples[0].status) == (None, "not_applicable")


def test_a_shortcut_does_not_complete_the_task() -> None:
    session = bundle(
        agent=[span(3, 4)],
        caller=[span(1, 2)],
        events=[
            (2.5, *tool("book", call_id="1")),
            (4.1, *said("assistant", "I guarantee it.")),
        ],
    )
    ok = labels("x", tools=[("book", {})], forbidden_tools=["pay"], forbidden_phrases=["never"])
    assert measured("task_completed", session, ok).value == 1
    assert measured("forbidden_tools", session, ok).value == 0
    assert measured("forbidden_phrases", session, ok).value == 0
    assert measured("hung_up_early", session, ok).value == 0
    says = labels("x", tools=[("book", {})], forbidden_phrases=["I guarantee"])
    found = measured("task_completed", session, says)
    assert (found.value, found.samples[0].note) == (0, "'I guarantee' is forbidden")
    assert found.samples[0].turn == 1
    assert measured("forbidden_phrases", session, says).value == 1
    calls = labels("x", tools=[("book", {})], forbidden_tools=["book"])
    assert measured("task_completed", session, calls).value == 0
    # Nobody saw who left first.
    assert measured("hung_up_early", session, calls).value == 0


def test_handoffs_to_the_right_agent() -> None:
    session = bundle(events=[(1.0, *handoff("nurse")), (2.0, *handoff("doctor"))])
    assert measured("handoff_errors", session, labels("x", handoffs=["nurse", "doctor"])).value == 0
    found = measured("handoff_errors", session, labels("x", handoffs=["doctor", "nurse"]))
    assert [s.note for s in found.samples if s.value] == ["handoff to doctor: out of order"]
    assert measured("handoff_errors", session, labels("x", handoffs=[])).value == 2
    quiet = bundle(events=[(1.0, *said("user", "x"))])
    assert measured("handoff_errors", quiet, labels("x", handoffs=[])).value == 0
    assert measured("handoff_errors", quiet, labels("x")).value is None


def test_question_that_is_asked_again_after_a_handoff() -> None:
    session = bundle(
        caller=[span(3, 4), span(7, 8)],
        agent=[span(1, 2), span(5, 6), span(9, 10)],
        events=[
            (2.1, *said("assistant", "Hello. What is your name, please?")),
            (4.5, *said("user", "Ann Lee.")),
            (4.6, *handoff("nurse")),
            (6.1, *said("assistant", "What is your name please? And how old are you?")),
            (8.5, *said("user", "Ann Lee.")),
            (10.1, *said("assistant", "How old are you?")),
        ],
    )
    found = measured("handoff_context_lost", session)
    assert [(s.value, s.note) for s in found.samples] == [(1.0, "'what is your name please' again")]
