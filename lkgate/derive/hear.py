"""What the recogniser heard, and when. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.cassette import outside
from lkgate.derive.answer import Answer
from lkgate.derive.talk import skew_us
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json

_FINAL = "final_transcript"
_INTERIM = "interim_transcript"


def transcripts(bundle: Bundle) -> Sequence[tuple[int, bool, str, Json]]:
    """Session time, whether it is final, the text and the language of every transcript.

    Of the agent's session, or else of the room: one that gives what it heard to the room only.
    """
    clock = skew_us(bundle)
    found: list[tuple[int, bool, str, Json]] = []
    for event in bundle.of_kind("user_input_transcribed"):
        created = event.data.get("created_us")
        t_us = created + clock if isinstance(created, int) else event.t_us
        final = event.data.get("is_final") is True
        text = str(event.data.get("transcript") or "")
        found.append((max(0, t_us), final, text, event.data.get("language")))
    if not found:
        callers = {track.participant for track in bundle.tracks("caller")}
        for event in bundle.of_kind("transcription"):
            if event.data.get("identity") in callers:
                final = event.data.get("final") is True
                found.append((event.t_us, final, str(event.data.get("text") or ""), None))
    return sorted((one for one in found if one[2].strip()), key=lambda one: one[0])


def finals(bundle: Bundle) -> Sequence[tuple[int, str]]:
    """Session time and text of the final transcripts."""
    return [(t_us, text) for t_us, final, text, _ in transcripts(bundle) if final]


def answers(bundle: Bundle) -> Sequence[Answer]:
    """One stream of the whole call; and each final transcript as a piece of audio recognised."""
    heard = transcripts(bundle)
    if not heard:
        return ()
    events = [_event(*one) for one in heard]
    stream: dict[str, Json] = {
        "ending": "done",
        "base_us": 0,
        "closed_us": bundle.manifest.duration_us,
        "events": list(events),
    }
    made = [Answer("stt", 0, outside.hearing(), stream)]
    spoken = sorted(span for track in bundle.tracks("caller") for span in track.speech)
    since_us = 0
    for t_us, final, text, language in heard:
        if not final:
            continue
        said = [span for span in spoken if since_us < span.end_us and span.start_us < t_us]
        began_us = min((span.start_us for span in said), default=since_us)
        # Silence tells a detector that the piece is over: it is asked about a little later.
        asked_us = min(t_us, max((span.end_us for span in said), default=t_us))
        piece: dict[str, Json] = {
            "ending": "done",
            "audio_us": max(0, asked_us - began_us),
            "base_us": asked_us,
            "event": _event(t_us, True, text, language),
            "took_us": t_us - asked_us,
        }
        made.append(Answer("stt", asked_us, outside.hearing(), piece))
        since_us = t_us
    return made


def _event(t_us: int, final: bool, text: str, language: Json) -> dict[str, Json]:
    data: dict[str, Json] = {"language": language or "", "text": text}
    return {"t_us": t_us, "type": _FINAL if final else _INTERIM, "alternatives": [data]}
