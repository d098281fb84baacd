"""What a miss says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lkgate.cassette.miss as miss_module
from lkgate.cassette.keys import Request, llm_request, tool_request, tts_request
from lkgate.cassette.miss import make_miss, word_diff
from lkgate.model.event import Json


def chat(*said: str, tools: tuple[str, ...] = ()) -> Request:
    items: list[dict[str, Json]] = [
        {"type": "message", "role": "user", "content": [text]} for text in said
    ]
    schemas: list[Json] = [{"name": name, "description": f"Does {name}."} for name in tools]
    return llm_request(model="m", items=items, tools=schemas, tool_choice=None)


def test_a_miss_says_what_was_asked_what_is_nearest_and_how_they_differ() -> None:
    recorded = [chat("Goodbye then"), chat("Hello", "I would like an appointment on Monday")]
    asked = chat("Hello", "I would like an appointment on Tuesday")
    miss = make_miss("llm", "k", asked, recorded)
    assert miss.reason == "the cassette holds no LLM exchange with this request"
    assert miss.asked == (
        "model m\n2 messages, 0 tools; the last:\nuser: Hello\n"
        "user: I would like an appointment on Tuesday"
    )
    assert miss.nearest == (
        "model m\n2 messages, 0 tools; the last:\nuser: Hello\n"
        "user: I would like an appointment on Monday"
    )
    assert miss.difference == "user: I would like an appointment on [-Monday-] {+Tuesday+}"


def test_a_message_more_and_a_tool_less() -> None:
    recorded = chat("Hello", tools=("book", "cancel"))
    miss = make_miss("llm", "k", chat("Hello", "Well?", tools=("book",)), [recorded])
    assert miss.difference == (
        '{+user: Well?+}\n[-tool cancel: {"description":"Does cancel.","name":"cancel"}-]'
    )


def test_nothing_recorded() -> None:
    miss = make_miss("tts", "k", tts_request(model="m", voice={}, text="Hi"), [])
    assert (miss.nearest, miss.difference) == (None, None)
    assert miss.reason == "the cassette holds no TTS exchange at all"
    assert miss.asked == "model m\nvoice {}\ntext Hi"


def test_the_tool_that_is_most_like_it() -> None:
    recorded = [
        tool_request(tool="cancel", arguments={"day": "Monday", "time": "10:00"}),
        tool_request(tool="book", arguments={"day": "Monday", "time": "10:00"}),
    ]
    asked = tool_request(tool="book", arguments={"day": "Monday", "time": "11:00"})
    miss = make_miss("tool", "k", asked, recorded)
    assert miss.asked == 'book(day: "Monday", time: "11:00")'
    assert miss.nearest == 'book(day: "Monday", time: "10:00")'
    assert miss.difference == 'time: [-"10:00"-] {+"11:00"+}'


def test_long_stretches_that_agree_are_cut() -> None:
    same = " ".join(f"w{number}" for number in range(40))
    assert word_diff(f"a {same} b", f"x {same} y") == (
        "[-a-] {+x+} w0 w1 w2 w3 w4 w5 ... w34 w35 w36 w37 w38 w39 [-b-] {+y+}"
    )
    assert word_diff(f"a: {same} b", f"a: {same} y") == (
        "a: ... w34 w35 w36 w37 w38 w39 [-b-] {+y+}"
    )


def test_a_text_that_repeats_itself_is_told_without_comparing_every_pair() -> None:
    assert word_diff("a " * 1000 + "x", "a " * 1000 + "y") == "a ... a a a a a a [-x-] {+y+}"
    told = word_diff("b a " * 2000, "b " + "a c " * 2000)
    assert told.startswith("... [-b a b a ")
    assert " ...-] {+c a c a " in told
    assert len(told) < 900


def test_texts_that_agree_in_every_second_word_are_compared_for_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = (" ".join(f"x{n} {end}{n}" for n in range(200)) for end in "ab")
    assert word_diff(old, new).count("[-") == 200
    monkeypatch.setattr(miss_module, "_MAX_STEPS", 2000)
    told = word_diff(old, new)
    assert told.startswith("x0 [-a0-] {+b0+} x1 [-a1-] {+b1+} x2 ")
    assert told.count("[-") < 10
    assert told.endswith(" x198 b198 x199 b199+}")


def test_long_requests_are_compared_by_what_they_share() -> None:
    def long(*numbers: range) -> Request:
        return chat(" ".join(f"w{n}" for part in numbers for n in part))

    near = long(range(1500), range(9000, 11000))
    recorded = [long(range(4000, 6000)), near, long(range(6000, 9000))]
    miss = make_miss("llm", "k", long(range(4000)), recorded)
    assert miss.nearest == make_miss("llm", "k", near, [near]).nearest
    assert miss.difference is not None
    assert miss.difference.startswith("user: ... w1494 ")
    assert len(miss.difference) == 20_000 + len(" ...")


words = st.text(alphabet="ab ", max_size=12)


@given(words, words)
def test_a_difference_holds_every_word_of_both(old: str, new: str) -> None:
    diff = word_diff(old, new)
    plain = diff.replace("[-", "").replace("-]", "").replace("{+", "").replace("+}", "")
    assert set(plain.split()) == {*old.split(), *new.split()}
    assert ("[-" in diff or "{+" in diff) == (old.split() != new.split())
