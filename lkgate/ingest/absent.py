"""What an import cannot give, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lkgate.ingest.roles import Voice
from lkgate.ingest.sources import Sources
from lkgate.ingest.timeline import Timeline

_ALWAYS = {
    "build": "imported: nothing tells which program the agent was",
    "cassette": "imported: exchanges with models and tools are not in such files",
    "arrival": "imported: nothing tells when the caller came into the room",
    "media": "imported: nothing tells what was lost or late before it was written",
}


def absences(sources: Sources, voices: Sequence[Voice], timeline: Timeline) -> Mapping[str, str]:
    """The manifest's ``absent``."""
    absent = dict(_ALWAYS)
    for role in ("caller", "agent"):
        if not any(voice.role == role for voice in voices):
            absent[f"{role}_audio"] = _why_silent(sources, voices)
    if sources.report is None:
        absent["session"] = "imported without a report of the agent's session"
        if sources.transcript is None:
            absent["transcript"] = "imported without a transcript"
        elif any(voice.mixed for voice in voices):
            absent["turns"] = "caller and agent are on one channel: words have no turn to stand in"
    else:
        if sources.report.from_history:
            absent["events"] = (
                "the report came without events: they are made of its conversation; states and "
                "interim transcripts are missing"
            )
        if any(voice.manifest is None for voice in voices):
            absent["room"] = (
                "recorded inside the agent: the network's latency, which the caller waits for as "
                "well, is not in it"
            )
    if not any(voice.manifest is not None and voice.manifest.publisher for voice in voices):
        absent["participants"] = "imported: the participants' names are lkgate's own"
    cut = [f"{v.sound.source.name} {v.sound.cut_short}" for v in voices if v.sound.cut_short]
    if cut:
        absent["end"] = "; ".join(dict.fromkeys(cut))
    if timeline.apart:
        absent["alignment"] = (
            "an egress tells when it began, not when its first sample was: the tracks may lie "
            "against each other by some hundred milliseconds"
        )
    return absent


def _why_silent(sources: Sources, voices: Sequence[Voice]) -> str:
    if not sources.audio:
        return "imported without audio"
    if any(voice.mixed for voice in voices):
        return "caller and agent are mixed on one channel"
    return "none of the imported channels is theirs"
