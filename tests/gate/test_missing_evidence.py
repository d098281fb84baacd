"""No data never passes. The table is made from the registry: a new metric stands in it by itself.

For each metric, each kind of its evidence is taken away, in one call and in all: events, tracks,
labels, prices, the baseline, what the baseline holds, the cassette, a cohort, a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

import pytest

from lkgate.gate.evaluate import judge
from lkgate.gate.examine import Examined, examine
from lkgate.gate.load import parse
from lkgate.gate.metrics import SPECS
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event, Json
from lkgate.model.gate import Gate
from lkgate.model.history import History
from lkgate.model.label import Entity, ExpectedTool, Labels, Step
from lkgate.model.measurement import Evidence, MetricSpec
from lkgate.model.price import Price, PriceTable
from lkgate.model.verdict import CallFailure, CallResult, Finding, Verdict
from tests.gate.calls import BOOK, replayed
from tests.measure.builders import V1, without, without_confidence

NAMES = ("booking-anna", "barge-in-book", "triage", "look-up")
ACCENT = {
    "booking-anna": "scottish",
    "barge-in-book": "scottish",
    "triage": "scottish",
    "look-up": "irish",
}
PRICES = PriceTable("2026-11-20", "EUR", {"m": Price(input_tokens=1.0, output_tokens=4.0)})

# Everything that a live recording and a replay can hold, a few seconds into the call.
_FIRST: dict[str, Json] = {"start_us": 1_000_000, "end_us": 3_000_000}
_MORE: tuple[tuple[int, str, dict[str, Json]], ...] = (
    (10_000, "lkgate.job", {"phase": "requested", "agent_name": "clinic"}),
    (20_000, "lkgate.job", {"phase": "assigned", "job_id": "j"}),
    (60_000, "participant_connected", {"identity": "agent-1"}),
    (70_000, "lkgate.job", {"phase": "joined", "identity": "agent-1"}),
    (
        3_000_000,
        "lkgate.media_quality",
        {
            "track": "caller",
            "interval_us": 3_000_000,
            "packets_received": 100,
            "packets_lost": 0,
            "samples": 1_000,
            "concealed_samples": 0,
            "jitter_us": 100,
            "round_trip_us": 100,
        },
    ),
    (
        3_000_000,
        "lkgate.audio_level",
        {**_FIRST, "role": "agent", "level_dbfs": 1.0, "samples": 9, "clipped_samples": 0},
    ),
    (
        3_000_000,
        "lkgate.audio_level",
        {**_FIRST, "role": "caller", "level_dbfs": 1.0, "samples": 9, "clipped_samples": 0},
    ),
    (
        3_000_000,
        "lkgate.speech_quality",
        {**_FIRST, "role": "agent", "overall": 3.0, "packet_loss": 3.0},
    ),
    (
        3_000_000,
        "lkgate.speech_quality",
        {**_FIRST, "role": "caller", "overall": 3.0, "packet_loss": 3.0},
    ),
    (3_000_000, "lkgate.spoken", {**_FIRST, "role": "agent", "text": "Clinic"}),
    (900_000, "lkgate.synthesis", {"took_us": 1_000_000, "audio_us": 2_000_000}),
    (2_000_000, "lkgate.model_answer", {"modality": "llm", "origin": "recorded"}),
    (6_500_000, "agent_false_interruption", {"resumed": True}),
)


def whole_of(call: CallResult) -> CallResult:
    """A call that has every kind of evidence there is, on both sides."""
    assert isinstance(call.candidate, Bundle)
    assert call.baseline is not None
    assert call.labels is not None
    return replace(
        call,
        candidate=_rich(call.candidate),
        baseline=replace(call.baseline, bundle=_rich(call.baseline.bundle)),
        labels=_labels(call),
        prices=PRICES,
        history=History(None),
    )


def _rich(session: Bundle) -> Bundle:
    events = [*session.events, *(Event(t, 0, kind, data) for t, kind, data in _MORE)]
    events += [heard for event in session.events for heard in _heard(event)]
    events = sorted((_sure(event) for event in events), key=lambda event: event.t_us)
    return replace(session, events=tuple(replace(e, seq=n) for n, e in enumerate(events)))


def _heard(event: Event) -> Iterator[Event]:
    """The final transcript that an item of the caller was made of."""
    item = event.data.get("item")
    if isinstance(item, dict) and item.get("role") == "user":
        data: dict[str, Json] = {"is_final": True, "language": "en", "transcript": item["text"]}
        yield Event(event.t_us - 1, 0, "user_input_transcribed", data)


def _sure(event: Event) -> Event:
    item = event.data.get("item")
    if not isinstance(item, dict) or item.get("role") != "user":
        return event
    return replace(event, data={**event.data, "item": {**item, "transcript_confidence": 0.9}})


def _labels(call: CallResult) -> Labels:
    truth = call.labels
    assert truth is not None
    first = truth.caller[0]
    tools = [
        replace(tool, changes=True, after=("look_up",)) if tool.name == BOOK else tool
        for tool in truth.tools
    ]
    return replace(
        truth,
        tools=tuple(tools) or (ExpectedTool("none", {}),),
        cohort={**truth.cohort, "accent": ACCENT[call.call]},
        entities=(Entity(0, "thing", first.split()[-1]),),
        handoffs=(),
        required=(Step("says", "how can I help"),),
        forbidden_tools=("pay",),
        forbidden_phrases=("I guarantee",),
    )


@cache
def calls() -> dict[str, CallResult]:
    return {call.call: whole_of(call) for call in replayed(V1) if call.call in NAMES}


Way = tuple[str, Evidence | None]
WHOLE: Way = ("whole", None)


@cache
def examined(name: str, way: Way) -> Examined:
    """A call from which something was taken; measured once for all the rules that judge it."""
    call = calls()[name]
    what, evidence = way
    if what == "lacks":
        assert evidence is not None
        return examine(lacking(call, evidence))
    if what == "baseline lacks":
        assert evidence is not None
        assert call.baseline is not None
        bundle = emptied(call.baseline.bundle, evidence)
        return examine(replace(call, baseline=replace(call.baseline, bundle=bundle)))
    if what == "is lost":
        lost = CallFailure("cassette", "the cassette is gone", "Record the call again.")
        return examine(replace(call, candidate=lost))
    if what == "cassette changed":
        return examine(replace(call, cassette="changed"))
    assert what == "whole"
    return examine(call)


LIMIT = {"us": "0 s"}
_NOTED: Mapping[Evidence, str] = {
    "media_quality": "lkgate.media_quality",
    "job": "lkgate.job",
    "levels": "lkgate.audio_level",
    "speech_quality": "lkgate.speech_quality",
    "spoken": "lkgate.spoken",
    "synthesis": "lkgate.synthesis",
}
MARGIN = {"us": "9 s", "ratio": "99 points"}


def gate(spec: MetricSpec, limit: str, more: str = "") -> Gate:
    # Of shares a limit that holds whatever they are can only be one on their sum.
    aggregate = "sum" if spec.unit == "ratio" and limit == "min: 0" else "max"
    text = (
        "version: 1\nrules:\n"
        f"  - {{id: it, metric: {spec.name}, aggregate: {aggregate}, {limit}{more}}}\n"
        "  - {id: lost, metric: divergence, aggregate: sum, max: 99}\n"
    )
    return parse(text, "gate.yaml")


def absolute(spec: MetricSpec, more: str = "") -> Gate:
    return gate(spec, f"min: {LIMIT.get(spec.unit, '0')}", more)


def judged(rules: Gate, some: Sequence[Examined]) -> Verdict:
    return judge(rules, list(some), recordings=list(NAMES))


def whole() -> list[Examined]:
    return [examined(name, WHOLE) for name in NAMES]


def no_verdict(rules: Gate, way: Way) -> Finding:
    """There is none, for one call that lacks something as for all; each is named with a reason."""
    for names in (NAMES[1:2], NAMES):
        some = [examined(name, way if name in names else WHOLE) for name in NAMES]
        found = silent(rules, some, set(names))
    return found


def silent(rules: Gate, some: Sequence[Examined], names: set[str]) -> Finding:
    found = judged(rules, some)
    assert found.status == "no_verdict"
    one = found.findings[0]
    assert one.status == "no_verdict"
    told = {problem.call for problem in one.problems if problem.reason == one.problems[0].reason}
    assert all(name in one.reason for name in told if name)
    assert {problem.call for problem in one.problems if problem.call} == names
    assert all(problem.reason for problem in one.problems)
    return one


@pytest.mark.parametrize("name", sorted(SPECS))
def test_with_all_its_evidence_a_rule_passes(name: str) -> None:
    """Otherwise nothing that follows would show anything."""
    assert judged(absolute(SPECS[name]), whole()).findings[0].status == "pass"


TABLE = [(name, evidence) for name in sorted(SPECS) for evidence in SPECS[name].evidence]


@pytest.mark.parametrize(("name", "evidence"), TABLE, ids=[f"{n}-{e}" for n, e in TABLE])
def test_without_its_evidence_no_rule_passes(name: str, evidence: Evidence) -> None:
    no_verdict(absolute(SPECS[name]), ("lacks", evidence))


def lacking(call: CallResult, evidence: Evidence) -> CallResult:
    if evidence == "labels":
        return replace(call, labels=None)
    if evidence == "caller_history":
        return replace(call, history=None)
    if evidence == "prices":
        return replace(call, prices=None)
    if evidence == "baseline":
        return replace(call, baseline=None)
    assert isinstance(call.candidate, Bundle)
    if evidence == "replay":
        manifest = replace(call.candidate.manifest, source="record", digest=call.recording_digest)
        return replace(call, candidate=replace(call.candidate, manifest=manifest))
    return replace(call, candidate=emptied(call.candidate, evidence))


def emptied(session: Bundle, evidence: Evidence) -> Bundle:
    """The session without what a kind of evidence is found in."""
    manifest = session.manifest
    if evidence in ("caller_audio", "agent_audio"):
        gone = evidence.removesuffix("_audio")
        tracks = tuple(t for t in manifest.tracks if t.role != gone)
        return replace(session, manifest=replace(manifest, tracks=tracks))
    if evidence in ("arrival", "media"):
        return replace(session, manifest=replace(manifest, absent={evidence: "nothing tells"}))
    if evidence == "confidence":
        return without_confidence(session)
    if evidence == "language":
        return without(session, "user_input_transcribed")
    if evidence in _NOTED:
        return without(session, _NOTED[evidence])
    kinds = {event.kind for event in session.events if not event.kind.startswith("lkgate.")}
    return without(session, *kinds)


AGAINST = [
    (name, evidence)
    for name in sorted(SPECS)
    if "baseline" not in SPECS[name].evidence
    for evidence in SPECS[name].evidence
    # These are not the baseline's own.
    if evidence not in ("labels", "prices", "replay", "caller_history")
]


@pytest.mark.parametrize(("name", "evidence"), AGAINST, ids=[f"{n}-{e}" for n, e in AGAINST])
def test_without_the_evidence_of_its_baseline_no_change_passes(
    name: str, evidence: Evidence
) -> None:
    spec = SPECS[name]
    rules = gate(spec, f"max_increase: {MARGIN.get(spec.unit, '99')}")
    assert judged(rules, whole()).findings[0].status == "pass"
    no_verdict(rules, ("baseline lacks", evidence))


@pytest.mark.parametrize("name", sorted(SPECS))
def test_without_a_call_no_rule_passes(name: str) -> None:
    rules = absolute(SPECS[name])
    for gone in NAMES:
        left = [examined(other, WHOLE) for other in NAMES if other != gone]
        found = judged(rules, left)
        assert found.findings[0].status == "no_verdict"
        assert gone in {problem.call for problem in found.missing}
    assert "the cassette is gone" in no_verdict(rules, ("is lost", None)).reason


@pytest.mark.parametrize("name", sorted(SPECS))
def test_without_a_usable_baseline_no_change_passes(name: str) -> None:
    """None was accepted; its cassette was changed; its metric was another then."""
    spec = SPECS[name]
    rules = absolute(spec)
    if "baseline" not in spec.evidence:
        rules = gate(spec, f"max_increase: {MARGIN.get(spec.unit, '99')}")

    no_verdict(rules, ("lacks", "baseline"))
    no_verdict(rules, ("cassette changed", None))
    first, *others = whole()
    old = [replace(first, accepted={**first.accepted, name: spec.version + 1}), *others]
    assert f"accepted under version {spec.version + 1}" in silent(rules, old, {NAMES[0]}).reason


@pytest.mark.parametrize("name", sorted(SPECS))
def test_without_its_cohort_no_rule_passes(name: str) -> None:
    rules = absolute(SPECS[name], ", where: {accent: scottish}")
    no_verdict(rules, ("lacks", "labels"))
    nobody = absolute(SPECS[name], ", where: {accent: welsh}")
    found = judged(nobody, whole()).findings[0]
    assert found.status == "no_verdict"
    assert "welsh" in found.reason


# Events that are themselves what is counted: that there is none of them is the count.
_COUNTED = {
    ("false_interruptions", "agent_false_interruption"),
    # Final transcripts tell of the caller's words too, here of one turn.
    ("caller_words", "conversation_item_added"),
    ("tool_calls", "function_tools_executed"),
    ("trajectory_steps", "function_tools_executed"),
}
# Of each layer the events that tell of it, alone and together.
_TOLD: tuple[tuple[str, ...], ...] = (
    ("agent_false_interruption",),
    ("agent_state_changed",),
    ("conversation_item_added",),
    ("function_tools_executed",),
    ("function_tools_executed", "tool_execution_updated"),
    ("session_usage_updated",),
    ("tool_execution_updated",),
    ("user_input_transcribed",),
    ("lkgate.model_answer",),
)


@pytest.mark.parametrize("kinds", _TOLD, ids="-".join)
def test_without_one_kind_of_event_no_failure_passes(kinds: tuple[str, ...]) -> None:
    """The session's other events are there; the limit fails when all are."""
    wrong = calls()["barge-in-book"]
    for names in ({wrong.call}, set(NAMES)):
        some = [_without(name, kinds) if name in names else examined(name, WHOLE) for name in NAMES]
        passed = {
            name
            for name, spec in SPECS.items()
            for rules in [_failing(name)]
            if rules and (name, kinds[0]) not in _COUNTED
            if judged(rules, some).findings[0].status == "pass"
        }
        assert passed == set()


