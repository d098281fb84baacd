"""What the language model answered, by its place in the conversation. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from lkgate.cassette import outside
from lkgate.derive.answer import Answer
from lkgate.derive.talk import Called, Handed, Item, Said, Talk
from lkgate.model.event import Json


def answers(talk: Talk, finals: Sequence[tuple[int, str]]) -> Iterator[Answer]:
    """An answer for every place at which the model is known to have been asked.

    Where the caller went on before anything came of an answer (it was asked ahead of time, or its
    reply was never heard), it is known that nobody waited for it: that is an answer that was cut
    short with nothing of it.

    Args:
        finals: the recogniser's final transcripts, session time and text.
    """
    usual_us = _usual(talk)
    items = list(talk.items)
    at = 0
    while at < len(items):
        item = items[at]
        first = at
        at += 1
        if isinstance(item, Said) and item.who == "assistant":
            if item.thought is False:
                continue
            calls = []
            if at < len(items) and isinstance(following := items[at], Called):
                calls = _batch(items, at, following.batch)
            # The model is asked again once its tools have answered.
            yield _answer(items[:first], item, calls, usual_us)
            at += len(calls)
        elif isinstance(item, Called):
            calls = _batch(items, first, item.batch)
            yield _answer(items[:first], None, calls, usual_us)
            at = first + len(calls)
        elif isinstance(item, Said):
            yield from _ahead(items[:first], item, finals)
            if at < len(items) and isinstance(following := items[at], Said):
                if following.who == "user":
                    yield _nothing(items[: first + 1], item.at_us, following.at_us)
            elif at == len(items):
                yield _nothing(items[: first + 1], item.at_us, item.at_us)


def _answer(
    before: Sequence[Item], said: Said | None, calls: Sequence[Called], usual_us: int
) -> Answer:
    """What the model said and called; after the usual time where LiveKit measured none."""
    chunks: list[Json] = []
    at_us = usual_us if said is None or said.ttft_us is None else said.ttft_us
    asked_us = said.at_us if said is not None else calls[0].at_us
    if said is not None:
        # A word counts as a token: how many there were is told of the whole call only.
        step_us = 1_000_000 / said.tokens_per_s if said.tokens_per_s else 0.0
        each = said.text.split(" ")
        for number, word in enumerate(each):
            more = "" if number + 1 == len(each) else " "
            chunks.append([at_us + round(number * step_us), word + more])
        at_us += round(len(each) * step_us)
    for call in calls:
        asked: dict[str, Json] = {
            "arguments": _text_of(call.arguments),
            "call_id": call.call_id,
            "name": call.name,
        }
        delta: dict[str, Json] = {"role": "assistant", "tool_calls": [asked]}
        chunks.append([at_us, {"delta": delta}])
    response: dict[str, Json] = {
        "ending": "done",
        "took_us": at_us,
        "id": "derived",
        "chunks": chunks,
    }
    if said is None or said.ttft_us is None:
        response["untimed"] = True
    return Answer("llm", asked_us, outside.conversation(_items(before)), response)


def _ahead(
    before: Sequence[Item], turn: Said, finals: Sequence[tuple[int, str]]
) -> Iterator[Answer]:
    """Requests that were made while the caller was still speaking, if there were any.

    LiveKit may ask for a reply at every final transcript; the next one takes its place.
    """
    since = max((item.at_us for item in before if isinstance(item, Said)), default=0)
    parts = [(t_us, text) for t_us, text in finals if since < t_us <= turn.at_us]
    so_far = ""
    for (t_us, text), (next_us, _) in pairwise(parts):
        so_far = f"{so_far} {text}".strip()
        if turn.text != so_far and turn.text.startswith(so_far):
            yield _nothing([*before, Said("user", so_far, t_us)], t_us, next_us)


def _nothing(items: Sequence[Item], from_us: int, to_us: int) -> Answer:
    response: dict[str, Json] = {
        "ending": "cancelled",
        "took_us": max(0, to_us - from_us),
        "id": "derived",
        "chunks": [],
    }
    return Answer("llm", from_us, outside.conversation(_items(items)), response)


def _batch(items: Sequence[Item], first: int, batch: int) -> list[Called]:
    found: list[Called] = []
    for item in items[first:]:
        if not isinstance(item, Called) or item.batch != batch:
            break
        found.append(item)
    return found


def _items(items: Sequence[Item]) -> list[dict[str, Json]]:
    made: list[dict[str, Json]] = []
    for item in items:
        if isinstance(item, Said):
            made.append({"type": "message", "role": item.who, "text": item.text})
        elif isinstance(item, Handed):
            made.append({"type": "agent_handoff", "old_agent_id": "another"})
        else:
            same: dict[str, Json] = {"call_id": item.call_id, "name": item.name}
            made.append({"type": "function_call", **same, "arguments": item.arguments})
            told: dict[str, Json] = {"output": item.output, "is_error": item.is_error}
            made.append({"type": "function_call_output", **same, **told})
    return made


def _text_of(arguments: Json) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _usual(talk: Talk) -> int:
    found = [item.ttft_us for item in talk.items if isinstance(item, Said) and item.ttft_us]
    return round(median(found)) if found else 0
