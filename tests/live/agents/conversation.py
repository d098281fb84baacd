"""A Realtime API session's conversation: its items in order, and what the policy makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from intake.dialogue import Heard, Item, Returned, Told

JsonObject = dict[str, Any]


class Conversation:
    """Items by their ids, in the order of the call."""

    def __init__(self) -> None:
        self._items: dict[str, JsonObject] = {}
        self._order: list[str] = []

    def add(self, item: JsonObject, after: str | None = None) -> str | None:
        """Puts ``item`` behind the item ``after`` (``root``: first; absent: last).

        Returns:
            the id of the item before it; ``None`` where it is the first.

        Raises:
            ValueError: there is an item of that id, or none of ``after``.
        """
        if item["id"] in self._items:
            raise ValueError(f"there is an item {item['id']!r} already")
        if after is None:
            place = len(self._order)
        elif after == "root":
            place = 0
        elif after in self._items:
            place = self._order.index(after) + 1
        else:
            raise ValueError(f"there is no item {after!r}")
        self._order.insert(place, item["id"])
        self._items[item["id"]] = item
        return self._order[place - 1] if place else None

    def remove(self, item_id: str) -> None:
        """Raises ValueError where there is no such item."""
        if item_id not in self._items:
            raise ValueError(f"there is no item {item_id!r}")
        del self._items[item_id]
        self._order.remove(item_id)

    def complete(self, item: JsonObject) -> None:
        """An item that the agent has begun is there as a whole."""
        self._items[item["id"]] = item

    def understand(self, item_id: str, transcript: str) -> None:
        """What was heard in an item of audio; nothing is done where it is gone by now."""
        if item_id in self._items:
            self._items[item_id]["content"][0]["transcript"] = transcript

    def as_items(self, instructions: Sequence[str]) -> list[Item]:
        """As the policy reads them: ``instructions`` first, and nothing of what the agent said."""
        read: list[Item] = [Told(text) for text in instructions]
        called: dict[str, str] = {}
        for item in (self._items[item_id] for item_id in self._order):
            if item["type"] == "function_call":
                called[item["call_id"]] = item["name"]
            elif item["type"] == "function_call_output":
                read.append(Returned(called[item["call_id"]], item["output"]))
            elif item["role"] != "assistant" and (text := _text(item)):
                read.append(Heard(text) if item["role"] == "user" else Told(text))
        return read


def spoken(item_id: str, transcript: str) -> JsonObject:
    """What the agent says."""
    content = [{"type": "output_audio", "transcript": transcript}]
    return _item(item_id, "message", role="assistant", content=content)


def heard(item_id: str) -> JsonObject:
    """What the caller said, before it was understood."""
    content = [{"type": "input_audio", "transcript": None}]
    return _item(item_id, "message", role="user", content=content)


def called(item_id: str, tool: str, arguments: Any) -> JsonObject:
    """A call of a tool."""
    text = json.dumps(dict(arguments))
    return _item(item_id, "function_call", call_id=f"call_{item_id}", name=tool, arguments=text)


def _item(item_id: str, kind: str, **rest: Any) -> JsonObject:
    return {"id": item_id, "object": "realtime.item", "type": kind, "status": "completed", **rest}


def _text(item: JsonObject) -> str:
    return "".join(part.get("text") or part.get("transcript") or "" for part in item["content"])
