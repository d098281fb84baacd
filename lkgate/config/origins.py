"""Where each setting's value comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lkgate.config.settings import OnMiss, ReplaySettings
from lkgate.config.source import Source, find
from lkgate.config.variables import from_environ
from lkgate.model.event import Json

DEFAULT = "default"
HIDDEN = "(set)"
# Of settings outside of a table.
_TOP: Mapping[str, Json] = {
    "recordings": "recordings",
    "gates": [],
    "prices": None,
    "judgements": "judgements",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that holds.

    Attributes:
        name: dotted, as in the file.
        value: as written; of a build's variables only that they are set.
        origin: ``default``, the name of a variable, or ``file:line``.
    """

    name: str
    value: Json
    origin: str


def origins(cwd: Path, environ: Mapping[str, str]) -> list[Setting]:
    """Every setting that has a value in ``cwd``, defaults too, sorted as in the documentation.

    For settings that :func:`lkgate.config.load_config` takes.

    Raises:
        ConfigError: as that.
    """
    source = find(cwd.resolve())
    found = {one.name: one for one in _defaults()}
    if source is not None:
        found |= {one.name: one for one in _written(source)}
    for name, keys, value in from_environ(environ, lambda _: None):
        if isinstance(value, dict):
            # A variable that sets a table sets all of it.
            below = ".".join(keys) + "."
            found |= {one.name: one for one in _defaults() if one.name.startswith(below)}
        for path, one in _flat(keys, value):
            dotted = ".".join(path)
            found[dotted] = Setting(dotted, one, name)
    return list(found.values())


def _defaults() -> Iterator[Setting]:
    for name, value in _TOP.items():
        yield Setting(name, value, DEFAULT)
    for field in dataclasses.fields(ReplaySettings):
        default = field.default
        if isinstance(default, OnMiss):
            for model, policy in dataclasses.asdict(default).items():
                yield Setting(f"replay.on_miss.{model}", policy, DEFAULT)
        else:
            yield Setting(f"replay.{field.name}", cast(Json, default), DEFAULT)
    yield Setting("tools.default", "error", DEFAULT)


def _written(source: Source) -> Iterator[Setting]:
    for name, value in source.data.items():
        for keys, one in _flat((name,), value):
            hidden = len(keys) > 3 and keys[0] == "builds" and keys[2] == "env"
            yield Setting(".".join(keys), HIDDEN if hidden else one, source.where(keys))


def _flat(keys: tuple[str, ...], value: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Settings below a table; a tool's ``{value = ...}`` is one value."""
    if isinstance(value, dict) and not (keys[0] == "tools" and len(keys) > 1):
        for name, inner in value.items():
            yield from _flat((*keys, name), inner)
    else:
        yield keys, value
