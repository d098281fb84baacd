"""A checked document -> rules, and what a schema cannot say about them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lkgate.document import Document, Path
from lkgate.errors import ConfigError, GateFileError
from lkgate.gate import quantity
from lkgate.gate.aggregate import OF_THESE_CALLS, carried_by
from lkgate.gate.limits import Limits
from lkgate.gate.metrics import SPECS
from lkgate.gate.trust import agreement_of, is_judge, refuse_margins, severity_of
from lkgate.measure.oneoff import PREFIX
from lkgate.model.event import Json
from lkgate.model.gate import About, Aggregate, Rule
from lkgate.model.measurement import Layer, MetricSpec

GateDocument = Document[GateFileError]

_LIMITS = ("max", "min", "max_increase", "max_decrease", "max_gap")
_AGGREGATES: tuple[Aggregate, ...] = (
    "p50", "p90", "p95", "p99", "max", "mean", "sum", "count", "rate",
)  # fmt: skip
_ABOUT: tuple[About, ...] = ("these_calls", "calls_to_come")
_LEAST_CONFIDENCE = 0.8


def rules_of(
    document: GateDocument, lacking: Mapping[Layer, str] = MappingProxyType({})
) -> tuple[Rule, ...]:
    """The rules of a document that its schema accepts.

    Args:
        lacking: layers that the build to be judged does not have, each with the reason.

    Raises:
        GateFileError: an unknown metric, a limit without its unit, a rule that judges nothing, one
            on a layer that is lacking.
    """
    content = document.value
    entries = content.get("rules") if isinstance(content, dict) else None
    assert isinstance(entries, list)  # the schema says so
    found: list[Rule] = []
    for at, entry in enumerate(entries):
        assert isinstance(entry, dict)
        found.append(_Entry(document, entry, ("rules", at), lacking).rule(found))
    if all(rule.severity == "warning" for rule in found):
        raise document.error(
            "no rule has the severity error, so this gate can never fail",
            ("rules",),
            "Make at least one rule an error.",
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Entry:
    document: GateDocument
    data: dict[str, Json]
    path: Path
    lacking: Mapping[Layer, str]

    def rule(self, earlier: Sequence[Rule]) -> Rule:
        spec = self._spec()
        identity = self._text("id")
        if any(rule.id == identity for rule in earlier):
            raise self.document.error(f"the id `{identity}` is taken", (*self.path, "id"))
        if not any(key in self.data for key in _LIMITS):
            raise self.document.error(
                f"the rule `{identity}` has no limit, so it judges nothing",
                self.path,
                f"Give it one of: {', '.join(_LIMITS)}.",
            )
        turns = self.data.get("turns")
        where = self.data.get("where")
        by, between = self.data.get("by"), self.data.get("max_gap_between")
        message = self.data.get("message")
        aggregate = self._aggregate(spec)
        limits = Limits(self.document, self.data, self.path, spec, aggregate)
        return Rule(
            id=identity,
            metric=spec.name,
            aggregate=aggregate,
            max=limits.limit("max"),
            min=limits.limit("min"),
            max_increase=limits.margin("max_increase"),
            max_decrease=limits.margin("max_decrease"),
            max_gap=limits.gap(),
            max_gap_between=between if isinstance(between, str) else None,
            where={k: str(v) for k, v in where.items()} if isinstance(where, dict) else {},
            by=by if isinstance(by, str) else None,
            min_n=self._min_n(aggregate),
            confidence=confidence_of(self.document, self.data, self.path),
            about=self._about(aggregate),
            severity=severity_of(self.document, self.data, self.path),
            message=message if isinstance(message, str) else None,
            turns="all" if turns == "all" else "comparable",
            covered_by=self._covered_by(earlier),
            min_agreement=agreement_of(self.document, self.data, self.path),
            line=self.document.place(self.path)[0],
        )

    def _text(self, key: str) -> str:
        value = self.data[key]
        assert isinstance(value, str)  # the schema says so
        return value

    def _spec(self) -> MetricSpec:
        name = self._text("metric")
        if name.startswith(PREFIX):
            return self._one_off(name)
        if is_judge(name):
            refuse_margins(self.document, self.data, self.path)
            return SPECS[name]
        if name in SPECS:
            spec = SPECS[name]
            if spec.layer is not None and spec.layer in self.lacking:
                raise self.document.error(
                    f"`{name}` is not applicable: {self.lacking[spec.layer]}",
                    (*self.path, "metric"),
                    "Judge this build by a gate without the rule.",
                )
            return spec
        near = difflib.get_close_matches(name, list(SPECS), n=1, cutoff=0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known are: {', '.join(sorted(SPECS))}."
        raise self.document.error(f"there is no metric `{name}`", (*self.path, "metric"), hint)

    def _one_off(self, name: str) -> MetricSpec:
        """A metric out of a file whose place is counted from the gate's."""
        file = name.removeprefix(PREFIX)
        beside, slash, _ = self.document.name.rpartition("/")
        if not file.startswith("/"):
            file = f"{beside}{slash}{file}"
        try:
            return SPECS[f"{PREFIX}{file}"]
        except ConfigError as error:
            at = f"{error.where}: " if error.where else ""
            what = f"{at}{error.what}"
            raise self.document.error(what, (*self.path, "metric"), error.next_step) from error

    def _aggregate(self, spec: MetricSpec) -> Aggregate:
        name = next(one for one in _AGGREGATES if one == self.data["aggregate"])
        if name == "rate" and spec.unit not in ("ratio", "count"):
            raise self.document.error(
                f"`rate` says nothing about {spec.name}, which is not a share of anything",
                (*self.path, "aggregate"),
                "Use a percentile, max or mean.",
            )
        return name

    def _min_n(self, aggregate: Aggregate) -> int:
        written = self.data.get("min_n")
        if not isinstance(written, int):
            return 1
        if written < carried_by(aggregate):
            raise self.document.error(
                f"a {aggregate} needs {carried_by(aggregate)} samples, and `min_n: {written}` "
                f"would take fewer",
                (*self.path, "min_n"),
                f"Of fewer samples the {aggregate} is the largest: use max, or leave min_n out.",
                key=True,
            )
        return written

    def _about(self, aggregate: Aggregate) -> About | None:
        written = self.data.get("about")
        if written == "calls_to_come" and aggregate in OF_THESE_CALLS:
            raise self.document.error(
                f"`{aggregate}` belongs to the calls that it was taken of, so it says nothing "
                "about calls to come",
                (*self.path, "about"),
                "Use mean, rate or a percentile.",
                key=True,
            )
        return next((one for one in _ABOUT if one == written), None)

    def _covered_by(self, earlier: Sequence[Rule]) -> tuple[str, ...]:
        names = self.data.get("covered_by")
        if not isinstance(names, list):
            return ()
        known = [rule.id for rule in earlier if rule.severity == "error"]
        for at, name in enumerate(names):
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                raise self.document.error(
                    f"`{name}` is no error rule that stands before this one",
                    (*self.path, "covered_by", at),
                    f"Did you mean `{near[0]}`?" if near else "A cause must be judged first.",
                )
        return tuple(str(name) for name in names)


def confidence_of(document: GateDocument, data: Mapping[str, Json], path: Path) -> float | None:
    """A stated confidence as a share.

    Raises:
        GateFileError: it is none that a gate can be held to.
    """
    written = data.get("confidence")
    if not isinstance(written, int | float | str):
        return None
    try:
        found = quantity.limit(written, "ratio")
    except ValueError:
        found = 0.0
    if not _LEAST_CONFIDENCE <= found < 1.0:
        raise document.error(
            f"`confidence: {written}` is not between 80% and 100%",
            (*path, "confidence"),
            "95% is usual. Nothing that is taken from a sample is sure to 100%.",
        )
    return found
