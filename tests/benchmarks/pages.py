"""The HTML report: how long it takes to make and to open, and how large it is."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from lkgate.model.verdict import Verdict
from tests.gate.calls import V3
from tests.report.html.pages import many, page
from tests.report.html.test_browser import ARGUMENTS
from tests.report.test_text import verdict_of


def pages() -> None:
    """Pages of 8, 48 and 480 calls of a minute, each with two sessions to be heard."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser is None:
        print("report page: no chromium, not measured")
        return
    page(verdict_of(V3))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
        first: tuple[float, float] | None = None
        for times in (1, 6, 60):
            verdict = many(verdict_of(V3), times)
            made_s, opened_s, size = _measure(chromium.new_page(), verdict, Path(directory))
            first = first or (made_s, opened_s)
            print(f"report page of {8 * times} calls, {size / 1e6:.1f} MB, against one of 8")
            print(f"  made                             {made_s / first[0]:6.1f} times as long")
            print(f"  opened, in {opened_s:4.2f} s                {opened_s / first[1]:6.1f} times")
        chromium.close()


def _measure(tab: Page, verdict: Verdict, directory: Path) -> tuple[float, float, int]:
    """Seconds to make, seconds until it has answered a key, bytes."""
    began = time.perf_counter()
    made = page(verdict)
    made_s = time.perf_counter() - began
    path = directory / "report.html"
    path.write_text(made.text, "utf-8")
    began = time.perf_counter()
    tab.goto(path.as_uri())
    tab.keyboard.press("j")
    assert tab.locator(".call.current").count() == 1
    opened_s = time.perf_counter() - began
    tab.close()
    return made_s, opened_s, len(made.text)
