"""Every metric of a single session, by name.

The gate's schema, the docs and the command line read this table; a metric is one line of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lkgate.measure import latency, talk, tool, wer, whole
from lkgate.measure.sample import missing, summarise
from lkgate.measure.session import Session
from lkgate.model.measurement import (
    Direction,
    Evidence,
    Layer,
    Measurement,
    MetricSpec,
    Sample,
    Scope,
    Summary,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and what measures it; the evidence that it needs is checked before it is called."""

    spec: MetricSpec
    samples: Callable[[Session], Iterable[Sample]]


def spec(
    name: str,
    unit: Unit,
    direction: Direction,
    scope: Scope,
    summary: Summary,
    layer: Layer | None,
    evidence: tuple[Evidence, ...],
    doc: str,
    *,
    comparable: bool = False,
    version: int = 1,
) -> MetricSpec:
    return MetricSpec(
        name, unit, direction, version, scope, summary, layer, evidence, comparable, doc
    )


_BOTH: tuple[Evidence, ...] = ("caller_audio", "agent_audio")
_LABELLED: tuple[Evidence, ...] = ("session", "labels")

_METRICS = (
    Metric(
        spec(
            "response_latency", "us", "lower", "turn", "median", None, _BOTH,
            "From the caller's last sound to the agent's first, at the ear, for each caller turn "
            "that waits for an answer.",
            comparable=True,
        ),
        latency.response_latency,
    ),
    Metric(
        spec(
            "unanswered_turns", "count", "lower", "turn", "sum", "turn_taking", _BOTH,
            "Caller turns that wait for an answer and get none.",
            comparable=True,
        ),
        latency.unanswered_turns,
    ),
    Metric(
        spec(
            "time_to_first_audio", "us", "lower", "call", "max", None, (*_BOTH, "arrival"),
            "From the caller's arrival to the agent's first sound.",
        ),
        latency.time_to_first_audio,
    ),
    Metric(
        spec(
            "end_of_turn_delay", "us", "lower", "turn", "median", "turn_taking", ("session",),
            "From the end of the caller's speech to LiveKit's decision that the turn has ended.",
            comparable=True,
        ),
        latency.end_of_turn_delay,
    ),
    Metric(
        spec(
            "llm_ttft", "us", "lower", "turn", "median", "llm", ("session",),
            "LiveKit's llm_node_ttft: from the LLM's request to its first token.",
            comparable=True,
        ),
        latency.llm_ttft,
    ),
    Metric(
        spec(
            "tts_ttfb", "us", "lower", "turn", "median", "tts", ("session",),
            "LiveKit's tts_node_ttfb: from the first text sent to the first sound received.",
            comparable=True,
        ),
        latency.tts_ttfb,
    ),
    Metric(
        spec(
            "interruptions", "count", "none", "turn", "sum", "turn_taking", ("session",),
            "Agent turns that LiveKit cut short for the caller.",
        ),
        talk.interruptions,
    ),
    Metric(
        spec(
            "barge_in_yield", "us", "lower", "turn", "max", "turn_taking", _BOTH,
            "From the caller's first sound in the agent's speech to the agent's silence; if the "
            "agent spoke on, to its end.",
            comparable=True,
        ),
        talk.barge_in_yield,
    ),
    Metric(
        spec(
            "barge_ins_ignored", "count", "lower", "turn", "sum", "turn_taking", _BOTH,
            "Barge-ins for which the agent did not stop.",
            comparable=True,
        ),
        talk.barge_ins_ignored,
    ),
    Metric(
        spec(
            "agent_cut_ins", "count", "lower", "turn", "sum", "turn_taking", _BOTH,
            "Agent turns that began while the caller was speaking.",
            comparable=True,
        ),
        talk.agent_cut_ins,
    ),
    Metric(
        spec(
            "talk_over_ratio", "ratio", "lower", "call", "rate", "turn_taking", _BOTH,
            "Time in which both sides speak, as a share of the time in which anyone does.",
        ),
        talk.talk_over_ratio,
    ),
    Metric(
        spec(
            "silence_gap", "us", "lower", "call", "max", None, _BOTH,
            "The longest stretch between two sounds in which nobody speaks.",
        ),
        talk.silence_gap,
    ),
    Metric(
        spec(
            "caller_words", "words", "none", "turn", "sum", "stt", ("caller_transcript",),
            "Words that the agent heard the caller say.",
        ),
        talk.caller_words,
    ),
    Metric(
        spec(
            "agent_words", "words", "none", "turn", "sum", "llm", ("agent_transcript",),
            "Words that the agent said.",
        ),
        talk.agent_words,
    ),
    Metric(
        spec(
            "word_error_rate", "ratio", "lower", "turn", "rate", "stt",
            ("caller_audio", "caller_transcript", "labels"),
            "Substituted, lost and invented words of the caller's transcript against the labels, "
            "as a share of the labels' words.",
        ),
        wer.word_error_rate,
    ),
    Metric(
        spec(
            "tool_calls", "count", "none", "call", "sum", "tool", ("session",),
            "Tools that the agent called.",
        ),
        tool.tool_calls,
    ),
    Metric(
        spec(
            "tool_errors", "count", "lower", "turn", "sum", "tool", ("session",),
            "Tool calls that failed.",
        ),
        tool.tool_errors,
    ),
    Metric(
        spec(
            "tool_selection_errors", "count", "lower", "turn", "sum", "llm", _LABELLED,
            "Tools of the labels that were not called, and tools called that are not in the "
            "labels.",
        ),
        tool.tool_selection_errors,
    ),
    Metric(
        spec(
            "tool_order_errors", "count", "lower", "turn", "sum", "llm", _LABELLED,
            "Tools of the labels that were called, but out of order.",
        ),
        tool.tool_order_errors,
    ),
    Metric(
        spec(
            "tool_argument_errors", "count", "lower", "turn", "sum", "llm", _LABELLED,
            "Tool calls of the labels whose arguments are not those of the labels; arguments "
            "that the labels leave out are free.",
        ),
        tool.tool_argument_errors,
    ),
    Metric(
        spec(
            "task_completed", "ratio", "higher", "call", "rate", None, _LABELLED,
            "Whether the tools of the labels were called, in order, with their arguments, "
            "without an error, and no others.",
        ),
        tool.task_completed,
    ),
    Metric(
        spec(
            "handoffs", "count", "none", "call", "sum", "llm", ("session",),
            "Handoffs from one agent to another.",
        ),
        whole.handoffs,
    ),
    Metric(
        spec(
            "llm_input_tokens", "tokens", "lower", "call", "sum", "llm", ("session",),
            "Prompt tokens of all LLMs.",
        ),
        whole.llm_input_tokens,
    ),
    Metric(
        spec(
            "llm_output_tokens", "tokens", "lower", "call", "sum", "llm", ("session",),
            "Completion tokens of all LLMs.",
        ),
        whole.llm_output_tokens,
    ),
    Metric(
        spec(
            "model_misses", "count", "lower", "call", "sum", None, ("replay",),
            "LLM, STT and tool requests that the cassette does not hold.",
        ),
        whole.model_misses,
    ),
    Metric(
        spec(
            "speech_misses", "count", "lower", "call", "sum", "tts", ("replay",),
            "TTS requests that the cassette does not hold.",
        ),
        whole.speech_misses,
    ),
    Metric(
        spec(
            "call_completed", "ratio", "higher", "call", "rate", None, ("replay",),
            "Whether the caller said everything and hung up, and the program raised no error.",
        ),
        whole.call_completed,
    ),
    Metric(
        spec(
            "caller_impatient", "count", "lower", "call", "sum", "turn_taking", ("replay",),
            "Utterances that the caller said although what they answer did not happen.",
        ),
        whole.caller_impatient,
    ),
    Metric(
        spec(
            "media_gaps", "us", "lower", "call", "sum", "media", (*_BOTH, "media"),
            "Audio that was lost or late while the session was captured.",
        ),
        whole.media_gaps,
    ),
)  # fmt: skip

METRICS: Mapping[str, Metric] = {metric.spec.name: metric for metric in _METRICS}


def measure(session: Session, metric: Metric) -> Measurement:
    """One metric of one session; a number that is none is missing evidence, never a value."""
    # A speech-to-speech build has no TTS: its bundle says so.
    absent = session.bundle.manifest.absent.get(metric.spec.layer or "")
    if absent is not None:
        return missing(metric.spec, absent)
    for evidence in metric.spec.evidence:
        if evidence in session.absent:
            return missing(metric.spec, session.absent[evidence])
    samples = tuple(metric.samples(session))
    for sample in samples:
        if sample.value is not None and not math.isfinite(sample.value):
            return missing(metric.spec, f"the value is {sample.value}")
    return summarise(metric.spec, samples)


def measure_all(session: Session) -> dict[str, Measurement]:
    """Every metric of one session, by name."""
    return {name: measure(session, metric) for name, metric in METRICS.items()}
