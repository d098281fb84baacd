"""Tools: whether the right ones were called, with what, and when."""

from __future__ import annotations

from lkgate.measure import tool, toolrun
from lkgate.measure.metric import LABELLED, Metric, spec

_WANT = "It is as right as the labels: a second right way to the goal is an error here."

METRICS = (
    Metric(
        spec(
            "tool_calls", "count", "none", "call", "sum", "tool", ("session",),
            "Tools that the agent called.",
            misleads="More is neither better nor worse.",
        ),
        tool.tool_calls,
    ),
    Metric(
        spec(
            "tool_errors", "count", "lower", "turn", "sum", "tool", ("session",),
            "Tool calls that failed.",
            source="LiveKit's is_error, or the status of tool_execution_updated.",
            misleads="A tool that answers with an apology has not failed for LiveKit. In a replay "
            "recorded results are played back, errors too.",
        ),
        tool.tool_errors,
    ),
    Metric(
        spec(
            "tool_retries", "count", "lower", "turn", "sum", "tool", ("session",),
            "Tool calls that repeat the last one of that tool: after it failed, or with the same "
            "arguments.",
            misleads="Asking twice for what may have changed is no retry in truth.",
        ),
        toolrun.tool_retries,
    ),
    Metric(
        spec(
            "tool_latency", "us", "lower", "turn", "max", "tool", ("session",),
            "From the start of a tool call to its end.",
            source="LiveKit's tool_execution_updated: started, ended.",
            misleads="In a replay a recorded call takes as long as it took then: only live calls "
            "and tools that run show a change.",
            comparable=True,
        ),
        toolrun.tool_latency,
    ),
    Metric(
        spec(
            "tool_selection_errors", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools of the labels that were not called, and tools called that are not in the "
            "labels.",
            misleads=f"{_WANT} A wrong tool counts twice: once missing, once extra.",
        ),
        tool.tool_selection_errors,
    ),
    Metric(
        spec(
            "tools_wrong", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools that were called in place of one of the labels.",
            misleads=f"{_WANT} In place of means: between the same right calls.",
        ),
        tool.tools_wrong,
    ),
    Metric(
        spec(
            "tools_missing", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools of the labels that were not called, nor another in their place.",
            misleads=_WANT,
        ),
        tool.tools_missing,
    ),
    Metric(
        spec(
            "tools_extra", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools called that are not in the labels, nor in place of one that is.",
            misleads=_WANT,
        ),
        tool.tools_extra,
    ),
    Metric(
        spec(
            "tool_order_errors", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools of the labels that were called, but out of order.",
            source="What is left of the longest common subsequence of both sequences of names.",
            misleads=f"{_WANT} Tools called at once have an order here.",
        ),
        tool.tool_order_errors,
    ),
    Metric(
        spec(
            "tool_argument_errors", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tool calls of the labels whose arguments are not those of the labels, each compared "
            "by its rule; arguments that the labels leave out are free.",
            misleads="Without a rule an argument is compared to the letter: 2 pm is not 14:00.",
            version=2,
        ),
        tool.tool_argument_errors,
    ),
    Metric(
        spec(
            "tools_after_unclear_intent", "count", "lower", "turn", "sum", "llm", ("session",),
            "Tools that were called right after words that the recogniser trusted less than half, "
            "or after a question of the agent that the caller had not answered.",
            misleads="A recogniser without confidence shows only the second kind. A question is "
            "what ends with a question mark.",
        ),
        toolrun.tools_after_unclear_intent,
    ),
    Metric(
        spec(
            "tools_unconfirmed", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools marked `changes` in the labels that were called although the caller's last "
            "words were no yes.",
            misleads="A yes is one of a list of English words, or of the labels' confirmations; to "
            "what the caller said yes is not looked at. If nothing tells the caller's last words "
            "before the call there is no verdict.",
        ),
        toolrun.tools_unconfirmed,
    ),
    Metric(
        spec(
            "tool_precondition_errors", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Tools that were called before the ones that the labels put before them, or although "
            "those failed.",
            misleads="That the earlier tool was called about the same thing is not looked at.",
        ),
        toolrun.tool_precondition_errors,
    ),
)  # fmt: skip
