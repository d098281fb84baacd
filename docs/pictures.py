"""The README's terminal pictures: ``python docs/pictures.py`` runs the commands and draws them."""

from __future__ import annotations

import io
import os
import pty
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
PICTURES = {"green": ["replay", "--against", "v2"], "red": ["replay", "--against", "v3"]}
COLUMNS = 110


def terminal(words: list[str]) -> str:
    """What the command prints on a terminal's stdout, colours included."""
    printed = io.BytesIO()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        printed.write(data)
        return b""

    os.environ.update(COLUMNS=str(COLUMNS), TERM="xterm-256color", COLORTERM="truecolor")
    command = f"{sys.executable} -m lkgate {' '.join(words)} 2>/dev/null"
    pty.spawn(["sh", "-c", command], read)
    return printed.getvalue().decode().replace("\r\n", "\n")


def main() -> None:
    for name, words in PICTURES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(Text(f"$ lkgate {' '.join(words)}", style="bold"))
        console.print(Text.from_ansi(terminal(words)), end="")
        console.save_svg(str(DOCS / f"{name}.svg"), title="lkgate")


if __name__ == "__main__":
    main()
