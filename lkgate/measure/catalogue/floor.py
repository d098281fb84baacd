"""Turn-taking: who speaks when."""

from __future__ import annotations

from lkgate.measure import endpoint, interruption, latency, talk, whole
from lkgate.measure.metric import BOTH, Metric, spec

_EAR = "What counts is sound in the room: the detector of speech finds its ends to some 10 ms."

METRICS = (
    Metric(
        spec(
            "unanswered_turns", "count", "lower", "turn", "sum", "turn_taking", BOTH,
            "Caller turns that wait for an answer and get none.",
            misleads="An agent that never speaks is counted here and has no latency at all: "
            "judge both. A caller who leaves within 2 s did not wait. It counts after a divergence "
            "too: in whatever conversation, a caller who waits is to be answered.",
        ),
        latency.unanswered_turns,
    ),
    Metric(
        spec(
            "end_of_turn_delay", "us", "lower", "turn", "median", "turn_taking", ("session",),
            "From the end of the caller's speech to LiveKit's decision that the turn has ended.",
            source="LiveKit's end_of_turn_delay of a message.",
            misleads="It ends with the decision, not with a sound; and a quick one is no virtue "
            "if endpointing_false_stops rises with it.",
            comparable=True,
        ),
        latency.end_of_turn_delay,
    ),
    Metric(
        spec(
            "endpointing_false_stops", "count", "lower", "turn", "sum", "turn_taking", BOTH,
            "Agent turns that began before the caller had finished: while the caller spoke, or in "
            "a pause of less than 0.7 s after which the caller went on.",
            misleads="A caller who interrupts at once looks like one who had not finished.",
            comparable=True,
        ),
        endpoint.endpointing_false_stops,
    ),
    Metric(
        spec(
            "caller_cut_off", "us", "lower", "turn", "max", "turn_taking", BOTH,
            "How much the caller still said of the sentence into which the agent began.",
            misleads="As endpointing_false_stops: a quick interruption is counted too.",
            comparable=True,
        ),
        endpoint.caller_cut_off,
    ),
    Metric(
        spec(
            "split_turns", "count", "lower", "turn", "sum", "turn_taking",
            (*BOTH, "session"),
            "Times that LiveKit ended the caller's turn and the caller spoke on before the agent "
            "was heard.",
            misleads="An agent that was quick enough to be heard in between has made two turns "
            "of one: endpointing_false_stops has those.",
            comparable=True,
        ),
        endpoint.split_turns,
    ),
    Metric(
        spec(
            "missed_turns", "count", "lower", "call", "sum", "turn_taking", BOTH,
            "Silences of more than 5 s between two sounds of the call.",
            misleads="A caller who looks for a card is silent too; a slow tool is not missed turn "
            "detection.",
        ),
        endpoint.missed_turns,
    ),
    Metric(
        spec(
            "silence_gap", "us", "lower", "call", "max", None, BOTH,
            "The longest stretch between two sounds in which nobody speaks.",
            misleads="The caller's own thinking is in it. One a call, so its percentiles need "
            "many calls.",
        ),
        talk.silence_gap,
    ),
    Metric(
        spec(
            "barge_ins", "count", "none", "turn", "sum", "turn_taking", BOTH,
            "Times that the caller began to speak while the agent spoke, for half a second at "
            "least.",
            misleads="How often callers interrupt says more of the agent's length than of its "
            "turn-taking. Shorter sounds are backchannels here.",
        ),
        interruption.barge_ins,
    ),
    Metric(
        spec(
            "barge_in_yield", "us", "lower", "turn", "max", "turn_taking", BOTH,
            "From the caller's first sound in the agent's speech to the agent's silence; if the "
            "agent spoke on, to its end.",
            misleads="The caller's hearing of it is later by the network. An agent at its end "
            "anyway is left out.",
            comparable=True,
        ),
        talk.barge_in_yield,
    ),
    Metric(
        spec(
            "barge_ins_ignored", "count", "lower", "turn", "sum", "turn_taking", BOTH,
            "Barge-ins for which the agent did not stop.",
            misleads="With no barge-in in any call there is nothing to judge, and no verdict.",
            comparable=True,
        ),
        talk.barge_ins_ignored,
    ),
    Metric(
        spec(
            "words_spoken_over", "words", "lower", "turn", "sum", "turn_taking",
            (*BOTH, "agent_transcript"),
            "Words that the agent still said after the caller had begun to interrupt it.",
            misleads="It is the share of the turn's sound, taken of its words: no word has a time "
            "of its own in a room.",
            comparable=True,
            version=2,
        ),
        interruption.words_spoken_over,
    ),
    Metric(
        spec(
            "agent_cut_ins", "count", "lower", "turn", "sum", "turn_taking", BOTH,
            "Agent turns that began while the caller was speaking.",
            misleads=f"Beginning in the caller's pause is not in it, as it is in "
            f"endpointing_false_stops. {_EAR}",
            comparable=True,
        ),
        talk.agent_cut_ins,
    ),
    Metric(
        spec(
            "interruptions", "count", "none", "turn", "sum", "turn_taking", ("session",),
            "Agent turns that LiveKit cut short for the caller.",
            source="LiveKit's interrupted of a message.",
            misleads="That is as it should be if the caller wanted it.",
        ),
        talk.interruptions,
    ),
    Metric(
        spec(
            "interrupted_share", "ratio", "none", "turn", "rate", "tts", ("session",),
            "Agent turns that were cut short, as a share of those that were spoken.",
            source="LiveKit's interrupted of a message.",
            misleads="Fewer is not better if barge-ins are ignored.",
        ),
        interruption.interrupted_share,
    ),
    Metric(
        spec(
            "repeated_interruptions", "count", "lower", "turn", "sum", "turn_taking",
            ("session",),
            "Agent turns that were cut short right after one that was cut short too.",
            misleads="A caller who interrupts twice may be in a hurry, or not understood: listen.",
        ),
        interruption.repeated_interruptions,
    ),
    Metric(
        spec(
            "false_interruptions", "count", "lower", "turn", "sum", "turn_taking", ("session",),
            "Times that the agent stopped for a sound that was no interruption.",
            source="LiveKit's event agent_false_interruption; where LiveKit is not to go on after "
            "one it sends none, and it is a reply cut short (interrupted) by a sound of the "
            "caller's from which no words came within 2 s.",
            misleads="A recogniser that loses the caller's words makes a true interruption look "
            "like a false one.",
            version=2,
        ),
        interruption.false_interruptions,
    ),
    Metric(
        spec(
            "false_interruptions_not_resumed", "count", "lower", "turn", "sum", "turn_taking",
            ("session",),
            "False interruptions after which the agent did not go on with what it was saying.",
            source="LiveKit's resumed of agent_false_interruption; a reply that was cut short for "
            "a sound without words is never gone on with.",
            misleads="With no false interruption in any call there is nothing to judge, and no "
            "verdict. As false_interruptions: words that the recogniser lost.",
            version=2,
        ),
        interruption.false_interruptions_not_resumed,
    ),
    Metric(
        spec(
            "talk_over_ratio", "ratio", "lower", "call", "rate", "turn_taking", BOTH,
            "Time in which both sides speak, as a share of the time in which anyone does.",
            misleads="Noise of the caller that is taken for speech is in it.",
        ),
        talk.talk_over_ratio,
    ),
    Metric(
        spec(
            "caller_impatient", "count", "lower", "call", "sum", "turn_taking", ("replay",),
            "Utterances that the caller said although what they answer did not happen.",
            misleads="The replay's caller waits as long as the settings' patience_s.",
        ),
        whole.caller_impatient,
    ),
)  # fmt: skip
