"""A team's own metrics: those that installed packages offer under ``lkgate.metrics``.

An entry point is a :class:`~lkgate.measure.metric.Metric`, or several of them. What one offers is
checked when it is loaded, for a gate must not find out in the middle of judging.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from importlib.metadata import entry_points
from typing import Protocol, get_args

from lkgate.errors import ConfigError
from lkgate.measure.metric import Metric
from lkgate.model.measurement import Direction, Evidence, Layer, MetricSpec, Scope, Summary, Unit

GROUP = "lkgate.metrics"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KINDS = (
    ("unit", get_args(Unit)),
    ("direction", get_args(Direction)),
    ("scope", get_args(Scope)),
    ("summary", get_args(Summary)),
    ("layer", (*get_args(Layer), None)),
)


class Point(Protocol):
    """What is needed of ``importlib.metadata.EntryPoint``."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    def load(self) -> object: ...


def installed(taken: Collection[str]) -> dict[str, Metric]:
    """The metrics of the packages that are installed here, by name.

    Raises:
        ConfigError: as :func:`gather`.
    """
    return gather(entry_points(group=GROUP), taken)


def gather(points: Iterable[Point], taken: Collection[str]) -> dict[str, Metric]:
    """The metrics behind entry points, by name.

    Args:
        taken: names that are in use already.

    Raises:
        ConfigError: a plugin cannot be loaded, offers something else than metrics, or a metric
            whose name is taken or whose spec is not whole.
    """
    found: dict[str, Metric] = {}
    owners = dict.fromkeys(taken, "lkgate's own")
    for point in sorted(points, key=lambda each: each.name):
        where = f"the plugin `{point.name} = {point.value}` of {GROUP}"
        for metric in _offered(point, where):
            check(metric.spec, where)
            name = metric.spec.name
            if name in owners:
                raise ConfigError(
                    f"its metric `{name}` has the name of one of {owners[name]}",
                    where=where,
                    next_step="Give it another name, for instance with the team's before it.",
                )
            owners[name] = f"those of {where}"
            found[name] = metric
    return found


def _offered(point: Point, where: str) -> tuple[Metric, ...]:
    try:
        offered = point.load()
        several = (
            (offered,)
            if isinstance(offered, Metric)
            else tuple(offered)
            if isinstance(offered, Iterable)
            else None
        )
    except Exception as error:
        raise ConfigError(
            f"it cannot be loaded: {type(error).__name__}: {error}",
            where=where,
            next_step="Mend it, or uninstall its package.",
        ) from error
    metrics = tuple(one for one in several or () if isinstance(one, Metric))
    if several is None or len(metrics) < len(several):
        raise ConfigError(
            f"it offers {offered!r:.80}, which is no Metric and no list of them",
            where=where,
            next_step="See docs/metrics.md for how a team's own metric is written.",
        )
    return metrics


def check(spec: MetricSpec, where: str) -> None:
    """Refuse a spec that a gate could not judge by.

    Raises:
        ConfigError: with what is wrong with it.
    """
    wrong = None
    if not isinstance(spec.name, str) or not _NAME.fullmatch(spec.name):
        wrong = f"the name {spec.name!r} is not one of small letters, digits and underscores"
    elif not isinstance(spec.version, int) or spec.version < 1:
        wrong = f"the version of {spec.name} is {spec.version!r}, not 1 or more"
    elif not spec.doc:
        wrong = f"{spec.name} has no definition"
    elif not spec.evidence:
        wrong = f"{spec.name} names no evidence, so that without any it would still pass"
    for key, allowed in _KINDS:
        value = getattr(spec, key)
        if wrong is None and value not in allowed:
            known = ", ".join(str(one) for one in allowed)
            wrong = f"the {key} of {spec.name} is {value!r}, not one of: {known}"
    known_evidence = [one for one in get_args(Evidence) if one != "baseline"]
    for evidence in spec.evidence:
        if wrong is None and evidence not in known_evidence:
            wrong = f"{evidence!r} is no evidence that {spec.name} can need: " + ", ".join(
                known_evidence
            )
    if wrong is not None:
        raise ConfigError(wrong, where=where, next_step="See docs/metrics.md.")
