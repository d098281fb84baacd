"""``events.jsonl``: one event a line, in the order ``(t_us, seq)``, ``seq`` counting from 0."""

from __future__ import annotations

import json
from collections.abc import Iterable

from lkgate.bundle.canonical import compact
from lkgate.errors import BundleError
from lkgate.model.event import Event

EVENTS = "events.jsonl"


def encode_events(events: Iterable[Event]) -> bytes:
    """The one text of events: equal events give equal bytes."""
    return "".join(
        f'{{"t_us":{event.t_us},"seq":{event.seq},'
        f'"kind":{compact(event.kind)},"data":{compact(event.data)}}}\n'
        for event in events
    ).encode()


def decode_events(data: bytes, where: str) -> tuple[Event, ...]:
    """The events of a file.

    Raises:
        BundleError: names the first line that is no event, or is out of order.
    """
    events: list[Event] = []
    last_us = 0
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise BundleError("ends within a line", where=f"{where}:{len(lines) + 1}")
    for seq, line in enumerate(lines):
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"no JSON: {error}", where=f"{where}:{seq + 1}") from None
        match raw:
            case {"t_us": int(t_us), "seq": int(at), "kind": str(kind), "data": dict(fields)} if (
                type(t_us) is type(at) is int and kind
            ):
                pass
            case _:
                raise BundleError("no event", where=f"{where}:{seq + 1}")
        if at != seq or t_us < last_us:
            raise BundleError("out of order", where=f"{where}:{seq + 1}")
        last_us = t_us
        events.append(Event(t_us, seq, kind, fields))
    return tuple(events)
