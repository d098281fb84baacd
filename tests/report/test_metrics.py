"""The list of metrics, and the page about them, are the registry."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from lkgate.bundle import decode_labels
from lkgate.config.prices import parse_prices
from lkgate.gate.load import parse
from lkgate.gate.metrics import SPECS
from lkgate.gate.words import quantity
from lkgate.measure.metric import Metric
from lkgate.model.measurement import Evidence, MetricSpec, Unit
from lkgate.report import metrics, words

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
MARK = "<!-- made by: lkgate metrics --format markdown -->\n\n"


def test_the_page_is_the_registry() -> None:
    written, made = PAGE.split(MARK)
    assert made == metrics.markdown()
    assert re.findall(r"^#### `(\w+)`$", made, re.MULTILINE) == [
        spec.name for specs in metrics.groups(plugins=False).values() for spec in specs
    ]
    # What the written part speaks of in code and is a metric's kind of name exists.
    assert {"unanswered_turns", "call_answered", "call_cost"} <= set(SPECS)
    assert "response_latency" in written


def test_every_metric_is_listed_once() -> None:
    listed = [spec.name for specs in metrics.groups().values() for spec in specs]
    assert sorted(listed) == sorted(SPECS)
    assert json.loads(metrics.as_json(metrics.groups()))[0]["name"] == listed[0]
    lines = metrics.table(metrics.groups()).plain.splitlines()
    assert len(lines) == len(listed) + len(metrics.groups())


def test_every_metric_says_how_it_misleads() -> None:
    for spec in SPECS.values():
        text = metrics.entry(spec).plain
        assert spec.misleads.endswith("."), spec.name
        assert not spec.source or spec.source.endswith("."), spec.name
        for said in (spec.doc, spec.misleads, "Unit: ", "Needs: ", "Better: "):
            assert said in text, spec.name
        assert "  " not in spec.doc + spec.misleads + spec.source, spec.name


def test_every_unit_and_evidence_has_words() -> None:
    """A new one of either is a hole in the page, not a crash of a plugin's user."""
    assert set(metrics._UNIT) == set(get_args(Unit))
    assert set(metrics._EVIDENCE) == set(get_args(Evidence))


def test_json_has_every_field() -> None:
    entry = json.loads(metrics.as_json({"x": [SPECS["response_latency"]]}))[0]
    assert set(entry) == {field.name for field in fields(MetricSpec)} | {"group"}


def test_a_cost_is_shown_to_the_hundredth_of_a_cent() -> None:
    assert words.value(0.004567, "money") == "0.004567"
    assert quantity(12.3, "money") == "12.3"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_what_the_page_shows_works() -> None:
    labels, prices, rules = blocks("yaml")
    found = decode_labels(labels.encode(), "page")
    assert found.required
    assert found.cohort["any_key"] == "you like"
    assert parse_prices(prices, "page").date == "2026-11-20"
    gate = parse(f"version: 1\nrules:\n{rules}", "page")
    assert [rule.metric for rule in gate.rules] == ["eval_failed", "repeat_call"]
    (plugin,) = blocks("python")
    names: dict[str, list[Metric]] = {}
    exec(plugin, names)
    assert [metric.spec.name for metric in names["METRICS"]] == ["acme_thanks"]
