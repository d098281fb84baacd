"""YAML as plain JSON values, with the place of each in the file.

YAML 1.2's core schema, as far as a gate needs it: only ``true``, ``false``, ``null`` and numbers
are not strings, so that ``no`` and ``on`` are words and ``1:30`` is no number. Keys are strings and
must differ; anchors, aliases and tags are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from lkgate.errors import GateFileError
from lkgate.model.event import Json

MAX_BYTES = 1_000_000
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        name: the file, for messages.
        value: its content.
        values, keys: line and column, from 1, of each value and of each mapping's key.
    """

    name: str
    value: Json
    values: dict[Path, tuple[int, int]]
    keys: dict[Path, tuple[int, int]]

    def error(
        self, what: str, path: Path, next_step: str | None = None, *, key: bool = False
    ) -> GateFileError:
        """An error at a value, or at its key."""
        marks = self.keys if key else self.values
        while path and path not in marks:
            path = path[:-1]
        line, column = marks.get(path, self.values.get(path, (1, 1)))
        return GateFileError(what, where=f"{self.name}:{line}:{column}", next_step=next_step)


def parse(text: str, name: str) -> Document:
    """Parse one YAML document.

    Raises:
        GateFileError: with the place.
    """
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        what = f"this is not YAML: {error.problem or error.context}"
        raise GateFileError(what, where=f"{name}{place}") from error
    except yaml.YAMLError as error:
        raise GateFileError(f"this is not YAML: {error}", where=name) from error
    except RecursionError as error:
        raise GateFileError("this is nested too deeply", where=name) from error
    document = Document(name, None, {}, {})
    if node is None:
        raise GateFileError(
            "the file is empty", where=name, next_step="Begin with `version: 1` and `rules:`."
        )
    value = _Reader(document).read(node, ())
    return Document(name, value, document.values, document.keys)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()

    def read(self, node: yaml.Node, path: Path) -> Json:
        document = self._document
        document.values[path] = _place(node)
        if id(node) in self._seen:
            raise document.error("anchors and aliases are not allowed here", path)
        self._seen.add(id(node))
        if node.tag not in _TAGS:
            raise document.error(f"the tag {node.tag} is not allowed here", path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, at)) for at, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        assert isinstance(node, yaml.ScalarNode)  # there is no fourth kind
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Json:
        document = self._document
        found: dict[str, Json] = {}
        for key_node, value_node in node.value:
            here = (*path, str(key_node.value))
            if not isinstance(key_node, yaml.ScalarNode):
                document.values[here] = _place(key_node)
                raise document.error("a key must be a word", here)
            if key_node.value in found:
                first = document.keys[here][0]
                document.keys[here] = _place(key_node)
                raise document.error(
                    f"the key `{key_node.value}` stands here twice",
                    here,
                    f"It is on line {first} already; keep one of them.",
                    key=True,
                )
            document.keys[here] = _place(key_node)
            found[key_node.value] = self.read(value_node, here)
        return found


_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: yaml.ScalarNode) -> Json:
    written = str(node.value)
    if node.style is not None:
        return written
    if written in _WORDS:
        return _WORDS[written]
    # Longer digits are no count or limit of anything, and int() refuses them from 4300 on.
    if _INT.fullmatch(written) and len(written) < 19:
        return int(written)
    if _FLOAT.fullmatch(written) and len(written) < 40:
        number = float(written)
        return number if abs(number) < 1e300 else written
    return written
