"""The page in a real browser: heard, filtered, driven by keys, dark, printed, hostile."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

from lkgate.model.verdict import Verdict
from tests.gate.calls import V3
from tests.report.hostile import TEXT, hostile
from tests.report.html.pages import page
from tests.report.test_text import verdict_of

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed")
        pytest.skip("no chromium on the path")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """A tab in which nothing may go wrong, neither in a script nor against the policy."""
    wrong: list[str] = []
    asked: list[str] = []
    made = browser.new_page(viewport={"width": 1200, "height": 900})
    made.on("console", lambda message: wrong.append(message.text))
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("request", lambda one: asked.append(one.url))
    yield made
    made.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def show(tab: Tab, tmp_path: Path, verdict: Verdict, *, budget_bytes: int = 24_000_000) -> None:
    made = page(verdict, budget_bytes=budget_bytes)
    (tmp_path / "report.html").write_text(made.text, "utf-8")
    for name, data in made.beside.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    tab.goto((tmp_path / "report.html").as_uri())


def heard_s(tab: Tab) -> float:
    """Where it plays, once it does. The page's policy forbids a wait within it."""
    while True:
        tab.wait_for_timeout(50)
        if tab.evaluate("!player.paused && player.currentTime > 0 && !player.seeking"):
            at: float = tab.evaluate("player.currentTime")
            return at


@pytest.mark.parametrize("budget_bytes", [24_000_000, 0], ids=["inside", "beside"])
def test_a_click_on_a_turn_plays_it(tab: Tab, tmp_path: Path, budget_bytes: int) -> None:
    show(tab, tmp_path, verdict_of(V3), budget_bytes=budget_bytes)
    button = tab.locator("#call-barge-in-book .places button.hear").first
    at = float(button.get_attribute("data-at") or 0)
    button.click()
    assert at <= heard_s(tab) < at + 5
    assert tab.evaluate("isFinite(player.duration)")
    cursor = tab.locator("#call-barge-in-book figure[data-side=candidate] .cursor")
    assert float(cursor.get_attribute("x1") or -5) > 0
    button.click()
    assert tab.evaluate("player.paused")
    turn = tab.locator("#call-barge-in-book figure[data-side=recording] rect.turn").nth(2)
    at = float(turn.get_attribute("data-at") or 0)
    turn.dispatch_event("click")
    assert at <= heard_s(tab) < at + 5


@pytest.mark.parametrize("budget_bytes", [24_000_000, 0], ids=["inside", "beside"])
def test_the_last_of_two_quick_clicks_is_heard(tab: Tab, tmp_path: Path, budget_bytes: int) -> None:
    show(tab, tmp_path, verdict_of(V3), budget_bytes=budget_bytes)
    ats = tab.locator("#call-barge-in-book .turns button.hear").evaluate_all(
        "all => { all[1].click(); all[4].click(); return all.map(one => Number(one.dataset.at)); }"
    )
    assert ats[4] > ats[1] + 5
    assert ats[4] <= heard_s(tab) < ats[4] + 5
    playing = tab.locator("button.playing").evaluate_all("all => all.map(one => one.dataset.at)")
    assert [float(at) for at in playing] == [ats[4]]
    tab.keyboard.press("Escape")
    tab.locator("body").press(" ")
    assert tab.locator("button.playing").count() == 0
    tab.locator("body").press(" ")
    assert ats[4] <= heard_s(tab) < ats[4] + 5


def test_a_sound_that_cannot_be_played_is_said(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3), budget_bytes=0)
    for sound in (tmp_path / "report-audio").iterdir():
        sound.write_bytes(b"no sound")
    assert not tab.locator("#mute").is_visible()
    tab.locator("#call-barge-in-book .places button.hear").first.click()
    tab.locator("#mute").wait_for(state="visible")
    assert "must stay there" in tab.inner_text("#mute")
    assert tab.locator("button.playing").count() == 0


