"""Reasoning: what the models were asked, how quick they were, and what they cost."""

from __future__ import annotations

from lkgate.measure import latency, usage, whole
from lkgate.measure.metric import Metric, spec

METRICS = (
    Metric(
        spec(
            "llm_ttft", "us", "lower", "turn", "median", "llm", ("session",),
            "From the LLM's request to its first token.",
            source="LiveKit's llm_node_ttft of a message.",
            misleads="In a replay a recorded answer takes as long as it took then: it is the "
            "cassette's time, not the provider's of today.",
            comparable=True,
        ),
        latency.llm_ttft,
    ),
    Metric(
        spec(
            "llm_input_tokens", "tokens", "lower", "call", "sum", "llm", ("session",),
            "Prompt tokens of all LLMs.",
            source="LiveKit's session_usage_updated; OpenInference's llm.token_count.prompt.",
            misleads="It grows with every turn, for each sends all that was said. In a replay it "
            "is what was counted when the answer was recorded.",
        ),
        usage.llm_input_tokens,
    ),
    Metric(
        spec(
            "llm_output_tokens", "tokens", "lower", "call", "sum", "llm", ("session",),
            "Completion tokens of all LLMs.",
            source="LiveKit's session_usage_updated; OpenInference's llm.token_count.completion.",
            misleads="Answers that were thrown away (preemptive generation) are in it.",
        ),
        usage.llm_output_tokens,
    ),
    Metric(
        spec(
            "llm_requests", "count", "lower", "turn", "sum", "llm", ("replay",),
            "Requests to an LLM: retries, and answers that were thrown away, too.",
            misleads="Preemptive generation asks before it is sure that the caller has finished.",
        ),
        usage.llm_requests,
    ),
    Metric(
        spec(
            "llm_models", "count", "lower", "call", "sum", "llm", ("session",),
            "Different LLMs that answered: more than before means a fallback, or another route.",
            source="LiveKit's session_usage_updated: provider and model.",
            misleads="A fallback to another account of the same model is not seen.",
        ),
        usage.llm_models,
    ),
    Metric(
        spec(
            "trajectory_steps", "count", "lower", "turn", "sum", "llm", ("session",),
            "Messages, tool calls and handoffs of the agent.",
            source="OpenInference's agent.trajectory.step, of what a room shows.",
            misleads="A longer way can be the more careful one.",
        ),
        usage.trajectory_steps,
    ),
    Metric(
        spec(
            "session_errors", "count", "lower", "turn", "sum", "llm", ("session",),
            "Errors of models that the session reported.",
            source="LiveKit's event error.",
            misleads="An error that was mended by a retry is counted as well.",
        ),
        usage.session_errors,
    ),
    Metric(
        spec(
            "call_cost", "money", "lower", "call", "sum", "llm", ("session", "prices"),
            "What the models of the call cost, by the team's own table of prices.",
            source="LiveKit's session_usage_updated, times the table's prices.",
            misleads="The table has a date, and prices change. Telephone and servers are not in "
            "it; a model without a price leaves the call without a cost.",
        ),
        usage.call_cost,
    ),
    Metric(
        spec(
            "model_misses", "count", "lower", "call", "sum", None, ("replay",),
            "LLM, STT and tool requests that the cassette does not hold.",
            misleads="What they were answered with is a policy's guess: it is a hole in the "
            "evidence before it is a fault of the build.",
        ),
        whole.model_misses,
    ),
)  # fmt: skip
