"""The page as text: whole, inert, and small enough."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from lkgate.report.html import render
from tests.gate.calls import V3
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile, moving
from tests.report.html.pages import page, sources, tone
from tests.report.test_text import verdict_of

VOID = {"meta", "input", "br", "path", "rect", "line"}


class Tags(HTMLParser):
    """Elements, in order; raises if one is not closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def tags_of(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def test_it_asks_for_nothing_from_anywhere() -> None:
    text = page(verdict_of(V3)).text
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)
    assert "default-src 'none'; script-src 'sha256-" in unescape(text)
    assert not re.search(r"\bon\w+=|style=", text)


def test_the_verdict_comes_first_and_the_worst_call_before_the_others() -> None:
    text = page(verdict_of(V3)).text
    assert text.index("FAIL") < text.index("Why") < text.index("Calls")
    rules = re.findall(r'<article class="reason (\w+)" data-rule="([^"]+)"', text)
    assert rules == [
        ("fail", "barge-ins-ignored"), ("fail", "tool-arguments"), ("fail", "response-latency"),
    ]  # fmt: skip
    assert re.findall(r'id="call-([\w-]+)"', text)[0] == "barge-in-book"
    assert "Nothing got worse" in page(verdict_of(V2), build="v2").text


def test_arguments_that_changed_are_marked() -> None:
    assert (
        "<del>time: &#34;14:30&#34;</del> <ins>time: &#34;02:30&#34;</ins>"
        in page(verdict_of(V3)).text
    )


def test_audio_beyond_the_budget_lies_beside_the_page() -> None:
    inside, beside = page(verdict_of(V3)), page(verdict_of(V3), budget_bytes=1000)
    assert inside.beside == {}
    assert len(beside.beside) == 16
    assert all(name.startswith("report-audio/") for name in beside.beside)
    for name in beside.beside:
        assert f'data-src="{name}"' in beside.text
    assert len(beside.text) < len(inside.text)


def test_a_page_of_any_name_finds_its_audio() -> None:
    verdict = verdict_of(V3)
    beside = "what? #1\udcff-audio"  # a byte that is no UTF-8
    made = render(
        verdict, build="v3", digest=None, sources=sources(verdict, tone()), beside=beside,
        budget_bytes=0,
    )  # fmt: skip
    assert 'data-src="what%3F%20%231%FF-audio/0000.ogg"' in made.text


def test_what_an_answer_waited_for_is_told_in_words() -> None:
    text = page(verdict_of(V3)).text
    assert "end of turn 1.30 s (was 700 ms), model" in text
    assert re.search(r'<div class="note">barge-in at \d:\d\d\.\d: ignored</div>', text)
    assert text.count("From here on it is another conversation: not compared.") > 0


def test_a_mute_baseline_says_how_to_hear_it() -> None:
    verdict = verdict_of(V3)
    given = sources(verdict, tone())
    command = "lkgate replay 'a b' --against v1 --no-gate"
    given["long"] = replace(given["long"], commands={"baseline": command})
    made = render(verdict, build="v3", digest=None, sources=given, beside="r-audio")
    assert made.text.count("To hear it, run <code>") == 1
    assert f"<code>{escape(command)}</code> where that build is" in made.text


@settings(max_examples=4)
@given(st.text(max_size=60))
@example(TEXT)
@example('" onclick="alert(1)')
@example("</script><script>{{ 7*7 }}")
def test_whatever_a_call_says_is_text(text: str) -> None:
    calm = tags_of(page(hostile("calm")).text)
    made = page(hostile(text), build=text).text
    tags = tags_of(made)
    assert set(tags.seen) <= {*calm.seen, "br"}
    assert tags.attributes <= calm.attributes
    assert tags.seen.count("script") == 1
    assert not moving(made)
    made.encode()


def test_ten_megabytes_in_one_turn_are_not_ten_megabytes_of_page() -> None:
    assert len(page(hostile("a" * 10_000_000)).text) < 20_000_000
