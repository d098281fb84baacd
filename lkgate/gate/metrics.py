"""Every metric that a rule can name: of one session, and of a session against its baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from lkgate.diff.registry import COMPARISONS
from lkgate.errors import ConfigError
from lkgate.measure.judged import PREFIX, is_own, own
from lkgate.measure.plugin import GROUP
from lkgate.measure.registry import METRICS, metrics
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.measurement import MetricSpec
from lkgate.model.verdict import Baseline


class _Specs(Mapping[str, MetricSpec]):
    """Read when first asked for: plugins are looked for then, and not by who imports this.

    Also knows a gate's own metrics by their names, which are not among those that it lists.
    """

    @cached_property
    def _all(self) -> Mapping[str, MetricSpec]:
        single = {name: metric.spec for name, metric in metrics().items()}
        clash = sorted(single.keys() & COMPARISONS.keys())
        if clash:
            raise ConfigError(
                f"a plugin's metric `{clash[0]}` has the name of one of lkgate's own",
                where=GROUP,
                next_step="Give it another name, for instance with the team's before it.",
            )
        return {**single, **{name: entry.spec for name, entry in COMPARISONS.items()}}

    def __getitem__(self, name: str) -> MetricSpec:
        if is_own(name):
            return own(name).spec
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


SPECS: Mapping[str, MetricSpec] = _Specs()

# A rule on one of these judges that turns were lost to a divergence.
DIVERGENCE = ("divergence", "diverged_turns")

# Shares that go beyond 100 %: what was heard and never said counts against what was said, a voice
# may take longer than it speaks, and every recogniser has a scale of its own.
_UNBOUNDED = (
    "word_error_rate", "insertion_rate", "number_error_rate", "spoken_word_error_rate",
    "tts_real_time_factor", "transcript_confidence",
)  # fmt: skip


def is_bounded(spec: MetricSpec) -> bool:
    """Whether every value of a share lies between 0 and 1, as far as lkgate knows: of a team's own
    it does not.
    """
    known = spec.name in METRICS or spec.name in COMPARISONS or spec.name.startswith(PREFIX)
    return spec.unit == "ratio" and known and spec.name not in _UNBOUNDED


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
