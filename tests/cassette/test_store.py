"""Reading a cassette, choosing an answer, adding to one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.cassette import Cassette, Exchange, NewCassette, key_of, pick
from lkgate.cassette.exchange import decode, encode
from lkgate.cassette.keys import llm_request, tool_request
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.secret import Secrets

LONG = "instructions " * 100


def exchange(ordinal: int, ending: str = "done") -> Exchange:
    return Exchange("tool", "k", ordinal, 0, {}, {"ending": ending}, "recorded")


def write(directory: Path, *arguments: Json) -> Cassette:
    new = NewCassette(directory, Cassette.open(directory / "none"))
    for number, value in enumerate(arguments):
        request = tool_request(tool="t", arguments={"a": value})
        new.add("tool", number, request, {"ending": "done", "value": number, "took_us": 1})
    return Cassette.open(directory)


def test_what_is_added_is_found_by_key_in_order(tmp_path: Path) -> None:
    cassette = write(tmp_path, 1, 2, 1)
    key = key_of("tool", tool_request(tool="t", arguments={"a": 1}))
    assert [found.response["value"] for found in cassette.find("tool", key)] == [0, 2]
    assert [found.ordinal for found in cassette.find("tool", key)] == [0, 1]
    assert cassette.find("llm", key) == ()
    assert {found.origin for found in cassette.exchanges} == {"live"}


def test_adding_goes_on_where_the_base_ends(tmp_path: Path) -> None:
    base = write(tmp_path / "base", 1)
    new = NewCassette(tmp_path / "new", base)
    new.add("tool", 9, tool_request(tool="t", arguments={"a": 1}), {"ending": "done"})
    together = tmp_path / "together"
    together.mkdir()
    (together / "index.jsonl").write_bytes(
        b"".join((tmp_path / name / "index.jsonl").read_bytes() for name in ("base", "new"))
    )
    assert [found.ordinal for found in Cassette.open(together).exchanges] == [0, 1]


def test_a_directory_without_a_cassette_is_an_empty_one(tmp_path: Path) -> None:
    assert Cassette.open(tmp_path / "absent").exchanges == ()


def test_long_texts_are_kept_once(tmp_path: Path) -> None:
    new = NewCassette(tmp_path, Cassette.open(tmp_path / "none"))
    schema: Json = {"name": "t", "description": LONG}
    requests = [
        llm_request(
            model="m",
            items=[
                {"type": "message", "role": "system", "content": [LONG]},
                {"type": "message", "role": "user", "content": [text]},
            ],
            tools=[schema],
            tool_choice=None,
        )
        for text in ("one", "two")
    ]
    for request in requests:
        new.add("llm", 0, request, {"ending": "done"})
    cassette = Cassette.open(tmp_path)
    found = sorted(map(cassette.request, cassette.exchanges), key=str)
    assert found == sorted(requests, key=str)
    assert len(list((tmp_path / "blobs").iterdir())) == 2
    assert all(len(line) < 600 for line in (tmp_path / "index.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{", "no exchange: Expecting property name enclosed in double quotes"),
        (b"[]", "no exchange: not an object"),
        (b'{"response":{"ending":"gone"}}', "no such ending: 'gone'"),
        (b'{"response":{"ending":"done"},"modality":"x"}', "`modality` is 'x', not one of"),
        (b'{"response":{"ending":"done"},"modality":"llm"}', "`key` is no text"),
    ],
)
def test_an_altered_line_is_refused(line: bytes, what: str) -> None:
    with pytest.raises(BundleError) as caught:
        decode(line, "index.jsonl:1")
    assert str(caught.value).startswith(f"index.jsonl:1: {what}")


def test_a_torn_index_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 1)
    path = tmp_path / "index.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match="the last line is torn"):
        Cassette.open(tmp_path)


def test_an_ordinal_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 1)
    path = tmp_path / "index.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(BundleError, match="has ordinal 0 twice"):
        Cassette.open(tmp_path)


def test_a_line_comes_back_as_it_was() -> None:
    made = Exchange(
        "llm", "k", 3, -5, {"model": "ü"}, {"ending": "error", "error": {"kind": "E"}}, "live"
    )
    assert decode(encode(made).encode(), "x") == made


@pytest.mark.parametrize(
    ("endings", "picked"),
    [
        ("", []),
        ("d", [0, 0, 0]),
        ("dd", [0, 1, 1]),
        ("cd", [1, 1, 1]),
        ("cdd", [1, 1, 2, 2]),
        ("dc", [0, 0, 0]),
        ("c", [0, 0]),
        ("cc", [0, 1, 1]),
        ("ed", [0, 1, 1]),
        ("ce", [1, 1]),
    ],
)
def test_the_answer_to_the_nth_request(endings: str, picked: list[int]) -> None:
    words = {"d": "done", "c": "cancelled", "e": "error"}
    recorded = [exchange(n, words[letter]) for n, letter in enumerate(endings)]
    found = [pick(recorded, n) for n in range(len(picked))]
    assert [answer.ordinal for answer in found if answer] == picked


@given(st.lists(st.sampled_from(["done", "cancelled", "error"]), min_size=1), st.integers(0, 20))
def test_a_whole_answer_is_never_passed_over(endings: list[str], n: int) -> None:
    recorded = [exchange(number, ending) for number, ending in enumerate(endings)]
    answer = pick(recorded, n)
    assert answer is not None
    assert answer.whole == any(found.whole for found in recorded)


def test_no_secret_is_written(tmp_path: Path) -> None:
    secrets = Secrets.of({"SHOP_KEY": "0123456789"})
    new = NewCassette(tmp_path, Cassette.open(tmp_path / "none"), secrets)
    asked = tool_request(tool="look", arguments={"with": "0123456789"})
    new.add("tool", 0, asked, {"ending": "done", "value": "at 0123456789" + "x" * 500})
    new.add("tts", 0, {"text": "y" * 500 + "0123456789"}, {"ending": "done"})
    speech, tool = sorted(Cassette.open(tmp_path).exchanges, key=lambda found: len(found.modality))
    hidden = tool_request(tool="look", arguments={"with": "[SHOP_KEY]"})
    assert (tool.request, tool.key) == (hidden, key_of("tool", hidden))
    assert str(tool.response["value"]).startswith("at [SHOP_KEY]")
    spoken = Cassette.open(tmp_path).request(speech)
    assert spoken == {"text": "y" * 500 + "[SHOP_KEY]"}
