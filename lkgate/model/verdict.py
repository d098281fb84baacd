"""What a gate judges, what it finds, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lkgate.model.blame import Blame
from lkgate.model.bundle import Bundle, Span
from lkgate.model.check import Check
from lkgate.model.difference import CallDifference
from lkgate.model.gate import Gate, Rule, unit_of
from lkgate.model.history import History
from lkgate.model.label import Labels
from lkgate.model.measurement import Measurement, MetricSpec, Unit
from lkgate.model.price import PriceTable
from lkgate.model.turn import Modality, Turn

VerdictStatus = Literal["pass", "fail", "no_verdict"]
CassetteState = Literal["same", "grown", "changed", "unknown", "none"]
FindingStatus = Literal["pass", "fail", "follows", "no_verdict"]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a file, whose path is from the working directory, as a gate's is."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A replay that did not give a bundle.

    Attributes:
        source: the agent program's own line where it happened; ``None`` if that is not known, or
            is of no file here. The message tells it too.
    """

    kind: str
    message: str
    next_step: str | None = None
    source: SourceLine | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A replay that a person accepted, and what it was accepted under.

    Attributes:
        bundle: the replay; its ``manifest.recording_digest`` binds it to the recording.
        metric_versions: of every metric when it was accepted.
    """

    bundle: Bundle
    metric_versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CallResult:
    """Everything about one call that a gate judges.

    Attributes:
        call: name of the recording.
        recording_digest: what a baseline and a candidate must be replays of.
        labels: of the recording, ``None`` if it has none.
        baseline: ``None`` if none was accepted.
        candidate: the replay, or why there is none.
        cassette: what the recording's cassette is to the one that answered the baseline: the same;
            grown, all that it held still there; changed; unknown if the baseline does not note it;
            none if there was none and there is none.
        take_of: the recording that this is one of several takes of; ``None``: the only one. Takes
            of one recording are no calls of their own for a statement about calls to come.
        prices: what models cost, if the team said so.
        history: what the other recordings of the set say of the caller, if somebody looked.
    """

    call: str
    recording_digest: str
    labels: Labels | None
    baseline: Baseline | None
    candidate: Bundle | CallFailure
    cassette: CassetteState = "same"
    take_of: str | None = None
    prices: PriceTable | None = None
    history: History | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place to listen to.

    Attributes:
        call: name of the recording.
        turn: turn index in the candidate, ``None`` for the whole call.
        span: session time in the candidate.
        value: of the candidate there.
        baseline_turn, baseline_span, baseline_value: the same place in the baseline, if compared.
        note: what was seen, in words.
        estimated: modalities whose answer there was a policy's estimate.
    """

    call: str
    turn: int | None
    span: Span
    value: float | None
    baseline_turn: int | None
    baseline_span: Span | None
    baseline_value: float | None
    note: str | None
    estimated: tuple[Modality, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a rule has no verdict.

    Attributes:
        call: the call that lacks evidence, ``None`` if the set as a whole does.
        reason: one line.
        next_step: a command or an act, ``None`` if there is none.
    """

    call: str | None
    reason: str
    next_step: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one rule.

    Attributes:
        rule, spec: the rule and its metric.
        status: ``follows``: it does not hold, or not for sure, explained by rules in ``follows``.
        observed: the aggregate over the candidate, ``None`` if it could not be formed.
        baseline: the aggregate over the baseline's same turns, ``None`` if not compared.
        n: samples behind ``observed``; ``calls``: calls that gave them.
        lost: samples left out because they lie after a divergence.
        estimated: samples that rest on a policy's estimate, here or in the baseline.
        derived: samples that rest on an answer that was made from what was heard outside, here or
            in the baseline; such an answer was not given to this build's own request.
        checks: every limit of the rule.
        evidence: failed or undecided: every offending place, worst first; passed: the worst place.
        problems: no verdict: every reason.
        follows: labels of the failed rules that explain this one.
        reason: one line in words.
        undecided: no verdict although all evidence is there: a limit is ``open``.
        blame: failed: which layer it points at; else ``None``.
    """

    rule: Rule
    spec: MetricSpec
    status: FindingStatus
    observed: float | None
    baseline: float | None
    n: int
    calls: int
    lost: int
    estimated: int
    derived: int
    checks: tuple[Check, ...]
    evidence: tuple[Evidence, ...]
    problems: tuple[Problem, ...]
    follows: tuple[str, ...]
    reason: str
    undecided: bool = False
    blame: Blame | None = None

    @property
    def unit(self) -> Unit:
        """Of ``observed``, ``baseline`` and the checks; places are in the metric's own."""
        return unit_of(self.rule.aggregate, self.spec.unit)


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """One call as the gate saw it, for a report.

    Attributes:
        call: name of the recording.
        labels: of the recording.
        failure: why there is no candidate, else ``None``.
        turns, baseline_turns: of both sessions; empty where there is no session.
        measurements, baseline_measurements: by metric.
        difference: ``None`` where there are not two sessions to compare.
        stale: why the baseline cannot be used, else ``None``.
        cassette, take_of: as in :class:`CallResult`; no ``cassette`` without a baseline.
    """

    call: str
    labels: Labels | None
    failure: CallFailure | None
    turns: tuple[Turn, ...]
    baseline_turns: tuple[Turn, ...]
    measurements: Mapping[str, Measurement]
    baseline_measurements: Mapping[str, Measurement]
    difference: CallDifference | None
    stale: Problem | None
    cassette: CassetteState | None
    take_of: str | None = None


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """That calls took place in real rooms, on the real clock, with live models.

    Each repeat is judged as a call of its own, by the name ``<call>#<repeat>``, in one pool.

    Attributes:
        repeats: of every call.
        interleaved: the build that the repeats took turns with and are held to, one by one;
            ``None``: they are held to the accepted baselines.
        at_once: the most calls at a time.
    """

    repeats: int
    interleaved: str | None
    at_once: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of it.

    Attributes:
        status: ``fail`` if an error rule failed; else ``no_verdict`` if an error rule has none, a
            call has no replay (be it of no rule) or was left out; else ``pass``.
            ``Gate.undecided`` says what undecided rules make.
        findings: one a rule (of a rule with ``by``, one a level), in the gate's order.
        calls: one a call, in the order given.
        missing: calls that should have been judged and were not: no rule passes without them.
        left_out: calls that somebody chose not to judge this time: the rules judge the others,
            and the whole is no pass.
    """

    gate: Gate
    status: VerdictStatus
    findings: tuple[Finding, ...]
    calls: tuple[JudgedCall, ...]
    missing: tuple[Problem, ...]
    left_out: tuple[str, ...]

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Judged calls that the gate does not name: it would not miss them."""
        return tuple(one.call for one in self.calls if one.call not in self.gate.calls)

    def decides(self, found: Finding) -> bool:
        """Whether a finding that is no pass keeps the verdict from being one."""
        spared = found.undecided and self.gate.undecided == "pass_with_warning"
        return found.rule.severity == "error" and not spared

    def with_status(self, *statuses: FindingStatus) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.status in statuses)
