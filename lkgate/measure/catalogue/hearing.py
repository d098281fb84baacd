"""Speech recognition: what the agent heard."""

from __future__ import annotations

from lkgate.measure import hearing, talk, wer
from lkgate.measure.metric import Metric, spec
from lkgate.model.measurement import Evidence

_HEARD: tuple[Evidence, ...] = ("caller_audio", "caller_transcript", "labels")
_NORMAL = (
    "Case and punctuation do not count, but spelling does: 3 and three differ, and so do colour "
    "and color. A script without spaces between words has one word a sentence. Labels that write "
    "what was heard, not what was said, make every recogniser perfect."
)

METRICS = (
    Metric(
        spec(
            "word_error_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Substituted, lost and invented words of the caller's transcript against the labels, "
            "as a share of the labels' words.",
            source="(S + D + I) / N over the cheapest alignment (Levenshtein 1966), as jiwer "
            "computes it; the whole call is aligned at once.",
            misleads=_NORMAL,
            version=2,
        ),
        wer.word_error_rate,
    ),
    Metric(
        spec(
            "substitution_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Words that were heard as others, as a share of the labels' words.",
            source="S / N of word_error_rate.",
            misleads="Of several cheapest alignments one is taken, so a substitution can as well "
            "be a loss and an invention. Their sum is what is sure.",
            version=2,
        ),
        wer.substitution_rate,
    ),
    Metric(
        spec(
            "deletion_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Words that were not heard, as a share of the labels' words.",
            source="D / N of word_error_rate.",
            misleads="Words that the agent's endpointing cut off are lost as well, and that is "
            "not the recogniser's fault.",
            version=2,
        ),
        wer.deletion_rate,
    ),
    Metric(
        spec(
            "insertion_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Words that were heard and not said, as a share of the labels' words.",
            source="I / N of word_error_rate.",
            misleads="It can be above 1. Another voice in the room that was heard right counts.",
            version=2,
        ),
        wer.insertion_rate,
    ),
    Metric(
        spec(
            "number_error_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Substituted, lost and invented digits, weekdays, months, and am or pm behind digits "
            "of the caller's transcript against the labels, as a share of those in the labels.",
            source="As word_error_rate, over digits (twenty five is 2 5), weekdays and months.",
            misleads="Number words are English; of another language only digits are read. May is "
            "no month here, half past two has one digit, and the one in that one has one too.",
            version=2,
        ),
        wer.number_error_rate,
    ),
    Metric(
        spec(
            "entity_error_rate", "ratio", "lower", "turn", "rate", "stt", _HEARD,
            "Entities of the labels whose words the agent did not hear together, as a "
            "share of all.",
            misleads="One wrong letter of a name is one whole error. Where turns and utterances "
            "do not correspond, an entity is found anywhere in the call.",
            version=2,
        ),
        wer.entity_error_rate,
    ),
    Metric(
        spec(
            "transcript_confidence", "ratio", "higher", "turn", "median", "stt",
            ("session", "confidence"),
            "The recogniser's confidence in what the caller said.",
            source="LiveKit's transcript_confidence of a message.",
            misleads="Every recogniser has its own scale, and some always say 1: compare it with "
            "itself only.",
        ),
        hearing.transcript_confidence,
    ),
    Metric(
        spec(
            "low_confidence_share", "ratio", "lower", "turn", "rate", "stt",
            ("session", "confidence"),
            "Messages of the caller in which the recogniser trusts less than half, as a share.",
            source="LiveKit's transcript_confidence below 0.5.",
            misleads="As transcript_confidence: a recogniser that always says 1 never is unsure.",
        ),
        hearing.low_confidence_share,
    ),
    Metric(
        spec(
            "transcription_delay", "us", "lower", "turn", "median", "stt", ("session",),
            "From the end of the caller's speech to the final transcript.",
            source="LiveKit's transcription_delay of a message.",
            misleads="A recogniser that is sure before the caller stops has none, and such a turn "
            "is left out: the median is of those that had to wait.",
            comparable=True,
        ),
        hearing.transcription_delay,
    ),
    Metric(
        spec(
            "language_mismatches", "count", "lower", "turn", "sum", "stt",
            ("session", "language", "labels"),
            "Final transcripts in another language than the labels' cohort names.",
            source="LiveKit's language of user_input_transcribed; en-GB is en.",
            misleads="A recogniser that is told the language repeats it, whatever is spoken.",
        ),
        hearing.language_mismatches,
    ),
    Metric(
        spec(
            "caller_words", "words", "none", "turn", "sum", "stt", ("caller_transcript",),
            "Words that the agent heard the caller say.",
            misleads="It counts what was heard, invented words too.",
        ),
        talk.caller_words,
    ),
)  # fmt: skip
