"""Media: how the audio came through."""

from __future__ import annotations

from lkgate.measure import media, sound
from lkgate.measure.metric import BOTH, Metric, spec
from lkgate.model.measurement import Evidence

_RECEIVED: tuple[Evidence, ...] = ("media_quality",)
_WAY = (
    "It is of the way to the recorder: the caller's part of it is the way to the server, the "
    "agent's way from there is not in it. A replay's room loses nothing."
)

METRICS = (
    Metric(
        spec(
            "media_gaps", "us", "lower", "call", "sum", "media", (*BOTH, "media"),
            "Audio that was lost or late while the session was captured.",
            misleads="What was lost before it reached the recorder and was made up by the "
            "receiver is concealed_audio, not a gap.",
            version=2,
        ),
        media.media_gaps,
    ),
    Metric(
        spec(
            "packet_loss", "ratio", "lower", "call", "rate", "media", _RECEIVED,
            "Packets of audio that did not come, as a share of those that were sent.",
            source="WebRTC statistics, inbound-rtp: packetsLost / (packetsReceived + packetsLost).",
            misleads=_WAY,
        ),
        media.packet_loss,
    ),
    Metric(
        spec(
            "jitter", "us", "lower", "call", "max", "media", _RECEIVED,
            "How unevenly packets of audio came: the worst that the receiver reported.",
            source="WebRTC statistics, inbound-rtp: jitter (RFC 3550, 6.4.1).",
            misleads=f"{_WAY} The jitter buffer hides it up to its length.",
        ),
        media.jitter,
    ),
    Metric(
        spec(
            "round_trip_time", "us", "lower", "call", "max", "media", _RECEIVED,
            "To the server and back: the worst that the receiver reported.",
            source="WebRTC statistics, candidate-pair: currentRoundTripTime.",
            misleads="It is the recorder's own way to the server, not the caller's.",
        ),
        media.round_trip_time,
    ),
    Metric(
        spec(
            "concealed_audio", "ratio", "lower", "call", "rate", "media", _RECEIVED,
            "Sound that the receiver made up for want of packets, as a share of all sound.",
            source="WebRTC statistics, inbound-rtp: concealedSamples / totalSamplesReceived.",
            misleads=f"{_WAY} Silence that was made up is counted too, and nobody hears it.",
        ),
        media.concealed_audio,
    ),
    Metric(
        spec(
            "caller_level", "dB", "none", "turn", "median", "media", ("levels",),
            "How loud the caller's speech is, against full scale.",
            source="Mean power of a stretch of speech, 0 dB being a full-scale square wave.",
            misleads="It is of the sound as recorded: gain control in the agent comes after it.",
        ),
        sound.caller_level,
    ),
    Metric(
        spec(
            "agent_level", "dB", "none", "turn", "median", "media", ("levels",),
            "How loud the agent's speech is, against full scale.",
            source="As caller_level.",
            misleads="Louder is not better, and how loud it seems is another thing.",
        ),
        sound.agent_level,
    ),
    Metric(
        spec(
            "clipped_audio", "ratio", "lower", "turn", "rate", "media", ("levels",),
            "Samples of speech at the end of the scale, three in a row at least, as a share.",
            misleads="What was clipped before it was made quieter is not seen.",
        ),
        sound.clipped_audio,
    ),
    Metric(
        spec(
            "caller_speech_quality", "mos", "higher", "turn", "median", "media",
            ("speech_quality",),
            "How good the caller's speech sounds, background included, from 1 to 5.",
            source="DNSMOS P.835, overall (Reddy, Gopal, Cutler 2022).",
            misleads="It is a model's guess of a listener's rating: compare it with itself. A loud "
            "room is rated low, and is not the agent's fault.",
        ),
        sound.caller_speech_quality,
    ),
    Metric(
        spec(
            "packet_loss_quality", "mos", "higher", "turn", "median", "media",
            ("speech_quality",),
            "How good speech sounds after the repair of lost packets, from 1 to 5.",
            source="PLCMOS v2 (Diener and others 2023), with raters that are always the same.",
            misleads="It was taught on losses, and rates other faults by chance.",
        ),
        sound.packet_loss_quality,
    ),
)  # fmt: skip
