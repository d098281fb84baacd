"""What both sides said, from every source that the session has.

A conversation item is what LiveKit gave its model to remember, and not the same as speech: a
program may speak without one (``say(..., add_to_chat_ctx=False)``), leave one out
(``StopResponse``), edit one, or make one that nobody spoke (``generate_reply(user_input=...)``).
So an item, which alone has LiveKit's metrics, is held against what was transcribed beside it: the
recogniser's final transcripts, or the room's transcription streams, which a recording from the
outside has too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lkgate.measure import field
from lkgate.measure.words import words_of
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event
from lkgate.model.turn import Message, TurnRole

_ITEM_ROLES: dict[str, TurnRole] = {"user": "caller", "assistant": "agent"}
# A stream and an item that tell of the same words come in either order.
_SLACK_US = 1_000_000
# So many transcripts before an item can be its own: of one turn of a halting caller.
_MOST = 20
# Words in common, of the longer text, from which on an item is an edited or a shortened transcript.
_ALIKE = 0.5


def messages_of(bundle: Bundle, role: TurnRole) -> tuple[Message, ...] | None:
    """Messages of one side in the order of their report, ``None`` if no source tells of any.

    One for each conversation item that was spoken, and for each transcript that is part of none.
    """
    items = [
        _from_item(event)
        for event in bundle.of_kind("conversation_item_added")
        if _role_of_item(event) == role
    ]
    if role == "caller":
        # What a program wrote for the caller has neither metrics nor confidence.
        items = [item for item in items if _spoken(item)] or items
    finals = _finals(bundle) if role == "caller" else []
    heard = sorted(finals or _from_streams(bundle, role), key=_t_us)
    if not (items and heard):
        return tuple(items or heard) or None
    said = _caller(items, heard) if role == "caller" else _agent(items, heard)
    return tuple(sorted(said, key=_t_us)) or None


def _spoken(item: Message) -> bool:
    """Whether LiveKit says that the caller spoke it."""
    return item.timed or item.confidence is not None


def _agent(items: Sequence[Message], heard: Sequence[Message]) -> Iterator[Message]:
    told = 0
    for item in items:
        run = _run_of(item, heard, told)
        yield from heard[told : run.start]
        yield item
        told = run.stop
    yield from heard[told:]


def _caller(items: Sequence[Message], heard: Sequence[Message]) -> Iterator[Message]:
    told = 0
    for item in items:
        run = _run_of(item, heard, told)
        if not run:
            if not _spoken(item):
                continue
            # The program wrote something else in place of what was heard.
            run = range(told, bisect_right(heard, item.t_us, lo=told, key=_t_us))
        yield from heard[told : run.start]
        text = " ".join(message.text for message in heard[run.start : run.stop]) or item.text
        yield item if words_of(text) == words_of(item.text) else replace(item, text=text)
        told = run.stop
    yield from heard[told:]


def _run_of(item: Message, heard: Sequence[Message], told: int) -> range:
    """Places, from ``told`` on, of the transcripts that an item is made of, one after another;
    empty, at ``told``, if of none."""
    come = bisect_right(heard, item.t_us + _SLACK_US, lo=told, key=_t_us)
    first = max(told, come - _MOST)
    wanted = words_of(item.text)
    texts = [words_of(message.text) for message in heard[first:come]]
    for stop in range(len(texts), 0, -1):
        words = 0
        for start in range(stop - 1, -1, -1):
            words += len(texts[start])
            if words > len(wanted):
                break
            if words == len(wanted) and _joined(texts[start:stop]) == wanted:
                return range(first + start, first + stop)
    alike = [(_likeness(wanted, text), at) for at, text in enumerate(texts, first)]
    best, at = max(alike, default=(0.0, told))
    return range(at, at + 1) if best >= _ALIKE else range(told, told)


def _t_us(message: Message) -> int:
    return message.t_us


def _joined(texts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(word for text in texts for word in text)


def _likeness(one: Sequence[str], other: Sequence[str]) -> float:
    shared = Counter(one) & Counter(other)
    return shared.total() / max(len(one), len(other), 1)


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


def _finals(bundle: Bundle) -> list[Message]:
    return [
        _untimed(field.text(event.data, "transcript") or "", event.t_us)
        for event in bundle.of_kind("user_input_transcribed")
        if event.data.get("is_final") is True and field.text(event.data, "transcript")
    ]


def _from_streams(bundle: Bundle, role: TurnRole) -> list[Message]:
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
    return list(segments.values())


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
