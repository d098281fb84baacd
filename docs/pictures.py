"""The README's pictures: ``python docs/pictures.py`` runs the commands and draws what they show.

Terminals, as SVG. Those of the report's page are drawn by ``tests/report/html/test_pictures.py``.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
PICTURES = {"green": ["replay", "--against", "v2"], "red": ["replay", "--against", "v3"]}
COLUMNS = 110


def terminal(words: list[str]) -> str:
    """What the command prints on a terminal's stdout, colours included."""
    ours, theirs = os.openpty()
    variables = {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = subprocess.Popen(
        [sys.executable, "-m", "lkgate", *words],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables},
    )
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # EIO: it is over
        while part := os.read(ours, 4096):
            printed += part
    child.wait()
    os.close(ours)
    text = printed.decode().replace("\r\n", "\n")
    if "gates/demo.yaml" not in text.splitlines()[-1]:
        raise SystemExit(f"lkgate {' '.join(words)} did not print its report to the end:\n{text}")
    return text


def main() -> None:
    for name, words in PICTURES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(Text(f"$ lkgate {' '.join(words)}", style="bold"))
        console.print(Text.from_ansi(terminal(words)), end="")
        console.save_svg(str(DOCS / f"{name}.svg"), title="lkgate")


if __name__ == "__main__":
    main()
