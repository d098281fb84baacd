"""YAML that people write, as plain JSON values with the place of each in the file.

YAML 1.2's core schema, as far as JSON has it: only ``true``, ``false``, ``null`` and numbers are
not text, so that ``no`` and ``on`` are words and ``1:30`` is no number. Digits that begin with a
zero are text as well: they are telephone numbers and codes. Keys are text and must differ; aliases
and tags are refused. Beside it, what every such file is checked with: its JSON Schema.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path as File
from typing import Generic, Protocol, TypeVar

import jsonschema
import yaml

from lkgate.errors import LkgateError
from lkgate.model.event import Json

Path = tuple[str | int, ...]
Place = tuple[int, int]
E = TypeVar("E", bound=LkgateError)

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MAX_BYTES = 1_000_000
# Longer digits are no count and no limit of anything, and int() refuses them from 4300 on.
_DIGITS = 40
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


@dataclass(frozen=True, slots=True)
class Document(Generic[E]):
    """A parsed file.

    Attributes:
        name: the file, for messages.
        value: its content; ``None`` also of an empty file.
        values, keys: line and column, from 1, of each value and of each mapping's key.
        raises: the kind of error that :meth:`error` makes.
    """

    name: str
    value: Json
    values: dict[Path, Place]
    keys: dict[Path, Place]
    raises: type[E]

    @property
    def empty(self) -> bool:
        """There is nothing in the file."""
        return () not in self.values

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Line and column of a value, or of its key, or of the closest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return (self.keys if key else {}).get(path, self.values.get(path, (1, 1)))

    def where(self, path: Path, *, key: bool = True) -> str:
        """The same as ``name:line:column``."""
        line, column = self.place(path, key=key)
        return f"{self.name}:{line}:{column}"

    def error(self, what: str, path: Path, next_step: str | None = None, *, key: bool = False) -> E:
        """An error at a value, or at its key."""
        return self.raises(what, where=self.where(path, key=key), next_step=next_step)


def read(path: File, what: str, raises: type[E], next_step: str) -> str:
    """The text of a file.

    Args:
        what: the file is, for messages: ``the gate file``.
        next_step: if it cannot be read at all.

    Raises:
        LkgateError: of the kind ``raises``: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise raises(
            f"{what} cannot be read: {error.strerror or error}",
            where=str(path),
            next_step=next_step,
        ) from error
    if len(data) > _MAX_BYTES:
        raise raises(f"{what} is larger than 1 MB", where=str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise raises(f"{what} is not UTF-8", where=str(path)) from error


@cache
def validator(package: str, path: str) -> jsonschema.Draft202012Validator:
    """Of the JSON Schema that stands at ``path`` in a package of lkgate's own."""
    text = files(package).joinpath(path).read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def unknown_key(error: jsonschema.ValidationError) -> tuple[str, list[str]] | None:
    """The first key of a mapping that its schema does not know, and all that it knows.

    Returns:
        ``None`` if the error is another one.
    """
    if error.validator != "additionalProperties" or not isinstance(error.instance, dict):
        return None
    part = error.schema
    known = list(part.get("properties", {})) if isinstance(part, dict) else []
    return next(str(key) for key in error.instance if key not in known), known


def parse(text: str, name: str, raises: type[E]) -> Document[E]:
    """Parse one YAML document.

    Args:
        name: of the file, for messages.
        raises: the kind of error for a file of this kind.

    Raises:
        LkgateError: of that kind, with the place.
    """
    document = Document(name, None, {}, {}, raises)
    try:
        loader = _Loader(text)
        try:
            node = loader.only_node()
        finally:
            loader.dispose()
        value = None if node is None else _read(document, node, ())
    except _RefusedError as error:
        where = f"{name}{error.place}"
        raise raises(error.what, where=where, next_step=error.next_step) from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, name, raises) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position].split("\n")
        raise raises(
            f"this is not YAML: the character U+{int(error.character):04X} may not stand in it",
            where=f"{name}:{len(before)}:{len(before[-1]) + 1}",
        ) from error
    except RecursionError as error:
        raise raises("this is nested too deeply", where=name) from error
    return Document(name, value, document.values, document.keys, raises)


class _Mark(Protocol):
    """From 0; PyYAML has two kinds of it."""

    line: int
    column: int


class _RefusedError(Exception):
    """Good YAML that these files may not hold."""

    def __init__(self, what: str, event: yaml.Event, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what, self.place, self.next_step = what, _place(event.start_mark), next_step


class _Loader(yaml.BaseLoader):
    """Resolves nothing, and refuses at their own place what :func:`_read` would not see."""

    def only_node(self) -> yaml.Node | None:
        node = self.get_node() if self.check_node() else None
        if self.check_node():
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _RefusedError("a second document begins here", event, "Keep one of the two.")
        return node

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            what = f"the alias `*{event.anchor}` is not allowed here"
            raise _RefusedError(what, event, "Write out what it stands for.")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _RefusedError(f"the tag {tag} is not allowed here", event)
        return super().compose_node(parent, index)


def _read(document: Document[E], node: yaml.Node, path: Path) -> Json:
    document.values[path] = _line_and_column(node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_read(document, item, (*path, at)) for at, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    assert isinstance(node, yaml.ScalarNode)  # there is no fourth kind
    return _scalar(node)


def _mapping(document: Document[E], node: yaml.MappingNode, path: Path) -> Json:
    found: dict[str, Json] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            document.values[path] = _line_and_column(key_node.start_mark)
            raise document.error("a key must be text", path, "Put it in quotes.")
        here = (*path, key)
        place = _line_and_column(key_node.start_mark)
        if key in found:
            first = document.keys[here][0]
            document.keys[here] = place
            raise document.error(
                f"the key `{key}` stands here twice",
                here,
                f"It is on line {first} already; keep one of them.",
                key=True,
            )
        document.keys[here] = place
        found[key] = _read(document, value_node, here)
    return found


def _scalar(node: yaml.ScalarNode) -> Json:
    written = str(node.value)
    if node.style is not None:
        return written
    if written in _WORDS:
        return _WORDS[written]
    if len(written) <= _DIGITS:
        if _INT.fullmatch(written):
            return int(written)
        if _FLOAT.fullmatch(written):
            number = float(written)
            return number if abs(number) < 1e300 else written
    return written


def _not_yaml(error: yaml.MarkedYAMLError, name: str, raises: type[E]) -> E:
    said = ", ".join(part for part in (error.context, error.problem) if part)
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    elsewhere = mark is not None and began is not None and began.line != mark.line
    return raises(
        f"this is not YAML: {said}",
        where=f"{name}{_place(mark)}",
        next_step=f"It began on line {began.line + 1}." if elsewhere and began else None,
    )


def _place(mark: _Mark | None) -> str:
    return "" if mark is None else ":{}:{}".format(*_line_and_column(mark))


def _line_and_column(mark: _Mark) -> Place:
    return mark.line + 1, mark.column + 1