@cache
def _without(name: str, kinds: tuple[str, ...]) -> Examined:
    call = calls()[name]
    assert isinstance(call.candidate, Bundle)
    return examine(replace(call, candidate=without(call.candidate, *kinds)))


@cache
def _failing(name: str) -> Gate | None:
    """The highest limit (lowest, where more is better) that fails by what the calls hold now."""
    spec = SPECS[name]
    rules = absolute(spec)
    first, *more = rules.rules
    if spec.summary == "sum" and spec.direction != "higher":
        first = replace(first, aggregate="sum")
    now = judged(replace(rules, rules=(first, *more)), whole()).findings[0].observed
    assert now is not None
    if spec.direction == "higher":
        first = replace(first, min=now + 1e-6)
    elif now > 0:
        first = replace(first, min=None, max=now - 1e-6)
    else:
        return None
    found = replace(rules, rules=(first, *more))
    assert judged(found, whole()).findings[0].status == "fail"
    return found


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    "metric", ["interruptions", "interrupted_share", "llm_ttft", "tts_ttfb", "agent_words"]
)
def test_a_reply_that_was_heard_and_not_reported_is_missing(metric: str, heard: bool) -> None:
    """Only the messages that tell of the failure are gone, of one call; all others are there, or
    those of a caller to whom no recogniser listens are not."""
    call = calls()["barge-in-book"]
    assert isinstance(call.candidate, Bundle)
    kept = [event for event in call.candidate.events if heard or _of(event) != "user"]
    told = tuple(event for event in kept if not _interrupted(event))
    one = examine(replace(call, candidate=replace(call.candidate, events=told)))
    rest = [examined(name, WHOLE) for name in NAMES if name != call.call]
    assert len(told) < len(kept)
    rules = gate(SPECS[metric], f"max: {LIMIT.get(SPECS[metric].unit, '0')}")
    assert judged(rules, whole()).findings[0].status == "fail"
    found = judged(rules, [one, *rest]).findings[0]
    assert "reported no words" in " ".join(p.reason for p in found.problems)
    assert found.status != "pass"


@pytest.mark.parametrize(
    "metric", ["end_of_turn_delay", "transcription_delay", "transcript_confidence", "split_turns"]
)
def test_words_of_the_caller_that_were_not_reported_are_missing(metric: str) -> None:
    rules = absolute(SPECS[metric])
    call = calls()["look-up"]
    assert isinstance(call.candidate, Bundle)
    events = call.candidate.events
    for lost in (event for event in events if _of(event) == "user"):
        told = tuple(event for event in events if event is not lost)
        one = examine(replace(call, candidate=replace(call.candidate, events=told)))
        rest = [examined(name, WHOLE) for name in NAMES if name != call.call]
        silent(rules, [one, *rest], {call.call})


def _of(event: Event) -> str | None:
    item = event.data.get("item")
    role = item.get("role") if isinstance(item, dict) else None
    return role if isinstance(role, str) else None


def _interrupted(event: Event) -> bool:
    item = event.data.get("item")
    return isinstance(item, dict) and item.get("interrupted") is True
