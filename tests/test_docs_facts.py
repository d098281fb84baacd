"""Links of the pages lead somewhere, the index is whole, and figures in them are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lkgate import loopback, secret
from lkgate.builds.environment import _INHERITED, _INHERITED_PREFIXES
from lkgate.config.settings import ReplaySettings
from lkgate.harness.time import scheduler
from tests.test_docs import PAGES, ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
MORE = [ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md")]


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text("utf-8")


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
    return kept.strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(found) for found in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", [*PAGES, *MORE], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))
    for link in _LINK.findall(text):
        if re.match(r"https?:", link):
            continue
        path, _, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT), f"{page.name}: {link} leaves the repository"
        if place:
            assert place in anchors(target), f"{page.name}: {link}"


def test_the_index_has_every_page_once() -> None:
    linked = [link for link in _LINK.findall(text_of("README.md")) if not link.startswith("..")]
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert sorted(linked) == sorted(pages)


def test_what_a_build_sees_of_the_users_variables() -> None:
    told = text_of("security.md").partition("It gets ")[2].partition(", and those of")[0]
    named = set(re.findall(r"`(\w+)`", told))
    assert named == _INHERITED | set(_INHERITED_PREFIXES)


def test_figures() -> None:
    security = " ".join(text_of("security.md").split())
    assert f"Values of less than {secret.SHORTEST} characters are not" in security
    assert f"listens on {loopback.ADDRESS} alone" in security
    determinism = text_of("determinism.md")
    assert f"computes for {scheduler.PATIENCE_S:.0f} s without waiting" in determinism
    named = {"seed", "link_latency_ms"}
    assert all(f"`{name}`" in determinism for name in named)
    assert named <= set(ReplaySettings.__dataclass_fields__)
