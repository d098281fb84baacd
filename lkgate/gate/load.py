"""A gate file as a gate."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import jsonschema

from lkgate import document
from lkgate.errors import GateFileError
from lkgate.gate.rules import GateDocument, confidence_of, rules_of
from lkgate.model.gate import Family, Gate, Undecided
from lkgate.model.measurement import Layer

_FAMILIES: tuple[Family, ...] = ("holm", "benjamini-hochberg", "none")
_UNDECIDED: tuple[Undecided, ...] = ("no_verdict", "fail", "pass_with_warning")


def load(path: Path, *, lacking: Mapping[Layer, str] = MappingProxyType({})) -> Gate:
    """Read and check a gate file.

    Args:
        lacking: layers that the build to be judged does not have, each with the reason. A rule on
            one of them is an error of the file, for it could neither fail nor be missed.

    Raises:
        GateFileError: with ``path:line:column`` and a suggestion where there is one.
    """
    text = document.read(
        path,
        "the gate file",
        GateFileError,
        "Name a gate file with --gate, or under `gates` in [tool.lkgate].",
    )
    return parse(text, str(path), lacking=lacking)


def parse(text: str, name: str, *, lacking: Mapping[Layer, str] = MappingProxyType({})) -> Gate:
    """A gate from the text of a file; ``name`` is the file, for messages.

    Raises:
        GateFileError: as :func:`load`.
    """
    read = document.parse(text, name, GateFileError)
    if read.empty:
        raise GateFileError(
            "the file is empty", where=name, next_step="Begin with `version: 1` and `rules:`."
        )
    _validate(read)
    content = read.value
    assert isinstance(content, dict)  # the schema says so
    title, calls = content.get("name"), content.get("calls")
    family, undecided = content.get("family"), content.get("undecided")
    confidence = confidence_of(read, content, ())
    names = [str(call) for call in calls] if isinstance(calls, list) else []
    return Gate(
        name=title if isinstance(title, str) else Path(name).stem,
        path=name,
        rules=rules_of(read, lacking),
        calls=tuple(names),
        call_lines={name: read.place(("calls", at))[0] for at, name in enumerate(names)},
        confidence=0.95 if confidence is None else confidence,
        family=next((one for one in _FAMILIES if one == family), "holm"),
        undecided=next((one for one in _UNDECIDED if one == undecided), "no_verdict"),
        labels="reviewed" if content.get("labels") == "reviewed" else "any",
    )


def _validate(read: GateDocument) -> None:
    validator = document.validator("lkgate.gate", "schema/gate.json")
    errors = [_told(read, error) for error in validator.iter_errors(read.value)]
    if errors:
        raise min(errors, key=_line)


def _line(error: GateFileError) -> tuple[int, int]:
    _, line, column = (error.where or "::").rsplit(":", 2)
    return int(line), int(column)


def _told(read: GateDocument, error: jsonschema.ValidationError) -> GateFileError:
    """One schema error in words, at the place of what is wrong."""
    path = tuple(error.absolute_path)
    wanted = _names(error.validator_value)
    here = f"`{path[-1]}`" if path and isinstance(path[-1], str) else "this"
    if (found := document.unknown_key(error)) is not None:
        unknown, known = found
        return read.error(
            f"`{unknown}` is not a key of this format",
            (*path, unknown),
            _suggestion(unknown, known),
            key=True,
        )
    if error.validator == "required" and isinstance(error.instance, dict):
        lacking = [key for key in wanted if key not in error.instance]
        part = error.schema
        known = _names(part["properties"]) if isinstance(part, dict) else []
        for written in (key for key in error.instance if key not in known):
            if meant := difflib.get_close_matches(written, lacking, n=1, cutoff=0.6):
                return read.error(
                    f"`{written}` is not a key of this format",
                    (*path, written),
                    f"Did you mean `{meant[0]}`?",
                    key=True,
                )
        whole = "the file" if not path else "this rule"
        return read.error(f"{whole} has no {' and no '.join(f'`{key}`' for key in lacking)}", path)
    if error.validator == "enum":
        what = f"`{error.instance}` is not a value of {here}"
        return read.error(what, path, _suggestion(str(error.instance), wanted))
    if error.validator == "const":
        what = f"{here} is {error.instance}, this lkgate knows {error.validator_value}"
        return read.error(what, path, "Update lkgate, or write the version it knows.")
    if error.validator == "type":
        what = f"{here} must be a {' or a '.join(map(_type, wanted))}"
        # true and false as YAML has them.
        written = json.dumps(error.instance)
        text = wanted == ["string"] and not isinstance(error.instance, dict | list | None)
        return read.error(what, path, f'Write it in quotes: "{written}".' if text else None)
    if error.validator == "uniqueItems" and isinstance(error.instance, list):
        at = next(n for n, name in enumerate(error.instance) if name in error.instance[:n])
        return read.error(f"`{error.instance[at]}` stands in {here} twice", (*path, at))
    if error.validator == "minItems":
        return read.error(f"{here} is empty", path, "Name at least one, or leave it out.")
    if error.validator == "pattern":
        return read.error(f"{here} must match {error.validator_value}", path)
    return read.error(f"{here}: {error.message}", path)


def _names(value: object) -> list[str]:
    """What a schema keyword lists: names, the keys of a mapping, or the one name that it is."""
    if isinstance(value, dict | list):
        return [str(name) for name in value]
    return [str(value)]


def _type(name: str) -> str:
    return {"object": "mapping", "array": "list", "string": "text"}.get(name, name)


def _suggestion(written: str, allowed: Iterable[str]) -> str:
    """The nearest allowed word, or all of them if none is near."""
    names = list(allowed)
    near = difflib.get_close_matches(written, names, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else f"It can be: {', '.join(names)}."
