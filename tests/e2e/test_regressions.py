"""Twelve builds of the demo agent with one fault each: all fail, each by its layer; v2 passes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.regressions.__main__ import row
from tests.regressions.planted import PLANTED, Planted
from tests.regressions.project import CALLS, Judged, judge, make, replay

# A minute and more: `python -m pytest -m soak tests/e2e/test_regressions.py`.
pytestmark = pytest.mark.soak

NAMES = [planted.build for planted in PLANTED]
# A fork server is idle while the models are loaded: two builds at a time.
AT_ONCE = 2


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("regressions")
    make(made)
    return made


@pytest.fixture(scope="module")
def judged(project: Path) -> Iterator[dict[str, Judged]]:
    """Every build, judged by the first of its calls."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda planted: replay(project, planted, calls=1), PLANTED)
        yield dict(zip(NAMES, found, strict=True))


@pytest.mark.parametrize("planted", PLANTED, ids=NAMES)
def test_a_planted_regression_fails_and_its_layer_is_named(
    judged: dict[str, Judged], planted: Planted
) -> None:
    found = judged[planted.build]
    assert found.code == 1, found.told
    assert planted.rule in found.failed
    blamed = {name: one["blame"]["layer"] for name, one in found.failed.items()}
    assert blamed == dict.fromkeys(found.failed, planted.layer)


def test_a_good_build_passes_the_same_gate(project: Path) -> None:
    found = judge(project, "v2")
    assert found.code == 0, found.told
    assert {call["call"] for call in found.report["calls"]} == {*CALLS, "hum"}


def test_a_build_is_told_by_what_changed_first(judged: dict[str, Judged]) -> None:
    renamed = next(one for one in PLANTED if one.build == "tool_renamed")
    assert row(renamed, judged["tool_renamed"]) == (
        "| tool renamed | `tool-selection` | tool schema | book_appointment is called "
        "create_booking, with the same arguments | 1 of 2 | 1 |"
    )


@pytest.mark.soak
@pytest.mark.parametrize("planted", PLANTED, ids=NAMES)
def test_every_call_of_a_regression_points_at_its_layer(project: Path, planted: Planted) -> None:
    found = replay(project, planted).failed[planted.rule]
    assert found["blame"]["layer"] == planted.layer
    assert {call for one in found["blame"]["suspects"] for call in one["calls"]} == {*planted.calls}
