"""Every metric that a rule can name: of one session, and of a session against its baseline."""

from __future__ import annotations

from collections.abc import Mapping

from lkgate.diff.registry import COMPARISONS
from lkgate.measure.registry import METRICS
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.gate import Baseline
from lkgate.model.measurement import MetricSpec

SPECS: Mapping[str, MetricSpec] = {
    **{name: metric.spec for name, metric in METRICS.items()},
    **{name: entry.spec for name, entry in COMPARISONS.items()},
}

# A rule on one of these judges that turns were lost to a divergence.
DIVERGENCE = ("divergence", "diverged_turns")


def metric_versions() -> dict[str, int]:
    """What a baseline that is accepted now is accepted under."""
    return {name: spec.version for name, spec in SPECS.items()}


def acceptance() -> dict[str, Json]:
    """``Manifest.accepted`` of a baseline that is accepted now; :func:`baseline_of` reads it."""
    return {"metric_versions": dict(metric_versions())}


def baseline_of(bundle: Bundle) -> Baseline:
    """An accepted replay as a gate takes it. Versions that it does not state are none."""
    written = bundle.manifest.accepted.get("metric_versions")
    versions = written if isinstance(written, dict) else {}
    return Baseline(
        bundle, {name: value for name, value in versions.items() if isinstance(value, int)}
    )
