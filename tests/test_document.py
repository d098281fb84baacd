"""YAML as JSON values with their places: what is read, and what is told about the rest."""

from __future__ import annotations

import pytest

from lkgate import document
from lkgate.errors import ConfigError
from lkgate.model.event import Json


def read(text: str) -> document.Document[ConfigError]:
    return document.parse(text, "a.yaml", ConfigError)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        read(text)
    return str(error.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((word, None) for word in ("null", "~", "")),
        *((word, True) for word in ("true", "True", "TRUE")),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        (".5", 0.5),
        ("3.", 3.0),
        ("1e3", 1000.0),
        *((word, word) for word in ("no", "on", "y", "1:30", "2026-01-01", "0x1F", "1_000")),
        *((word, word) for word in ("0171", "-07", "00.5", "1.2.3", ".", "+", ".nan", ".inf")),
        ("'12'", "12"),
        ('"true"', "true"),
        ("9" * 40, int("9" * 40)),
        ("9" * 5000, "9" * 5000),
        ("1e999", "1e999"),
    ],
)
def test_scalars(written: str, value: Json) -> None:
    found = read(f"k: {written}").value
    assert isinstance(found, dict)
    assert (found["k"], type(found["k"])) == (value, type(value))


def test_places() -> None:
    found = read("a:\n  - b\n  - {c: 1}\n")
    assert found.where(("a",)) == "a.yaml:1:1"
    assert found.place(("a", 0)) == found.place(("a", 0, "gone")) == (2, 5)
    assert found.where(("a",), key=False) == "a.yaml:2:3"
    assert found.where(("a", 1)) == "a.yaml:3:5"
    assert found.where(("a", 1, "c", "gone")) == "a.yaml:3:6"
    assert str(found.error("wrong", ("a", 1, "c"), "Do.")) == "a.yaml:3:9: wrong\n  Do."


def test_nothing() -> None:
    for text in ("", "\n", "# only a comment\n"):
        assert read(text).empty and read(text).value is None
        assert read(text).where(("a",)) == "a.yaml:1:1"
    assert not read("null").empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: 1\nb:\n  c: 1\n  c: 2\n",
            "a.yaml:4:3: the key `c` stands here twice\n"
            "  It is on line 3 already; keep one of them.",
        ),
        ("'a': 1\na: 2\n", "a.yaml:2:1: the key `a` stands here twice"),
        ("1: a\n", "a.yaml:1:1: a key must be text\n  Put it in quotes."),
        ("b: {null: a}\n", "a.yaml:1:5: a key must be text\n  Put it in quotes."),
        ("a: &x [1]\nb: *x\n", "a.yaml:2:4: the alias `*x` is not allowed here\n  Write out"),
        ("a: !!str 12\n", "a.yaml:1:4: the tag tag:yaml.org,2002:str is not allowed here"),
        ("<<: {a: 1}\n<<: {b: 1}\n", "a.yaml:2:1: the key `<<` stands here twice"),
        ("a: 1\n---\nb: 1\n", "a.yaml:2:1: a second document begins here"),
        ("a: {b: 1\nc: 2\n", "a.yaml:2:2: this is not YAML: while parsing a flow mapping, "),
        ("a: 'b\n", "a.yaml:2:1: this is not YAML: while scanning a quoted scalar, "),
        ("a\tb: \t- 1\n\t- 2", "a.yaml:1:2: this is not YAML: "),
        ("a: b\nc: d\x00\n", "a.yaml:2:5: this is not YAML: the character U+0000 may not"),
        ("[" * 5000, "a.yaml: this is nested too deeply"),
    ],
)
def test_what_is_wrong_and_where(text: str, said: str) -> None:
    assert refused(text).startswith(said)
