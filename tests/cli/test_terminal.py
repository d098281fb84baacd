"""Reports on narrow terminals."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from lkgate.cli.terminal import hanging


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width)


def test_a_long_line_goes_on_below_its_own_beginning() -> None:
    text = Text("x rule\n    book, turn 10: the agent spoke on for much too long\n\nend\n")
    assert hanging(text, console(40)).plain == (
        "x rule\n    book, turn 10: the agent spoke on\n      for much too long\n\nend\n"
    )


def test_colours_stay_with_their_words() -> None:
    text = Text("one two three four five six ").append("red words at the end", style="red")
    (span,) = hanging(text, console(30)).spans[-1:]
    assert span.style == "red"


@given(st.text(st.sampled_from("ab \n"), max_size=200), st.integers(1, 60))
def test_no_word_is_lost(text: str, width: int) -> None:
    shown = hanging(Text(text), console(width)).plain
    assert "".join(shown.split()) == "".join(text.split())
