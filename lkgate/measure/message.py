"""What both sides said, from whichever source the session has.

In order of trust: the session's conversation items; its final transcripts (caller only); the
room's transcription streams, which a recording from the outside has too.
"""

from __future__ import annotations

from lkgate.measure import field
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event
from lkgate.model.turn import Message, TurnRole

_ITEM_ROLES: dict[str, TurnRole] = {"user": "caller", "assistant": "agent"}


def messages_of(bundle: Bundle, role: TurnRole) -> tuple[Message, ...] | None:
    """Messages of one side in the order of their report, ``None`` if no source tells of any."""
    items = tuple(
        _from_item(event)
        for event in bundle.of_kind("conversation_item_added")
        if _role_of_item(event) == role
    )
    if items:
        return items
    if role == "caller":
        finals = tuple(
            _untimed(field.text(event.data, "transcript") or "", event.t_us)
            for event in bundle.of_kind("user_input_transcribed")
            if event.data.get("is_final") is True and field.text(event.data, "transcript")
        )
        if finals:
            return finals
    return _from_streams(bundle, role)


def _role_of_item(event: Event) -> TurnRole | None:
    item = field.mapping(event.data, "item")
    if item.get("type") != "message" or not field.text(item, "text"):
        return None
    return _ITEM_ROLES.get(field.text(item, "role") or "")


def _from_item(event: Event) -> Message:
    item = field.mapping(event.data, "item")
    metrics = field.mapping(item, "metrics")
    interrupted = item.get("interrupted")
    return Message(
        text=field.text(item, "text") or "",
        interrupted=interrupted if isinstance(interrupted, bool) else None,
        t_us=event.t_us,
        timed=any(value is not None for value in metrics.values()),
        transcription_delay_us=field.positive_us(metrics, "transcription_delay"),
        end_of_turn_delay_us=field.positive_us(metrics, "end_of_turn_delay"),
        llm_ttft_us=field.positive_us(metrics, "llm_node_ttft"),
        tts_ttfb_us=field.positive_us(metrics, "tts_node_ttfb"),
        confidence=field.number(item, "transcript_confidence"),
    )


def _from_streams(bundle: Bundle, role: TurnRole) -> tuple[Message, ...] | None:
    # The agent publishes the caller's transcript too: the transcribed track tells whose it is.
    sids = {track.sid: track.role for track in bundle.manifest.tracks if track.sid}
    names = {track.participant: track.role for track in bundle.manifest.tracks}
    segments: dict[str, Message] = {}
    for event in bundle.of_kind("transcription"):
        words = field.text(event.data, "text")
        if not words:
            continue
        sid = field.text(event.data, "track_sid") or ""
        speaker = sids.get(sid) or names.get(field.text(event.data, "identity") or "")
        key = field.text(event.data, "segment_id") or f"seq {event.seq}"
        final = event.data.get("final") is True
        # LiveKit Agents for Node never marks the one stream of what the agent says as final. A
        # caller's words that are not final are a guess.
        only = sids.get(sid) == "agent" and key not in segments
        if speaker == role and (final or only):
            segments[key] = _untimed(words, event.t_us)
    return tuple(segments.values()) or None


def _untimed(text: str, t_us: int) -> Message:
    return Message(
        text=text,
        interrupted=None,
        t_us=t_us,
        timed=False,
        transcription_delay_us=None,
        end_of_turn_delay_us=None,
        llm_ttft_us=None,
        tts_ttfb_us=None,
    )
