"""What is the same request, and what is not."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.cassette.keys import (
    key_of,
    lines,
    llm_request,
    model_label,
    stt_request,
    tool_request,
    tts_request,
)
from lkgate.model.event import Json

Item = dict[str, Json]
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)


def message(role: str, text: str, **more: Json) -> Item:
    return {"type": "message", "role": role, "content": [text], **more}


def key(*items: Mapping[str, Json], tools: tuple[Json, ...] = (), choice: Json = None) -> str:
    request = llm_request(model="m", items=items, tools=list(tools), tool_choice=choice)
    return key_of("llm", request)


def call(id: str, arguments: str, name: str = "book") -> Item:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def output(id: str, text: str, *, is_error: bool = False) -> Item:
    return {
        "type": "function_call_output",
        "call_id": id,
        "name": "book",
        "output": text,
        "is_error": is_error,
    }


def test_a_key_is_for_ever() -> None:
    items = [message("system", "Be brief."), message("user", "Hi"), call("a", '{"day": 1}')]
    assert key(*items, output("a", "ok")) == "42fb654d99f901cb5467b2b7ce9e9695"


@pytest.mark.parametrize(
    "same",
    [
        message("user", " Book \n it ", id="item_1", created_at=1.5, metrics={"e2e_latency": 2}),
        message("user", "Book it", interrupted=True),
    ],
)
def test_ids_times_metrics_and_white_space_do_not_matter(same: Item) -> None:
    assert key(same) == key(message("user", "Book it"))


@pytest.mark.parametrize("other", [message("user", "book it"), message("assistant", "Book it")])
def test_words_and_roles_do(other: Item) -> None:
    assert key(other) != key(message("user", "Book it"))


def test_where_an_answer_was_cut_does_not_matter_but_that_it_was() -> None:
    cut, shorter = (
        message("assistant", text, interrupted=True) for text in ("I have boo", "I have")
    )
    assert key(cut) == key(shorter)
    assert key(cut) != key(message("assistant", "I have boo"))


def test_handoffs_settings_and_empty_messages_are_not_seen_by_a_provider() -> None:
    said = message("user", "Hi")
    handoff: Item = {"type": "agent_handoff", "new_agent_id": "nurse"}
    config: Item = {"type": "agent_config_update", "instructions": "x"}
    assert key(handoff, said, config, message("assistant", " ")) == key(said)


def test_calls_are_numbered_and_their_arguments_compared_as_values() -> None:
    one = [call("x", '{"a": 1, "b": [2]}'), output("x", "ok")]
    two = [call("y", '{"b":[2],"a":1}'), output("y", "ok")]
    assert key(*one) == key(*two)
    assert key(*one) != key(call("x", '{"a": 1, "b": [3]}'), output("x", "ok"))
    assert key(*one) != key(one[0], output("x", "ok", is_error=True))
    crossed = [call("x", "{}"), call("y", "{}"), output("y", "ok"), output("x", "ok")]
    straight = [call("x", "{}"), call("y", "{}"), output("x", "ok"), output("y", "ok")]
    assert key(*crossed) != key(*straight)


def test_tools_in_any_order_and_the_choice_among_them() -> None:
    said = message("user", "Hi")
    a: Json = {"name": "a"}
    b: Json = {"name": "b"}
    assert key(said, tools=(a, b)) == key(said, tools=(b, a))
    assert key(said, tools=(a,)) != key(said, tools=(a, b))
    assert key(said, choice="auto") == key(said)
    assert key(said, choice="none") != key(said)


def test_what_is_not_text() -> None:
    seen: Item = {"type": "message", "role": "user", "content": ["Look", {"image": "ab12"}]}
    heard: Item = {"type": "message", "role": "user", "content": [{"audio": "hello"}]}
    request = llm_request(model="m", items=[seen, heard], tools=[], tool_choice=None)
    assert lines("llm", request) == [
        "model m",
        "user: Look [image ab12]",
        "user: [audio hello]",
        'tool choice "auto"',
    ]


def test_arguments_that_are_no_json() -> None:
    assert tool_request(tool="t", arguments='{"a": ')["arguments"] == '{"a":'
    assert tool_request(tool="t", arguments="")["arguments"] == {}
    assert tool_request(tool="t", arguments=None)["arguments"] == {}


@given(st.dictionaries(st.text(), values))
def test_arguments_as_text_and_as_values_are_one_call(arguments: dict[str, Json]) -> None:
    text = json.dumps(arguments)
    assert tool_request(tool="t", arguments=text) == tool_request(tool="t", arguments=arguments)


@given(st.lists(st.text()), st.sampled_from([" ", "\n", "\t  "]))
def test_white_space_never_matters_to_a_voice(words: list[str], space: str) -> None:
    one = tts_request(model="m", voice={}, text=space.join(words))
    assert one == tts_request(model="m", voice={}, text=" ".join(words))


@given(st.dictionaries(st.text(), values))
def test_the_order_of_fields_never_matters(arguments: dict[str, Json]) -> None:
    turned = dict(reversed(arguments.items()))
    assert key_of("tool", {"arguments": arguments}) == key_of("tool", {"arguments": turned})


def test_modalities_have_keys_of_their_own() -> None:
    request = stt_request(model="m", language=None)
    assert key_of("stt", request) != key_of("tts", request)


@pytest.mark.parametrize(
    ("told", "label"),
    [
        (("openai", "gpt-4.1", "LLM"), "openai/gpt-4.1"),
        (("unknown", "unknown", "MyLLM"), "MyLLM"),
        (("clinic", "unknown", "MyLLM"), "clinic/MyLLM"),
        (("unknown", "mine", "MyLLM"), "mine"),
    ],
)
def test_a_model_is_called_as_it_calls_itself(told: tuple[str, str, str], label: str) -> None:
    assert model_label(*told) == label
