"""Speech output: the agent's voice."""

from __future__ import annotations

from lkgate.measure import latency, sound, talk, voice, whole
from lkgate.measure.metric import BOTH, Metric, spec
from lkgate.model.measurement import Evidence

_SPOKEN: tuple[Evidence, ...] = ("agent_audio", "agent_transcript")

METRICS = (
    Metric(
        spec(
            "tts_ttfb", "us", "lower", "turn", "median", "tts", ("session",),
            "From the first text sent to the voice to the first sound received.",
            source="LiveKit's tts_node_ttfb of a message.",
            misleads="In a replay a recorded answer takes as long as it took then.",
            comparable=True,
        ),
        latency.tts_ttfb,
    ),
    Metric(
        spec(
            "tts_real_time_factor", "ratio", "lower", "turn", "rate", "tts", ("synthesis",),
            "How long the voice took for a speech, as a share of how long the speech lasts.",
            source="LiveKit's duration over audio_duration of TTSMetrics, as the cassette has "
            "them.",
            misleads="Over 100% the voice falls behind. Where text is streamed to the voice, "
            "waiting for the model's words is in it. In a replay a recorded answer takes as long "
            "as it took then, and one that was not recorded has none.",
            comparable=True,
        ),
        voice.tts_real_time_factor,
    ),
    Metric(
        spec(
            "speech_pause", "us", "lower", "turn", "max", "tts", (*BOTH, "session"),
            "The longest pause inside one reply of the agent.",
            misleads="A comma is a pause too. Where a reply ends is LiveKit's word "
            "(agent_state_changed); without it two replies in a row are one.",
            comparable=True,
        ),
        voice.speech_pause,
    ),
    Metric(
        spec(
            "speaking_rate", "words", "none", "turn", "median", "tts", _SPOKEN,
            "Words a minute of the agent's speech.",
            misleads="Long words are slower: compare it with itself, or judge the same words. "
            "Turns under a second, and those cut short, are left out.",
            comparable=True,
            version=2,
        ),
        voice.speaking_rate,
    ),
    Metric(
        spec(
            "agent_speech_quality", "mos", "higher", "turn", "median", "tts",
            ("speech_quality",),
            "How good the agent's speech sounds, from 1 to 5.",
            source="DNSMOS P.835, overall (Reddy, Gopal, Cutler 2022).",
            misleads="It rates noise and distortion. That a voice says the wrong words, or says "
            "them strangely, it does not hear.",
        ),
        sound.agent_speech_quality,
    ),
    Metric(
        spec(
            "spoken_word_error_rate", "ratio", "lower", "turn", "rate", "tts",
            (*_SPOKEN, "spoken"),
            "Words that the agent's voice does not say as the session says it did, as a share.",
            source="(S + D + I) / N of a local recogniser's transcript (Whisper tiny.en) against "
            "the agent's text, numbers as digits.",
            misleads="The recogniser errs too, in some 4 % of words, more in names: compare with "
            "the same voice. English only.",
            version=2,
        ),
        sound.spoken_word_error_rate,
    ),
    Metric(
        spec(
            "agent_words", "words", "none", "turn", "sum", "llm", ("agent_transcript",),
            "Words that the agent said.",
            misleads="It counts what the session says was spoken: what the voice made of it is "
            "not listened to.",
        ),
        talk.agent_words,
    ),
    Metric(
        spec(
            "speech_misses", "count", "lower", "call", "sum", "tts", ("replay",),
            "TTS requests that the cassette does not hold.",
            misleads="Their speech lasts as long as the recorded pace says: a fair guess, and a "
            "guess.",
        ),
        whole.speech_misses,
    ),
)  # fmt: skip
