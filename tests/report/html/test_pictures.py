"""The report of the demo's bad build as people see it; draws the pictures in ``docs/``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab

from tests.report.html.test_browser import browser, tab

__all__ = ["browser", "tab"]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGE = "getComputedStyle(document.body).backgroundColor"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def replay(*words: str) -> int:
    command = [sys.executable, "-m", "lkgate", "replay", "--against", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=200).returncode


def test_the_red_report(tab: Tab, tmp_path: Path) -> None:
    # Into the baselines' build first: so that the page can play them too.
    assert replay("v1", "--no-gate") == 0
    assert replay("v3", "--report", f"html={tmp_path / 'report.html'}") == 1
    tab.set_viewport_size({"width": 1000, "height": 760})
    tab.goto((tmp_path / "report.html").as_uri())
    assert tab.inner_text("h1") == "FAIL v3"
    assert tab.locator(".reason.fail").first.is_visible()
    tab.screenshot(path=DOCS / "report-why.png")
    first = tab.locator(".call").first
    first.scroll_into_view_if_needed()
    tab.evaluate("document.querySelector('.call').scrollIntoView()")
    for side in ("recording", "baseline", "candidate"):
        assert first.locator(f"button.hear[data-side={side}]").first.is_visible()
    tab.screenshot(path=DOCS / "report-call.png")
    light = tab.evaluate(PAGE)
    tab.keyboard.press("d")
    assert tab.evaluate(PAGE) != light
    tab.screenshot(path=DOCS / "report-dark.png")
    tab.set_viewport_size({"width": 390, "height": 760})
    tab.evaluate("document.querySelector('.call').scrollIntoView()")
    assert tab.evaluate(SIDEWAYS) <= 0
    tab.screenshot(path=DOCS / "report-phone.png")
