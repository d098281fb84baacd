"""A recording's conversation: what was said and done, in the order of the agent's own history.

Times are session time. What the agent says of itself (``created_us``, ``started_speaking_us``) is
on its machine's clock: the two clocks are compared by the event that came quickest. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lkgate.cassette.keys import words
from lkgate.model.bundle import Bundle, Span
from lkgate.model.event import Event, Json

Data = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Said:
    """A message.

    Attributes:
        at_us: its place in the conversation: the caller's turn was over, the agent's model was
            asked or the program said it.
        heard: the stretch of session time in which the agent was speaking it, ``None`` if unknown.
        cut: the caller cut it short; ``text`` is what had been said by then.
        thought: a language model wrote it; ``None`` if the source does not tell.
        ttft_us, tokens_per_s, ttfb_us: LiveKit's own measurements; ``None`` is "not measured".
    """

    who: Literal["user", "assistant"]
    text: str
    at_us: int
    heard: Span | None = None
    cut: bool = False
    thought: bool | None = None
    ttft_us: int | None = None
    tokens_per_s: float | None = None
    ttfb_us: int | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """A tool's call and what came of it.

    Attributes:
        batch: calls of one answer of the model have one number.
        at_us, ended_us: its run, or the moment of its report for both if no run was seen.
        output: as the model was told, ``None`` if it returned nothing.
        hands_over: another agent took over because of it.
    """

    name: str
    call_id: str
    arguments: Json
    output: str | None
    is_error: bool
    batch: int
    at_us: int
    ended_us: int
    hands_over: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """Another agent took over."""

    at_us: int


Item = Said | Called | Handed


@dataclass(frozen=True, slots=True)
class Talk:
    """Everything by its place in the conversation.

    Attributes:
        session: whether the agent's session told it; else it is the room's transcription.
        timed: whether LiveKit's latencies are known.
    """

    items: Sequence[Item]
    session: bool
    timed: bool

    def said(self, who: Literal["user", "assistant"]) -> Iterator[Said]:
        """Messages of one side."""
        return (item for item in self.items if isinstance(item, Said) and item.who == who)


def talk_of(bundle: Bundle) -> Talk:
    """The conversation of a recording."""
    clock = skew_us(bundle)
    messages = [_message(event, clock) for event in bundle.of_kind("conversation_item_added")]
    told = [message for message in messages if message is not None]
    if not told:
        heard = _transcribed(bundle)
        return Talk(_ordered(heard), session=False, timed=False)
    handed = _handed(bundle, clock)
    called = _called(bundle, clock, handed)
    timed = any(message.ttft_us is not None for message in told)
    users = [message.at_us for message in told if message.who == "user"]
    turning = sorted([*users, *(item.at_us for item in handed)])
    placed = [_place(message, turning, timed=timed) for message in told]
    return Talk(_ordered([*placed, *called, *handed]), session=True, timed=timed)


def skew_us(bundle: Bundle) -> int:
    """What to add to the agent's clock to have session time."""
    late = [
        event.t_us - created
        for event in bundle.events
        if isinstance(created := event.data.get("created_us"), int)
    ]
    return min(late, default=0)


def speaking(bundle: Bundle) -> Sequence[int]:
    """When the agent began to speak by its own word, for the delay of its audio."""
    clock = skew_us(bundle)
    found = [_message(event, clock) for event in bundle.of_kind("conversation_item_added")]
    return [one.heard.start_us for one in found if one is not None and one.heard is not None]


def _message(event: Event, clock: int) -> Said | None:
    item = _mapping(event.data.get("item"))
    who, text = item.get("role"), words(str(item.get("text") or ""))
    if item.get("type") != "message" or who not in ("user", "assistant") or not text:
        return None
    metrics = _mapping(item.get("metrics"))
    at_us = _time(event.data.get("created_us"), clock)
    began = _time(metrics.get("started_speaking_us"), clock)
    ended = _time(metrics.get("stopped_speaking_us"), clock)
    heard = Span(began, ended) if began is not None and ended is not None else None
    return Said(
        who="user" if who == "user" else "assistant",
        text=text,
        at_us=event.t_us if at_us is None else at_us,
        heard=heard if who == "assistant" else None,
        cut=who == "assistant" and item.get("interrupted") is True,
        ttft_us=_us(metrics.get("llm_node_ttft")),
        tokens_per_s=_number(metrics.get("llm_node_tps")),
        ttfb_us=_us(metrics.get("tts_node_ttfb")),
    )


def _place(message: Said, turning: Sequence[int], *, timed: bool) -> Said:
    """Where an agent's message belongs: at the moment its model was asked for it.

    LiveKit reports it when it has been spoken, and asks ahead of time: a reply never comes before
    the turn that it answers.
    """
    if message.who == "user":
        return message
    began_us = message.heard.start_us if message.heard else message.at_us
    asked_us = began_us - (message.ttft_us or 0) - (message.ttfb_us or 0)
    after = [at_us for at_us in turning if at_us <= began_us]
    at_us = max([asked_us, *after])
    thought = message.ttft_us is not None if timed else None
    return replace(message, at_us=at_us, thought=thought)


