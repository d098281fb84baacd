"""The README's pictures: ``python docs/pictures.py`` runs the commands and draws what they show.

Terminals as SVG, the report's page as PNG (with Playwright and a Chromium on the path).
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
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


def pages() -> None:
    """The page of the bad build: its top, a call, the same in the dark, and on a phone."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        page = Path(directory) / "report.html"
        # Into the baselines' build first: so that the page can play them too.
        for words in (["v1", "--no-gate"], ["v3", "--report", f"html={page}"]):
            command = [sys.executable, "-m", "lkgate", "replay", "--against", *words]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = chromium.new_page(viewport={"width": 1000, "height": 760})
        tab.goto(page.as_uri())
        tab.screenshot(path=DOCS / "report-why.png")
        tab.evaluate("document.querySelector('.call').scrollIntoView()")
        tab.screenshot(path=DOCS / "report-call.png")
        tab.keyboard.press("d")
        tab.screenshot(path=DOCS / "report-dark.png")
        tab.set_viewport_size({"width": 390, "height": 760})
        tab.evaluate("document.querySelector('.call').scrollIntoView()")
        tab.screenshot(path=DOCS / "report-phone.png")
        chromium.close()


def main() -> None:
    pages()
    for name, words in PICTURES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(Text(f"$ lkgate {' '.join(words)}", style="bold"))
        console.print(Text.from_ansi(terminal(words)), end="")
        console.save_svg(str(DOCS / f"{name}.svg"), title="lkgate")


if __name__ == "__main__":
    main()
