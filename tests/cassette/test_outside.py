"""The place in a conversation: what counts, and what does not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lkgate.cassette import key_of
from lkgate.cassette.keys import lines
from lkgate.cassette.miss import make_miss
from lkgate.cassette.outside import conversation, hearing, speech


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [text]}


def agent(text: str = "Yes.") -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [text]}


def call(id: str, name: str = "book", arguments: str = '{"day": "Monday"}') -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def result(id: str, output: str = "done", *, is_error: bool = False) -> dict[str, Any]:
    return {
        "type": "function_call_output",
        "call_id": id,
        "name": "book",
        "output": output,
        "is_error": is_error,
    }


HANDOFF: dict[str, Any] = {"type": "agent_handoff", "old_agent_id": "receptionist"}
FIRST: dict[str, Any] = {"type": "agent_handoff", "old_agent_id": None}


def test_a_place_as_it_is_written() -> None:
    items: list[dict[str, Any]] = [
        FIRST,
        {"type": "message", "role": "system", "content": ["Be kind."]},
        agent("Hello."),
        user("I want"),
        user(" a table. "),
        call("a"),
        result("a"),
    ]
    assert conversation(items) == {
        "conversation": [
            {"role": "assistant"},
            {"role": "user", "text": "I want a table."},
            {"call": "book", "arguments": {"day": "Monday"}},
            {"result": "book", "output": "done", "error": False},
        ]
    }


def test_what_the_agent_said_does_not_matter_but_that_it_spoke_does() -> None:
    one = [agent("Hello."), user("Book.")]
    assert conversation(one) == conversation([agent("Good day."), agent("Well?"), user("Book.")])
    assert conversation(one) != conversation([user("Book.")])
    assert conversation(one) != conversation([*one, agent()])
    between = [user("A."), agent(), user("B.")]
    assert conversation(between) != conversation([user("A."), user("B.")])


def test_what_the_caller_said_and_what_tools_were_asked_and_answered_matters() -> None:
    places = [
        [user("Book.")],
        [user("book.")],
        [user("Book."), call("a"), result("a")],
        [user("Book."), call("a", arguments='{"day": "Tuesday"}'), result("a")],
        [user("Book."), call("a", name="move"), result("a")],
        [user("Book."), call("a"), result("a", "full")],
        [user("Book."), call("a"), result("a", is_error=True)],
        [user("Book."), call("a"), result("a"), call("b"), result("b")],
        [user("Book."), HANDOFF],
    ]
    keys = {key_of("llm", conversation(place)) for place in places}
    assert len(keys) == len(places)


def test_ids_and_the_order_among_parallel_calls_results_do_not_matter() -> None:
    one = [call("a"), result("a"), call("b", name="move"), result("b")]
    other = [call("x"), call("y", name="move"), result("x"), result("y")]
    assert conversation(one) == conversation(other)


def test_the_calls_that_lead_to_a_handoff_are_part_of_it() -> None:
    assert conversation([user("Ill."), call("a"), result("a", ""), HANDOFF]) == conversation(
        [user("Ill."), HANDOFF]
    )


def test_a_miss_names_the_place() -> None:
    recorded = [conversation([agent(), user("Book.")]), conversation([agent(), user("Move it.")])]
    asked = conversation([agent(), user("Move this."), call("a"), result("a"), HANDOFF])
    miss = make_miss("llm", "k", asked, recorded)
    assert miss.asked == (
        "a conversation of 3 items; the last:\nassistant: (spoke)\nuser: Move this.\nhandoff"
    )
    assert miss.nearest is not None
    assert miss.nearest.endswith("assistant: (spoke)\nuser: Move it.")
    assert miss.difference == "user: Move [-it.-] {+this.+}\n{+handoff+}"
    assert make_miss("llm", "k", conversation([]), []).asked == "a conversation of 0 items"
    assert lines("tts", speech("Good  day.")) == ["text Good day."]
    assert lines("stt", hearing()) == ["language any"]


@given(st.lists(st.sampled_from([user("A."), user("B."), agent(), call("a"), HANDOFF])))
def test_everything_that_is_said_later_makes_another_place(items: list[dict[str, Any]]) -> None:
    place = conversation(items)
    assert conversation([*items, user("C.")]) != place
    assert conversation([*items, call("z", name="z")]) != place
    assert conversation([*items, HANDOFF]) != place