def _handed(bundle: Bundle, clock: int) -> list[Handed]:
    found: list[Handed] = []
    for event in bundle.of_kind("conversation_item_added"):
        item = _mapping(event.data.get("item"))
        if item.get("type") == "agent_handoff" and item.get("old_agent_id") is not None:
            at_us = _time(event.data.get("created_us"), clock)
            found.append(Handed(event.t_us if at_us is None else at_us))
    return found


@dataclass(slots=True)
class _Run:
    started_us: int | None = None
    ended_us: int | None = None


def _called(bundle: Bundle, clock: int, handed: Sequence[Handed]) -> list[Called]:
    runs: dict[str, _Run] = {}
    for event in bundle.of_kind("tool_execution_updated"):
        run = runs.setdefault(str(event.data.get("call_id")), _Run())
        at_us = _time(event.data.get("created_us"), clock)
        if event.data.get("phase") == "started":
            run.started_us = event.t_us if at_us is None else at_us
        elif event.data.get("phase") == "ended":
            run.ended_us = event.t_us if at_us is None else at_us
    found: list[Called] = []
    for batch, event in enumerate(bundle.of_kind("function_tools_executed")):
        told_us = _time(event.data.get("created_us"), clock)
        told_us = event.t_us if told_us is None else told_us
        calls = event.data.get("calls")
        listed = [_mapping(call) for call in calls] if isinstance(calls, list) else []
        hands_over = _hands_over(listed, told_us, bundle, batch, handed, clock)
        for number, call in enumerate(listed):
            id = str(call.get("call_id"))
            run = runs.get(id, _Run())
            output = call.get("output")
            at_us = told_us if run.started_us is None else run.started_us
            found.append(
                Called(
                    name=str(call.get("name")),
                    call_id=id,
                    arguments=call.get("arguments"),
                    output=str(output) if output not in (None, "") else None,
                    is_error=call.get("is_error") is True,
                    batch=batch,
                    at_us=at_us,
                    ended_us=max(at_us, told_us if run.ended_us is None else run.ended_us),
                    hands_over=number in hands_over,
                )
            )
    return found


def _hands_over(
    calls: Sequence[Data],
    told_us: int,
    bundle: Bundle,
    batch: int,
    handed: Sequence[Handed],
    clock: int,
) -> set[int]:
    """Which calls of a batch made another agent the one who speaks.

    One that did is followed by the handoff before any other tool runs. It returns nothing, or, if
    it is the only one, a text beside the agent.
    """
    later = [
        event.t_us if (at_us := _time(event.data.get("created_us"), clock)) is None else at_us
        for event in bundle.of_kind("function_tools_executed")[batch + 1 :]
    ]
    spoken = [
        event.t_us
        for event in bundle.of_kind("conversation_item_added")
        if _mapping(event.data.get("item")).get("role") == "user" and event.t_us > told_us
    ]
    until_us = min([*later, *spoken], default=bundle.manifest.duration_us)
    if not any(told_us - _AT_ONCE_US <= one.at_us < until_us for one in handed):
        return set()
    silent = {n for n, call in enumerate(calls) if call.get("output") in (None, "")}
    return silent or ({0} if len(calls) == 1 else set())


# The report of a batch and the handoff that it leads to are made in the same moment.
_AT_ONCE_US = 50_000


def _transcribed(bundle: Bundle) -> list[Said]:
    """What the room's transcription says, where the session says nothing."""
    callers = {track.participant for track in bundle.tracks("caller")}
    agents = {track.participant for track in bundle.tracks("agent")}
    found: list[Said] = []
    for event in bundle.of_kind("transcription"):
        text = words(str(event.data.get("text") or ""))
        who = event.data.get("identity")
        if event.data.get("final") is not True or not text:
            continue
        began = event.data.get("started_us")
        if who in callers:
            found.append(Said("user", text, event.t_us))
        elif who in agents and isinstance(began, int):
            found.append(Said("assistant", text, began, heard=Span(began, event.t_us)))
    return found


def _ordered(items: Sequence[Item]) -> Sequence[Item]:
    # A turn, then what answers it: a sort keeps the order of equals.
    rank = {Handed: 0, Said: 1, Called: 2}
    return sorted(
        items,
        key=lambda item: (
            item.at_us,
            rank[type(item)],
            isinstance(item, Said) and item.who == "assistant",
        ),
    )


def _mapping(value: Json) -> Data:
    return value if isinstance(value, dict) else {}


def _time(value: Json, clock: int) -> int | None:
    return value + clock if isinstance(value, int) else None


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _us(value: Json) -> int | None:
    seconds = _number(value)
    return None if seconds is None else round(seconds * 1e6)
