"""``labels.yaml``: what a person knows to be true about a call."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import jsonschema
import yaml

from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.label import ExpectedTool, Labels

LABELS = "labels.yaml"
MAX_BYTES = 1 << 20

Path = tuple[str | int, ...]
Marks = dict[Path, yaml.Mark]

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core types, as far as JSON has them: ``no`` and ``12:30`` are text.

    Numbers with a leading zero are text as well: they are telephone numbers and codes.
    """

    yaml_implicit_resolvers = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias (*name): write it out", problem_mark=mark)
        return super().compose_node(parent, index)


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)",
        list("-+0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)


@cache
def schema(name: str) -> Mapping[str, Json]:
    """A published JSON Schema: ``manifest``, ``event`` or ``labels``."""
    text = resources.files("lkgate.bundle").joinpath(f"schema/{name}.json").read_text("utf-8")
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def decode_labels(data: bytes, where: str) -> Labels:
    """Read and check labels.

    Args:
        data: the file's bytes.
        where: its name, for errors, which add line and column.

    Raises:
        BundleError: if it is no YAML, has a key twice, or does not follow the schema.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"larger than {MAX_BYTES} bytes", where=where)
    marks: Marks = {}
    value = _parse(data, where, marks)
    validator = jsonschema.Draft202012Validator(schema("labels"))
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explain(errors[0], where, marks)
    assert isinstance(value, dict)
    return _labels(value)


def _labels(value: Mapping[str, Json]) -> Labels:
    match value:
        case {"reviewed": bool(reviewed), "caller": list(caller), "tools": list(tools)}:
            pass
        case _:
            raise AssertionError("the schema let labels of another shape pass")
    expected: list[ExpectedTool] = []
    for tool in tools:
        match tool:
            case {"name": str(name), "arguments": dict(arguments)}:
                expected.append(ExpectedTool(name, arguments))
    outcome = value.get("outcome")
    cohort = value.get("cohort")
    return Labels(
        reviewed=reviewed,
        caller=tuple(str(words) for words in caller),
        tools=tuple(expected),
        outcome=outcome if isinstance(outcome, str) else None,
        cohort={key: str(word) for key, word in cohort.items()} if isinstance(cohort, dict) else {},
    )


def _parse(data: bytes, where: str, marks: Marks) -> Json:
    try:
        loader = _Loader(data.decode())
        try:
            node = loader.get_single_node()
            if node is None:
                raise BundleError("is empty", where=where)
            return _value(loader, node, (), marks, where)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise BundleError(problem, where=_place(where, error.problem_mark)) from None
    except yaml.YAMLError as error:
        raise BundleError(f"no YAML: {error}", where=where) from None
    except UnicodeDecodeError:
        raise BundleError("is not UTF-8", where=where) from None
    except RecursionError:
        raise BundleError("is nested too deeply", where=where) from None


def _value(loader: _Loader, node: yaml.Node, path: Path, marks: Marks, where: str) -> Json:
    marks[path] = node.start_mark
    match node:
        case yaml.SequenceNode():
            return [
                _value(loader, item, (*path, number), marks, where)
                for number, item in enumerate(node.value)
            ]
        case yaml.MappingNode():
            found: dict[str, Json] = {}
            for key_node, item in node.value:
                key = key_node.value
                if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                    raise BundleError(
                        "a key should be text",
                        where=_place(where, key_node.start_mark),
                        next_step="Put it in quotes.",
                    )
                if key in found:
                    raise BundleError(
                        f"{key!r} stands here a second time",
                        where=_place(where, key_node.start_mark),
                        next_step="Keep one of the two.",
                    )
                found[key] = _value(loader, item, (*path, key), marks, where)
                marks[(*path, key)] = key_node.start_mark
            return found
        case _ if node.tag.removeprefix(_TAG) in ("str", "null", "bool", "int", "float"):
            try:
                scalar: Json = loader.construct_object(node)
            except ValueError as error:
                raise BundleError(str(error), where=_place(where, node.start_mark)) from None
            return scalar
        case _:
            raise BundleError(
                f"{node.tag} is no type of these labels", where=_place(where, node.start_mark)
            )


def _explain(error: jsonschema.ValidationError, where: str, marks: Marks) -> BundleError:
    path: Path = tuple(error.absolute_path)
    next_step = "See lkgate/bundle/schema/labels.json for what labels.yaml may hold."
    message = error.message
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
        strange = next(key for key in error.instance if key not in known)
        path = (*path, strange)
        message = f"{strange!r} is no key of it"
        close = difflib.get_close_matches(strange, known, n=1)
        next_step = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(known)}."
    elif path:
        message = f"{_dotted(path)}: {message}"
    return BundleError(message, where=_place(where, marks.get(path)), next_step=next_step)


def _dotted(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _place(where: str, mark: yaml.Mark | None) -> str:
    return where if mark is None else f"{where}:{mark.line + 1}:{mark.column + 1}"
