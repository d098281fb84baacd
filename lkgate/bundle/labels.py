"""``labels.yaml``: what a person knows to be true about a call."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

import jsonschema

from lkgate import document
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.label import ExpectedTool, Labels

LABELS = "labels.yaml"
MAX_BYTES = 1 << 20


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
    try:
        read = document.parse(data.decode(), where, BundleError)
    except UnicodeDecodeError:
        raise BundleError("is not UTF-8", where=where) from None
    if read.empty:
        raise BundleError("is empty", where=where)
    value = read.value
    validator = jsonschema.Draft202012Validator(schema("labels"))
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explain(errors[0], read)
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


def _explain(
    error: jsonschema.ValidationError, read: document.Document[BundleError]
) -> BundleError:
    path: document.Path = tuple(error.absolute_path)
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
    return read.error(message, path, next_step, key=True)


def _dotted(path: document.Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
