"""One thing that happened in a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def value_at(value: Json, path: str) -> tuple[Json] | None:
    """What stands at ``slot.time`` in a value, ``None`` if the place is not there."""
    here: Json = value
    for name in path.split("."):
        if not isinstance(here, dict) or name not in here:
            return None
        here = here[name]
    return (here,)


@dataclass(frozen=True, slots=True)
class Event:
    """A line of ``events.jsonl``.

    Attributes:
        t_us: integer microseconds since the session's start.
        seq: position in the file; ``(t_us, seq)`` is a total order.
        kind: LiveKit's own event name where it has one (``agent_state_changed``,
            ``participant_connected``), else a name that begins with ``lkgate.``.
        data: the event's fields, plain JSON.
    """

    t_us: int
    seq: int
    kind: str
    data: Mapping[str, Json]
