"""A judge is a language model: it advises, and decides only what people showed it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lkgate.document import Document, Path
from lkgate.errors import GateFileError
from lkgate.gate import quantity
from lkgate.gate.examine import Examined
from lkgate.gate.metrics import SPECS
from lkgate.measure.judged import PREFIX
from lkgate.measure.sample import absent, summarise
from lkgate.model.event import Json
from lkgate.model.gate import Gate, Rule, Severity
from lkgate.model.judgement import Trust
from lkgate.model.verdict import JudgedCall, Problem
from lkgate.stats.shares import wilson

_COIN = 0.5
# The one metric of all calls that hears judges beside the labels.
_EVALUATED = "eval_failed"
_MARGINS = ("max_increase", "max_decrease")

_Gate = Document[GateFileError]


def is_judge(metric: str) -> bool:
    """Whether a metric is what a judge says."""
    return metric.startswith(PREFIX)


def severity_of(document: _Gate, data: Mapping[str, Json], path: Path) -> Severity:
    """A rule's severity as written; of a judge a warning unless the rule says more.

    Raises:
        GateFileError: a judge is to decide, and the rule does not say how good it must be.
    """
    written = data.get("severity")
    if not is_judge(str(data["metric"])):
        return "warning" if written == "warning" else "error"
    if written == "error" and "min_agreement" not in data:
        raise document.error(
            "a judge decides only if the rule says how well it must agree with people",
            (*path, "severity"),
            "Add for instance `min_agreement: 80%`, or leave `severity` out: then it advises.",
            key=True,
        )
    return "error" if written == "error" else "warning"


def agreement_of(document: _Gate, data: Mapping[str, Json], path: Path) -> float | None:
    """How well a judge must agree with people, as a share.

    Raises:
        GateFileError: it is no share that is better than a coin's, or the rule is on no judge.
    """
    written = data.get("min_agreement")
    if not isinstance(written, int | float | str):
        return None
    if not is_judge(str(data["metric"])):
        raise document.error(
            "`min_agreement` is for rules on a judge",
            (*path, "min_agreement"),
            "Only the metric judge:NAME has a calibration.",
            key=True,
        )
    try:
        found = quantity.limit(written, "ratio")
    except ValueError:
        found = 0.0
    if not _COIN < found < 1.0:
        raise document.error(
            f"`min_agreement: {written}` is not between 50% and 100%",
            (*path, "min_agreement"),
            "A coin agrees with people in 50% of calls. Nothing taken from a sample is sure to "
            "100%.",
        )
    return found


def refuse_margins(document: _Gate, data: Mapping[str, Json], path: Path) -> None:
    """Refuse a change against a baseline, which no judge was asked about.

    Raises:
        GateFileError: the rule states one.
    """
    for key in _MARGINS:
        if key in data:
            raise document.error(
                f"`{key}` compares with the baseline, of which there is no judgement",
                (*path, key),
                "Give a rule on a judge a `min`.",
                key=True,
            )


def at_least(trust: Trust, confidence: float) -> float | None:
    """How well a judge agrees with people for sure: the lower bound of its worse side.

    Returns:
        ``None`` if it was shown only good calls, or only bad ones.
    """
    sides = (trust.good, trust.bad)
    if not all(side.n for side in sides):
        return None
    return min(wilson(side.hits, side.n, confidence).low for side in sides)


def distrust(gate: Gate, rule: Rule, confidence: float) -> Problem | None:
    """Why a rule on a judge has no verdict, whatever the judge says; ``None`` if it is heard.

    A rule that only advises, and states no ``min_agreement``, needs no calibration.
    """
    if not is_judge(rule.metric) or (rule.severity == "warning" and rule.min_agreement is None):
        return None
    judge = rule.metric.removeprefix(PREFIX)
    doubt = _doubt(gate, judge, rule.min_agreement, confidence)
    if doubt is None and rule.min_agreement is None:
        return Problem(
            None,
            f"the rule does not say how well {judge} must agree with people",
            "Add min_agreement to it.",
        )
    return doubt


def _doubt(gate: Gate, judge: str, wanted: float | None, confidence: float) -> Problem | None:
    """Why a judge decides nothing; ``wanted`` of ``None``: it must be better than a coin."""
    command = f"lkgate judge calibrate {judge}"
    again = f"Label calls under `judges:` in their labels.yaml, and run `{command}`."
    trust = gate.trust.get(judge)
    if trust is None:
        return Problem(None, f"the judge {judge} was never calibrated", again)
    if trust.stale is not None:
        return Problem(None, f"the calibration of {judge} is stale: {trust.stale}", again)
    least = at_least(trust, confidence)
    if least is None:
        side = "bad" if trust.bad.n == 0 else "good"
        reason = f"the judge {judge} was calibrated on no call that people call {side}"
        return Problem(None, reason, again)
    if least > _COIN and (wanted is None or least >= wanted):
        return None
    beside = "a coin has 50 %" if wanted is None else f"the rule wants {wanted * 100:g} %"
    return Problem(
        None,
        f"the judge {judge} agrees with people in {trust.good.hits} of {trust.good.n} good calls "
        f"and {trust.bad.hits} of {trust.bad.n} bad ones: {confidence * 100:g} % sure is only "
        f"{least * 100:.1f} %, {beside}",
        f"Label more calls and run `{command}`, give the judge better instructions, or let it "
        "advise.",
    )


def hearing(
    gate: Gate, rule: Rule, calls: Sequence[Examined], confidence: float
) -> Sequence[Examined]:
    """Calls as a rule may see them: in one that decides, ``eval_failed`` hears trusted judges only.

    What labels say, or a judge that is trusted, counts by itself. Where the call rests on another
    judge, there is no evidence, and the reason names the command that makes some. How well a judge
    must agree is what the gate's rules on it demand, and at any rate better than a coin.
    """
    if rule.metric != _EVALUATED or rule.severity == "warning":
        return calls
    doubts: dict[str, str | None] = {}
    for judge in dict.fromkeys(one.metric for one in gate.rules if is_judge(one.metric)):
        demands = [one.min_agreement for one in gate.rules if one.metric == judge]
        wanted = max((one for one in demands if one is not None), default=None)
        name = judge.removeprefix(PREFIX)
        doubt = _doubt(gate, name, wanted, confidence)
        told = None if doubt is None else f"{doubt.reason} (`lkgate judge calibrate {name}`)"
        doubts[judge] = told
    return [replace(one, call=_hearing(one.call, doubts)) for one in calls]


def _hearing(call: JudgedCall, doubts: Mapping[str, str | None]) -> JudgedCall:
    found = call.measurements.get(_EVALUATED)
    if found is None or found.value is None or _says(call, "task_completed", 0.0):
        return call
    if any(doubt is None and _says(call, judge, 0.0) for judge, doubt in doubts.items()):
        return call
    doubt = next(
        (
            doubt
            for judge, doubt in doubts.items()
            if doubt is not None and (_says(call, judge, 0.0) or _says(call, judge, 1.0))
        ),
        None,
    )
    if doubt is None and found.value:
        doubt = "it was failed by a judge that no rule of the gate is on"
    if doubt is None:
        return call
    hole = summarise(SPECS[_EVALUATED], [absent(None, found.samples[0].span, doubt)])
    return replace(call, measurements={**call.measurements, _EVALUATED: hole})


def _says(call: JudgedCall, metric: str, value: float) -> bool:
    found = call.measurements.get(metric)
    return found is not None and found.value == value
