"""Markdown to the letter, within its limit, and inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lkgate.report.markdown import marker, render
from tests.gate.calls import V3
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile, moving
from tests.report.test_text import verdict_of

RED = (Path(__file__).parent / "red.md").read_text("utf-8")


def test_a_red_report() -> None:
    assert render([verdict_of(V3)], build="v3") == RED


def test_a_green_report_says_so_first() -> None:
    lines = render([verdict_of(V2)], build="v2").splitlines()
    assert lines[:4] == [
        "<!-- lkgate: v2 -->",
        "### ✅ PASS: v2",
        "",
        "clinic intake, 18 rules, 8 calls, gate `gates/demo.yaml`",
    ]


def test_the_marker_cannot_end_itself() -> None:
    about = ["a --> b", "gates/c.yaml", "d; e"]
    assert marker(about) == "<!-- lkgate: a %2D%2D%3E b; gates/c.yaml; d%3B e -->"


@given(st.integers(400, 8_000))
@settings(max_examples=20)
def test_it_keeps_to_its_limit_and_says_what_it_left_out(limit: int) -> None:
    text = render([verdict_of(V3), verdict_of(V2)], build="v3", limit=limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    whole = render([verdict_of(V3), verdict_of(V2)], build="v3")
    assert (text == whole) == ("longer than fits" not in text)


class Read(HTMLParser):
    """What a reader of GitHub's HTML sees."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.prose = ""
        self._code = 0
        # Without the option, the parser leaves out what is no plain Markdown: worse is worse.
        self.feed(cmarkgfm.github_flavored_markdown_to_html(made, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        # GitHub resolves nothing in code.
        self.prose += "" if self._code else data


OURS = {
    "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "em", "ul", "li", "code",
    "details", "summary",
}  # fmt: skip


def check_inert(made: str) -> None:
    assert not moving(made)
    read = Read(made.split("\n", 1)[1])
    assert read.tags <= OURS
    assert not re.search(r"[@#]\w|://|www\.|gh(sa)?-\w", read.prose, re.IGNORECASE)
    for run in re.findall(r"(?i)(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", read.prose):
        assert run.isdecimal()


@given(st.text(st.sampled_from("@#:/.w\\`*_[]()<>|&; -0afGHab\n\u200b") | st.characters()))
@example("a.b@evil.example #1 GH-12")
@settings(max_examples=25)
def test_whatever_a_call_says_is_text(said: str) -> None:
    for text in (said, TEXT):
        check_inert(render([hostile(text)], build=text))


def test_what_is_broken_reads_as_it_was() -> None:
    said = "Ask bo@example.com, @bo of #12 and GH-12 at https://a.b: 0123456789abcdef, 5550123456"
    read = Read(render([hostile(said)], build="v3"))
    assert said in read.prose.replace("\u200b", "")
    assert "5550123456" in read.prose  # a number that somebody said can be copied
