"""The two streams: stdout carries exactly the report, stderr everything else."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

# Of what a line that was too long goes on with, beyond its own indent.
_HANGING = 2


def stdout() -> Console:
    """Colour and wrapping on a terminal; plain, unwrapped text into a file or a pipe."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout, highlight=False, soft_wrap=not terminal, markup=False, emoji=False
    )


def print_report(text: Text) -> None:
    """On stdout; on a terminal, lines that are too long go on below their own beginning."""
    console = stdout()
    console.print(text if console.soft_wrap else hanging(text, console), end="")


def hanging(text: Text, console: Console) -> Text:
    """``text`` in lines that fit the console's width, each part of a line indented like it."""
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        width = console.width - indent - _HANGING
        if len(line.plain) <= console.width or width < 20:
            lines.append(line)
            continue
        for number, part in enumerate(line[indent:].wrap(console, width)):
            part.rstrip()
            lines.append(Text(" " * (indent + _HANGING * bool(number))).append_text(part))
    return Text("\n").join(lines)


def stderr() -> Console:
    """For progress, logs and errors."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
