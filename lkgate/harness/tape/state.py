"""What a tool changed in the program's own state, so that its stand-in can change it too.

Looked at: the session's ``userdata`` and the attributes of the agent that the tool is a method of.
Plain values there (texts, numbers, lists and dictionaries of them, below dataclasses, pydantic
models and ordinary objects) are compared before and after; a change is ``[path, value]``. What
cannot be written down is named, so that nobody wonders why a replay knows less than the recording.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, cast

from livekit.agents import Agent
from livekit.agents.voice import RunContext

from lkgate.harness.tape import plain
from lkgate.harness.tape.deck import FunctionTool
from lkgate.model.event import Json

_DEPTH = 5
_MAX_PLACES = 2_000
_ABSENT = object()
Path = tuple[str | int, ...]


class State:
    """The state around one tool call, as it was when this was made."""

    def __init__(self, tool: FunctionTool, context: RunContext[Any]):
        self._roots = _roots(tool, context)
        self._before = self._look()

    def changes(self) -> tuple[list[Json], list[str]]:
        """``[path, value]`` of what is not as it was, and the names of what cannot be written."""
        after = self._look()
        changed: list[Json] = []
        lost: list[Path] = []
        for path, value in after.items():
            if any(path[: len(above)] == above for above in lost):
                continue  # part of another object than before
            if _same(self._before.get(path, _ABSENT), value):
                continue
            if isinstance(value, _Opaque):
                lost.append(path)
            else:
                changed.append([list(path), value])
        lost += [path for path in self._before if path not in after and path[:-1] in after]
        return changed, [".".join(str(part) for part in path) for path in lost]

    def _look(self) -> dict[Path, Any]:
        seen: dict[Path, Any] = {}
        for name, root in self._roots.items():
            seen[(name,)] = _Opaque(root)
            for part, value in _parts(root):
                for path, found in _places(value, (name, part), _DEPTH):
                    seen[path] = found
                    if len(seen) >= _MAX_PLACES:
                        return seen
        return seen


def apply(changes: Sequence[Json], tool: FunctionTool, context: RunContext[Any]) -> None:
    """Make recorded changes, as far as this program has the places."""
    for holder, path, value in _reached(changes, tool, context):
        _set(holder, path[-1], value)


def absent(changes: Sequence[Json], tool: FunctionTool, context: RunContext[Any]) -> list[str]:
    """The places of recorded changes that this program does not have; changes nothing."""
    return [
        ".".join(str(part) for part in path)
        for holder, path, value in _reached(changes, tool, context)
        if not _can_set(holder, path[-1], value)
    ]


def _reached(
    changes: Sequence[Json], tool: FunctionTool, context: RunContext[Any]
) -> Iterator[tuple[Any, list[str | int], Json]]:
    """Each change with what holds its place, or ``_ABSENT``."""
    roots = _roots(tool, context)
    for path, value in cast("Sequence[tuple[list[str | int], Json]]", changes):
        holder: Any = roots.get(str(path[0]), _ABSENT)
        for part in path[1:-1]:
            holder = _get(holder, part)
        yield holder, path, value


def _can_set(holder: Any, part: str | int, value: Json) -> bool:
    """Whether :func:`_set` would do it."""
    if isinstance(value, list) and isinstance(_get(holder, part), list):
        return True
    if isinstance(holder, list):
        return isinstance(part, int) and part < len(holder)
    if holder is _ABSENT or isinstance(holder, dict):
        return holder is not _ABSENT
    frozen = getattr(getattr(type(holder), "__dataclass_params__", None), "frozen", False)
    return not frozen and (hasattr(holder, str(part)) or hasattr(holder, "__dict__"))


class _Opaque:
    """Stands for an object; two of them are equal if it is the same one."""

    def __init__(self, value: object):
        self.value = value


def _roots(tool: FunctionTool, context: RunContext[Any]) -> dict[str, object]:
    roots: dict[str, object] = {}
    userdata = context.session._userdata
    if userdata is not None:
        roots["userdata"] = userdata
    if isinstance(tool._instance, Agent):
        roots["agent"] = tool._instance
    return roots


def _places(value: object, path: Path, depth: int) -> Iterator[tuple[Path, Any]]:
    """Every place below ``value`` with what is in it: plain values whole, objects opened."""
    if plain.is_exact(value):
        yield path, _copy(value)
        return
    yield path, _Opaque(value)
    if depth == 0:
        return
    for name, part in _parts(value):
        yield from _places(part, (*path, name), depth - 1)


def _parts(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        yield from ((name, part) for name, part in value.items() if isinstance(name, str))
    elif isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, Agent):
        own = _livekits()
        yield from ((name, part) for name, part in vars(value).items() if name not in own)
    elif not type(value).__module__.startswith(("livekit.", "builtins", "asyncio", "threading")):
        yield from getattr(value, "__dict__", {}).items()
        for name in getattr(type(value), "__slots__", ()):
            if hasattr(value, name):
                yield name, getattr(value, name)


@functools.cache
def _livekits() -> frozenset[str]:
    """The attributes that every agent has."""
    return frozenset({*vars(Agent(instructions="")), "_activity"})


def _same(before: object, after: object) -> bool:
    if isinstance(before, _Opaque) and isinstance(after, _Opaque):
        return before.value is after.value
    return type(before) is type(after) and before == after


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _get(holder: Any, part: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(part, _ABSENT)
    if isinstance(holder, list):
        return holder[part] if isinstance(part, int) and part < len(holder) else _ABSENT
    return getattr(holder, str(part), _ABSENT)


def _set(holder: Any, part: str | int, value: Json) -> bool:
    if holder is _ABSENT:
        return False
    there = _get(holder, part)
    if isinstance(there, list) and isinstance(value, list):
        there[:] = _copy(value)  # others may hold the same list
        return True
    if isinstance(holder, dict):
        holder[part] = _copy(value)
        return True
    if isinstance(holder, list):
        if not isinstance(part, int) or part >= len(holder):
            return False
        holder[part] = _copy(value)
        return True
    try:
        setattr(holder, str(part), _copy(value))
    except (AttributeError, TypeError, ValueError):  # frozen, or checked by pydantic
        return False
    return True
