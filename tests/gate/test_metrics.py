"""The table of metrics that a rule can name, and what a baseline is accepted under."""

from __future__ import annotations

from dataclasses import replace

from lkgate.diff.registry import COMPARISONS
from lkgate.gate.metrics import DIVERGENCE, SPECS, acceptance, baseline_of, metric_versions
from lkgate.measure import measure, turns_of
from lkgate.measure.registry import METRICS
from tests.measure.builders import Step, play

CALL = play([Step("One.", "Two.")])


def test_names_are_unique_and_specs_are_whole() -> None:
    assert not METRICS.keys() & COMPARISONS.keys()
    assert set(DIVERGENCE) <= set(SPECS)
    for name, spec in SPECS.items():
        assert spec.name == name
        assert spec.version >= 1
        assert spec.evidence
        assert spec.doc.endswith(".")
        assert ("baseline" in spec.evidence) == (name in COMPARISONS)


def test_acceptance_is_read_back() -> None:
    accepted = replace(CALL, manifest=replace(CALL.manifest, accepted=acceptance()))
    assert baseline_of(accepted).metric_versions == metric_versions()
    assert baseline_of(CALL).metric_versions == {}


def test_measure_is_every_metric_of_one_session() -> None:
    found = measure(CALL, turns_of(CALL), None)
    assert set(found) == set(METRICS)
    assert found["response_latency"].value == 1_200_000
    assert found["word_error_rate"].reason == "the recording has no labels"
