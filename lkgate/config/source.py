"""A settings file as data, with a way back from a value to its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import cast

from lkgate import document
from lkgate.errors import ConfigError
from lkgate.model.event import Json

KeyPath = Sequence[str | int]

YAML_NAME = "lkgate.yaml"
TOML_NAME = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """The settings of one file.

    Attributes:
        path: the file.
        data: the object under ``[tool.lkgate]``, or the whole YAML document.
    """

    path: Path
    data: Mapping[str, Json]
    _text: str
    _document: document.Document[ConfigError] | None

    def where(self, keys: KeyPath) -> str:
        """``path:line`` or ``path:line:column`` of a value, or of the closest thing around it."""
        if self._document is not None:
            return self._document.where(tuple(keys))
        found = _toml_line(self._text, ["tool", "lkgate", *keys])
        return f"{self.path}:{found}" if found else str(self.path)


def find(start: Path) -> Source | None:
    """The settings of the nearest directory at or above ``start`` that has any.

    Raises:
        ConfigError: a file cannot be read or parsed, or a directory has both kinds.
    """
    for directory in (start, *start.parents):
        in_yaml = _read_yaml(directory / YAML_NAME)
        in_toml = _read_toml(directory / TOML_NAME)
        if in_yaml and in_toml:
            raise ConfigError(
                f"settings both here and in [tool.lkgate] of {TOML_NAME} beside it",
                where=str(in_yaml.path),
                next_step="Keep one of the two.",
            )
        if in_yaml or in_toml:
            return in_yaml or in_toml
    return None


def _read(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the settings: {error}", where=str(path)) from error


def _read_toml(path: Path) -> Source | None:
    text = _read(path)
    if text is None:
        return None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # A pyproject.toml that is none of ours is still in the way of finding out.
        said, _, place = str(error).partition(" (at line ")
        line, _, column = place.rstrip(")").partition(", column ")
        where = f"{path}:{line}:{column}" if column.isdigit() else str(path)
        raise ConfigError(f"not valid TOML: {said}", where=where) from error
    tool = document.get("tool")
    data = tool.get("lkgate") if isinstance(tool, dict) else None
    if data is None:
        return None
    if not isinstance(data, dict):
        raise ConfigError("[tool.lkgate] is a table", where=str(path))
    return Source(path, cast(Mapping[str, Json], data), text, None)


def _read_yaml(path: Path) -> Source | None:
    text = _read(path)
    if text is None:
        return None
    read = document.parse(text, str(path), ConfigError)
    data = {} if read.value is None else read.value
    if not isinstance(data, dict):
        raise read.error("the settings are a mapping", ())
    return Source(path, data, text, read)


_HEADER = re.compile(r"^\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_.\-]+|"[^"]*"|'[^']*')+)\s*=""")


def _toml_line(text: str, keys: KeyPath) -> int | None:
    """Line of the longest part of ``keys`` that a header or an assignment spells, 1-based."""
    wanted = [str(key) for key in keys]
    best, found, table = 1, None, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        key = None if header else _KEY.match(line)
        if header:
            table = _parts(header.group(1))
        spelled = table if header else [*table, *_parts(key.group(1))] if key else []
        # A header [a.b.c] is also where the table a.b begins, if nothing spells that one.
        pairs = zip(spelled, wanted, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if same > best and (header or same == len(spelled)):
            best, found = same, number
    return found


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