def test_what_a_drawing_holds_is_reached_without_a_mouse(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    figure = tab.locator("#call-barge-in-book figure[data-side=candidate]")
    said = figure.locator("output")
    count = int(said.inner_text().removesuffix(" events"))
    after = figure.locator("button.step[data-step='1']")
    after.focus()
    told = []
    for _ in range(count + 1):
        tab.keyboard.press("Enter")
        told.append(said.inner_text())
    assert told[0].startswith("turn 0, ")
    assert told[-1] == told[-2]
    assert len(set(told)) == count
    for kind in ("barge-in at ", "end of turn ", "model ", "speech ", "tool book_appointment at "):
        assert any(one.startswith(kind) for one in told), kind
    figure.locator("button.step[data-step='-1']").click()
    assert said.inner_text() == told[-3]
    figure.locator("rect.barge-ignored").first.dispatch_event("click")
    ignored = said.inner_text()
    assert ignored.startswith("barge-in at ")
    assert ignored.endswith(": ignored")
    at = float(figure.locator("button.from").get_attribute("data-at") or 0)
    tab.evaluate("player.pause()")
    figure.locator("button.from").click()
    assert at <= heard_s(tab) < at + 5


def test_on_paper_all_is_open_and_what_buttons_say_is_text(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    tab.keyboard.press("d")
    tab.emulate_media(media="print")
    closed = tab.locator("details:not([open])").count()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    call = tab.locator("#call-barge-in-book")
    for name in ("recording", "candidate v3"):
        assert call.locator("figcaption", has_text=name).is_visible()
    for row in call.locator(".turns tbody tr:has(button)").all():
        assert re.match(r"\d+:\d\d\.\d", row.locator("td").first.inner_text())
        assert row.locator("button").first.is_visible()
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details:not([open])").count() == closed > 0
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


def test_filters_and_keys(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    shown = tab.locator(".call:not([hidden])")
    assert shown.count() == 8
    tab.select_option("#by-rule", "barge-ins-ignored")
    assert shown.evaluate_all("all => all.map(one => one.id)") == [
        "call-barge-in-book", "call-barge-in-twice",
    ]  # fmt: skip
    assert tab.inner_text("#shown") == "2 of 8 calls"
    tab.select_option("#by-rule", "")
    tab.select_option("#by-layer", "tts")
    assert shown.count() == 0
    tab.select_option("#by-layer", "")
    tab.select_option("#by-cohort", "language=en")
    assert shown.count() == 8
    tab.keyboard.press("/")
    tab.keyboard.type("are you SURE")
    assert shown.count() == 2
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    current = tab.locator(".call.current")
    assert current.get_attribute("id") == shown.nth(1).get_attribute("id")
    opened = current.locator("details").get_attribute("open")
    tab.keyboard.press("Enter")
    assert current.locator("details").get_attribute("open") != opened


def test_a_link_opens_the_call_that_it_names(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    tab.locator(".reason a", has_text="mind-changed").first.click()
    assert tab.locator("#call-mind-changed details").get_attribute("open") is not None


def test_keys_go_on_from_where_the_reader_is(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    calls = tab.locator(".call")
    ids = calls.evaluate_all("all => all.map(one => one.id)")

    def now() -> int:
        return int(ids.index(tab.locator(".call.current").get_attribute("id")))

    tab.keyboard.press("k")
    assert now() == 0
    calls.nth(4).locator("summary").focus()
    tab.keyboard.press("j")
    assert now() == 5
    calls.nth(2).locator("summary").click()
    assert tab.locator(".call.current").count() == 0
    tab.keyboard.press("k")
    assert now() == 1
    tab.fill("#by-text", "are you sure")
    shown = tab.locator(".call:not([hidden])")
    assert (shown.count(), tab.inner_text("#shown")) == (2, "2 of 8 calls")
    tab.locator(".reason a", has_text="booking-noisy").first.click()
    assert (shown.count(), tab.inner_text("#shown")) == (3, "3 of 8 calls")
    visible = [int(ids.index(one)) for one in shown.evaluate_all("all => all.map(one => one.id)")]
    after = [one for one in visible if one > ids.index("call-booking-noisy")]
    tab.keyboard.press("j")
    assert now() == (after or visible[-1:])[0]


def test_the_space_bar_turns_the_page_until_something_is_heard(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, verdict_of(V3))
    tab.keyboard.press("Space")
    while not tab.evaluate("scrollY > 100"):
        tab.wait_for_timeout(50)
    tab.locator("#call-barge-in-book .places button.hear").first.click()
    at = float(tab.locator("button.playing").get_attribute("data-at") or 0)
    heard_s(tab)
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("Space")
    assert tab.evaluate("player.paused")
    tab.evaluate("player.currentTime = player.duration - 0.1")
    tab.keyboard.press("Space")
    while not tab.evaluate("player.ended"):
        tab.wait_for_timeout(50)
    tab.keyboard.press("Space")
    assert at <= heard_s(tab) < at + 5
    assert tab.locator("button.playing").count() == 1


def test_dark_and_light(tab: Tab, tmp_path: Path) -> None:
    tab.emulate_media(color_scheme="dark")
    show(tab, tmp_path, verdict_of(V3))
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(colour)
    tab.keyboard.press("d")
    assert tab.evaluate(colour) != dark
    tab.click("#theme")
    assert tab.evaluate(colour) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(tab: Tab, tmp_path: Path, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 between each text and what is behind it (WCAG 2, 1.4.3)."""
    tab.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    show(tab, tmp_path, verdict_of(V3))
    faint = tab.evaluate(CONTRAST)
    assert faint == []


CONTRAST = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    if (one.closest("script, style, svg, [hidden]")) continue;
    for (let up = one; up; up = up.parentElement)
      if (getComputedStyle(up).opacity < 1) faint.add(up.className + " lets through");
    const a = light(parts(getComputedStyle(one).color)), b = light(behind(one));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(one.className + " " + one.tagName + " " + ratio.toFixed(2));
  }
  return [...faint];
}"""


def test_on_a_phone_nothing_runs_out_of_the_page(tab: Tab, tmp_path: Path) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    for verdict in (verdict_of(V3), hostile("a" * 3000)):
        show(tab, tmp_path, verdict)
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
        # A call's own box cuts off what runs out of it.
        for call in tab.locator(".call").all():
            call.scroll_into_view_if_needed()
            assert call.evaluate(CUT_OFF) == []


CUT_OFF = """(call) => [...call.querySelectorAll("td, th, p, li, figcaption, button")]
  .filter((one) => !one.closest(".ticks") && getComputedStyle(one).display !== "inline")
  .filter((one) => one.scrollWidth > one.clientWidth + 2
    || one.getBoundingClientRect().right > call.getBoundingClientRect().right)
  .map((one) => one.outerHTML.slice(0, 80))"""


def test_a_hostile_call_runs_nothing(tab: Tab, tmp_path: Path) -> None:
    show(tab, tmp_path, hostile(TEXT + "<img src=x onerror=alert(1)>"))
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.evaluate("document.scripts.length") == 1
    assert tab.evaluate("document.images.length") == 0
    assert "<script>alert(1)</script>" in tab.inner_text("main")
