"""The whole call: how long the caller waited, what was reached, and at what price in patience."""

from __future__ import annotations

from lkgate.measure import conduct, evaluated, goal, latency, repeat, whole
from lkgate.measure.metric import BOTH, LABELLED, Metric, spec
from lkgate.model.measurement import Evidence

_WORDS: tuple[Evidence, ...] = ("caller_audio", "caller_transcript")
_LIST = "It is found by a list of English words: a proxy, to be compared with itself."

METRICS = (
    Metric(
        spec(
            "response_latency", "us", "lower", "turn", "median", None, BOTH,
            "From the caller's last sound to the agent's first, at the ear, for each caller turn "
            "that waits for an answer.",
            misleads="A turn without an answer has none: it is in unanswered_turns. A filler word "
            "is an answer here.",
            comparable=True,
        ),
        latency.response_latency,
    ),
    Metric(
        spec(
            "time_to_first_audio", "us", "lower", "call", "max", None, (*BOTH, "arrival"),
            "From the caller's arrival to the agent's first sound.",
            misleads="One a call, so its percentiles need many calls. An agent that waits for the "
            "caller to speak first has it long by design.",
        ),
        latency.time_to_first_audio,
    ),
    Metric(
        spec(
            "call_answered", "ratio", "higher", "call", "rate", None, BOTH,
            "Whether the agent made a sound at all while the caller was there.",
            misleads="A click is a sound.",
        ),
        latency.call_answered,
    ),
    Metric(
        spec(
            "agent_join_time", "us", "lower", "call", "max", None, (*BOTH, "arrival"),
            "From the caller's arrival to the agent's; 0 if the agent was there first.",
            source="LiveKit's event participant_connected.",
            misleads="A replay's job begins at once: only live recordings show dispatch.",
        ),
        conduct.agent_join_time,
    ),
    Metric(
        spec(
            "dispatch_time", "us", "lower", "call", "max", None, ("job",),
            "From the request for an agent to the moment a worker took the job.",
            source="LiveKit's AgentDispatchService, as lkgate.job notes it.",
            misleads="The server is asked every half second: shorter times are not seen exactly.",
        ),
        conduct.dispatch_time,
    ),
    Metric(
        spec(
            "job_start_time", "us", "lower", "call", "max", None, ("job",),
            "From the moment a worker took the job to the agent in the room.",
            source="LiveKit's AgentDispatchService, as lkgate.job notes it.",
            misleads="As dispatch_time: the beginning is known to half a second.",
        ),
        conduct.job_start_time,
    ),
    Metric(
        spec(
            "job_faults", "count", "lower", "call", "sum", None, ("job",),
            "Jobs that failed, and agents that came late or not at all.",
            source="lkgate.job: phases fault and ended.",
            misleads="livekit-server does not always say how a job ended.",
        ),
        conduct.job_faults,
    ),
    Metric(
        spec(
            "call_duration", "us", "none", "call", "max", None, ("caller_audio", "arrival"),
            "From the caller's arrival to the moment the caller left.",
            misleads="Shorter is better only if the goal was reached.",
        ),
        conduct.call_duration,
    ),
    Metric(
        spec(
            "call_completed", "ratio", "higher", "call", "rate", None, ("replay",),
            "Whether the caller said everything and hung up, and the program raised no error.",
            misleads="It says that the replay took place, not that it went well.",
        ),
        whole.call_completed,
    ),
    Metric(
        spec(
            "task_completed", "ratio", "higher", "call", "rate", None, LABELLED,
            "Whether the tools of the labels were called, in order, with their arguments, without "
            "an error, and no others; every required step was made, and nothing forbidden done.",
            misleads="What the agent said is looked at only where labels require or forbid it: an "
            "agent that books and then denies it has completed the task.",
            version=2,
        ),
        goal.task_completed,
    ),
    Metric(
        spec(
            "required_steps_missed", "count", "lower", "call", "sum", "llm",
            (*LABELLED, "agent_transcript"),
            "Steps that the labels require and the agent did not make when they were due.",
            misleads="A phrase is found word by word: said in other words it is missed. A message "
            "counts when it has been said to its end. If a message was lost, that may be the one.",
        ),
        goal.required_steps_missed,
    ),
    Metric(
        spec(
            "forbidden_tools", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Calls of tools that the labels forbid.",
            misleads="With labels that forbid none there is nothing to judge, and no verdict.",
        ),
        goal.forbidden_tools,
    ),
    Metric(
        spec(
            "forbidden_phrases", "count", "lower", "turn", "sum", "llm",
            (*LABELLED, "agent_transcript"),
            "Phrases that the labels forbid and the agent said.",
            misleads="A phrase is found word by word: the same promise in other words is not. "
            "With labels that forbid none there is no verdict.",
            version=2,
        ),
        goal.forbidden_phrases,
    ),
    Metric(
        spec(
            "handoffs", "count", "none", "call", "sum", "llm", ("session",),
            "Handoffs from one agent to another.",
            misleads="More is neither better nor worse: handoff_errors judges them.",
        ),
        whole.handoffs,
    ),
    Metric(
        spec(
            "handoff_errors", "count", "lower", "turn", "sum", "llm", LABELLED,
            "Handoffs of the labels that were not made, and others that were.",
            misleads="With labels that say nothing of handoffs there is no verdict. A handoff to "
            "the wrong agent counts twice: one is missing, one is extra.",
        ),
        goal.handoff_errors,
    ),
    Metric(
        spec(
            "handoff_context_lost", "count", "lower", "turn", "sum", "llm",
            ("session", "agent_transcript"),
            "Questions that the caller was asked before a handoff and again after it.",
            misleads="A question that is asked at the end of everything (anything else?) is asked "
            "again too. A lost message of the agent may be such a question: no verdict.",
        ),
        conduct.handoff_context_lost,
    ),
    Metric(
        spec(
            "escalated", "ratio", "none", "call", "rate", None, ("session",),
            "Whether the call was given to a person: a tool or an agent whose name says so.",
            misleads="It is found by names: escalat, human, operator, transfer, supervisor, "
            "representative. Some calls have to be escalated.",
        ),
        conduct.escalated,
    ),
    Metric(
        spec(
            "hung_up_early", "ratio", "lower", "call", "rate", None, (*LABELLED, "caller_audio"),
            "Whether the caller left before the task was completed.",
            misleads="The caller of a replay always leaves at the end: there it says the same as "
            "task_completed.",
        ),
        goal.hung_up_early,
    ),
    Metric(
        spec(
            "caller_repeats", "ratio", "lower", "turn", "rate", None, _WORDS,
            "Caller turns that say again what one of the last two said, as a share.",
            misleads="Three words at least, three quarters of them the same, as they were heard. "
            "Speech of a second without words is missing evidence, and so is a shorter sound that "
            "the agent replied to; others are not. "
            "In a replay the caller says what was recorded, whatever the build does.",
            version=2,
        ),
        conduct.caller_repeats,
    ),
    Metric(
        spec(
            "caller_corrections", "ratio", "lower", "turn", "rate", None, _WORDS,
            "Caller turns that correct something, as a share.",
            misleads=f"{_LIST} A caller who has a change of mind corrects too. In a replay the "
            "caller says what was recorded, whatever the build does.",
            version=2,
        ),
        conduct.caller_corrections,
    ),
    Metric(
        spec(
            "repeat_call", "ratio", "lower", "call", "rate", None, ("caller_history",),
            "Whether the same caller had called within the seven days before, by the recordings "
            "that are judged together.",
            misleads="Who called is what `caller` under `cohort` in the labels says, else the "
            "number of the telephone, else the participant's identity: one that is made anew for "
            "each call never comes again, one that all share always does. Calls that nobody "
            "recorded are not seen. Replays tell it of the recordings, whatever the build does.",
        ),
        repeat.repeat_call,
    ),
    Metric(
        spec(
            "eval_failed", "ratio", "lower", "call", "rate", None, LABELLED,
            "Whether the call failed what evaluates it: its labels' task was not completed, or a "
            "judge that the gate has a rule on failed it.",
            misleads="A judge is asked of the candidate alone, so against a baseline a judge can "
            "only make it worse: give it a limit instead, and judge each cohort with `by`.",
        ),
        evaluated.eval_failed,
    ),
)  # fmt: skip
