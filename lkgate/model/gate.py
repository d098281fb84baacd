"""A gate and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lkgate.model.check import Margin
from lkgate.model.judgement import Trust
from lkgate.model.measurement import Unit

Aggregate = Literal["p50", "p90", "p95", "p99", "max", "mean", "sum", "count", "rate"]
Severity = Literal["error", "warning"]
About = Literal["these_calls", "calls_to_come"]
Family = Literal["holm", "benjamini-hochberg", "none"]
Undecided = Literal["no_verdict", "fail", "pass_with_warning"]
LabelsDemanded = Literal["any", "reviewed"]


def unit_of(aggregate: Aggregate, unit: Unit) -> Unit:
    """Of an aggregate over values of a unit: samples are counted whatever they are, and a sum of
    shares is no share.
    """
    return "count" if aggregate == "count" or (aggregate, unit) == ("sum", "ratio") else unit


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a gate.

    Attributes:
        id: unique in the gate.
        metric, aggregate: what is judged.
        max, min: absolute limits, in the metric's unit, themselves allowed.
        max_increase, max_decrease: allowed regression against the baseline.
        max_gap, max_gap_between: how far the levels of this cohort key may lie apart.
        where: cohort that it judges: every key must have this value in a call's labels.
        by: cohort key of which every level is judged apart.
        min_n: fewer samples are no verdict.
        confidence: with which it speaks of calls to come; the gate's if ``None``.
        about: whether its limits are a statement about the calls that were replayed, or about
            calls to come, of which they are a sample; chosen by each limit's kind if ``None``.
        severity: only ``error`` decides the verdict.
        message: what to tell whoever has to mend it.
        turns: ``comparable`` leaves turns after the first divergence out (of metrics that are
            marked so) and needs a baseline for it; ``all`` takes every turn.
        covered_by: error rules whose failure, earlier in the same calls, explains this one's.
        min_agreement: of a rule on a judge: how well the judge must agree with people, as a share
            that the lower bounds of its calibration reach; ``None``: it decides nothing.
        line: of the gate's file where it begins, from 1; ``None``: it stands in no file. Rules are
            equal wherever they stand.
    """

    id: str
    metric: str
    aggregate: Aggregate
    max: float | None = None
    min: float | None = None
    max_increase: Margin | None = None
    max_decrease: Margin | None = None
    max_gap: float | None = None
    max_gap_between: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    by: str | None = None
    min_n: int = 1
    confidence: float | None = None
    about: About | None = None
    severity: Severity = "error"
    message: str | None = None
    turns: Literal["comparable", "all"] = "comparable"
    covered_by: tuple[str, ...] = ()
    min_agreement: float | None = None
    line: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """Its id, and of a rule with ``by`` the level: ``slow [accent scottish]``."""
        level = self.where.get(self.by) if self.by is not None else None
        return self.id if level is None else f"{self.id} [{self.by} {level}]"


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate file that was read and checked.

    Attributes:
        calls: names of the calls without which it gives no pass; empty if it names none. Other
            calls are judged as well.
        confidence: of rules that state none.
        family: how false alarms are kept rare although many rules are judged at once.
        undecided: what a rule that was neither shown to be broken nor to hold makes of the
            verdict.
        trust: of the judges that rules name, those that were calibrated.
        labels: ``reviewed``: a rule that rests on labels has no verdict where they are a draft that
            nobody confirmed.
        call_lines: of the file, for each of ``calls``.
    """

    name: str
    path: str
    rules: tuple[Rule, ...]
    calls: tuple[str, ...] = ()
    confidence: float = 0.95
    family: Family = "holm"
    undecided: Undecided = "no_verdict"
    trust: Mapping[str, Trust] = field(default_factory=dict)
    labels: LabelsDemanded = "any"
    call_lines: Mapping[str, int] = field(default_factory=dict, compare=False)
