"""``python -m tests.benchmarks.pages``: the HTML report: time to make, size, time to answer."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from lkgate.bundle import read
from lkgate.model.verdict import Verdict
from lkgate.report.html import hear
from tests.gate.calls import V3
from tests.report.html.pages import many, page
from tests.report.html.test_browser import ARGUMENTS
from tests.report.test_text import verdict_of

ROOT = Path(__file__).parents[2]
SIZES = (8, 50, 500)
TIMES = 5


def pages() -> None:
    """Pages of calls of a minute, each with two sessions to be heard, and what sound costs."""
    _sound()
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if found is None:
        print("report page: no chromium, not measured")
        return
    page(verdict_of(V3))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        empty = Path(directory) / "empty.html"
        empty.write_text("<!DOCTYPE html><title>empty</title>", "utf-8")
        blank_s = statistics.median(_opened(chromium, empty) for _ in range(TIMES))
        print(f"an empty page, opened               {blank_s:5.2f} s")
        first: tuple[float, float] | None = None
        for size in SIZES:
            made_s, opened_s, inside, beside = _measure(chromium, size, Path(directory))
            first = first or (made_s, opened_s)
            audio = f" and {beside / 1e6:.0f} MB of audio beside it" if beside else ""
            print(f"report of {size} calls, {inside / 1e6:.1f} MB{audio}")
            print(f"  made                             {made_s:6.2f} s, {made_s / first[0]:5.1f} x")
            ratio = opened_s / first[1]
            print(f"  opened, and has answered a key   {opened_s:6.2f} s, {ratio:5.1f} x")
        chromium.close()


def _sound() -> None:
    """What every session that is new to a report costs once: read, drawn and encoded."""
    path = ROOT / "recordings" / "book"
    bundle = read(path)
    began = time.process_time()
    hear(path, bundle)
    took = time.process_time() - began
    length = bundle.manifest.duration_us / 1e6
    print(f"sound of a session, encoded         {length / took:5.0f} times real time, per core")


def _measure(chromium: Browser, size: int, directory: Path) -> tuple[float, float, int, int]:
    """Seconds to make, seconds until it has answered a key; bytes in the page and beside it."""
    eight = verdict_of(V3)
    every = many(eight, -(-size // len(eight.calls)))
    verdict: Verdict = replace(every, calls=every.calls[:size])
    began = time.perf_counter()
    made = page(verdict)
    made_s = time.perf_counter() - began
    path = directory / "report.html"
    path.write_text(made.text, "utf-8")
    opened_s = statistics.median(_opened(chromium, path) for _ in range(TIMES))
    return made_s, opened_s, len(made.text), sum(map(len, made.beside.values()))


def _opened(chromium: Browser, path: Path) -> float:
    tab = chromium.new_page()
    began = time.perf_counter()
    tab.goto(path.as_uri())
    tab.keyboard.press("j")
    answered = tab.evaluate("document.querySelectorAll('.call.current').length")
    took = time.perf_counter() - began
    assert answered == (0 if path.stem == "empty" else 1)
    tab.close()
    return took


if __name__ == "__main__":
    pages()
