"""``labels.yaml``: what a person knows to be true about a call."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import get_args

import jsonschema

from lkgate import document
from lkgate.errors import BundleError
from lkgate.model.event import Json, value_at
from lkgate.model.label import (
    ArgumentKind,
    ArgumentRule,
    Entity,
    ExpectedTool,
    Labels,
    Step,
    StepKind,
)
from lkgate.schema import FORMATS, conforms, flaw_of

LABELS = "labels.yaml"
MAX_BYTES = 1 << 20


def schema(name: str) -> Mapping[str, Json]:
    """A published JSON Schema: ``manifest``, ``event`` or ``labels``."""
    found = _validator(name).schema
    assert isinstance(found, dict)
    return found


def decode_labels(data: bytes, where: str) -> Labels:
    """Read and check labels.

    Args:
        data: the file's bytes.
        where: its name, for errors, which add line and column.

    Raises:
        BundleError: if it is no YAML, has a key twice, or does not follow the schema.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(
            f"larger than {MAX_BYTES} bytes",
            where=where,
            next_step="Shorten its texts: labels are for what a person heard and wrote.",
        )
    try:
        read = document.parse(data.decode(), where, BundleError)
    except UnicodeDecodeError:
        raise BundleError("is not UTF-8", where=where) from None
    if read.empty:
        raise BundleError("is empty", where=where)
    value = read.value
    found = _validator("labels").iter_errors(value)
    errors = sorted(found, key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explain(errors[0], read)
    assert isinstance(value, dict)
    labels = _labels(value)
    _consistent(labels, read)
    return labels


def _validator(name: str) -> jsonschema.Draft202012Validator:
    return document.validator("lkgate.bundle", f"schema/{name}.json")


def _labels(value: Mapping[str, Json]) -> Labels:
    """What the schema let pass, as it is: nothing is checked here."""
    reviewed = value["reviewed"]
    outcome = value.get("outcome")
    cohort = value.get("cohort")
    handoffs = value.get("handoffs")
    forbidden, judges = value.get("forbidden"), value.get("judges")
    never = forbidden if isinstance(forbidden, dict) else {}
    said = _items(value, "caller")
    return Labels(
        reviewed=reviewed is True,
        caller=tuple(str(one["text"]) if isinstance(one, dict) else str(one) for one in said),
        tools=tuple(_tool(one) for one in _items(value, "tools") if isinstance(one, dict)),
        outcome=outcome if isinstance(outcome, str) else None,
        cohort={key: str(word) for key, word in cohort.items()} if isinstance(cohort, dict) else {},
        entities=tuple(
            Entity(at, str(entity["kind"]), str(entity["text"]))
            for at, one in enumerate(said)
            if isinstance(one, dict)
            for entity in _items(one, "entities")
            if isinstance(entity, dict)
        ),
        handoffs=tuple(map(str, handoffs)) if isinstance(handoffs, list) else None,
        required=tuple(_step(one) for one in _items(value, "required") if isinstance(one, dict)),
        forbidden_tools=tuple(map(str, _items(never, "tools"))),
        forbidden_phrases=tuple(map(str, _items(never, "phrases"))),
        confirmations=tuple(map(str, _items(value, "confirmations"))),
        judges={name: "pass" if verdict == "pass" else "fail" for name, verdict in judges.items()}
        if isinstance(judges, dict)
        else {},
    )


def _items(value: Mapping[str, Json], key: str) -> list[Json]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _tool(value: Mapping[str, Json]) -> ExpectedTool:
    arguments, rules = value["arguments"], value.get("rules")
    return ExpectedTool(
        name=str(value["name"]),
        arguments=arguments if isinstance(arguments, dict) else {},
        rules={key: _rule(rule) for key, rule in rules.items()} if isinstance(rules, dict) else {},
        changes=value.get("changes") is True,
        after=tuple(map(str, _items(value, "after"))),
    )


def _rule(value: Json) -> ArgumentRule:
    data = value if isinstance(value, dict) else {"rule": value}
    kind = next(one for one in get_args(ArgumentKind) if one == data["rule"])
    tolerance, similarity = data.get("tolerance", 0.0), data.get("similarity", 1.0)
    assert isinstance(tolerance, int | float)  # the schema says so
    assert isinstance(similarity, int | float)
    schema = data.get("schema")
    return ArgumentRule(
        kind, float(tolerance), float(similarity), schema if isinstance(schema, dict) else {}
    )


def _step(value: Mapping[str, Json]) -> Step:
    ((kind, what),) = value.items()
    return Step(next(one for one in get_args(StepKind) if one == kind), str(what))


def _consistent(labels: Labels, read: document.Document[BundleError]) -> None:
    """What a schema cannot say: a rule without its argument, an entity that was never said."""
    for at, tool in enumerate(labels.tools):
        for name, rule in tool.rules.items():
            place: document.Path = ("tools", at, "rules", name)
            example = value_at(dict(tool.arguments), name)
            if example is None:
                raise read.error(
                    f"tools[{at}].rules.{name}: {tool.name} has no such argument here",
                    place,
                    "A rule says how an argument of `arguments` is compared.",
                    key=True,
                )
            if rule.kind != "schema":
                continue
            if (wrong := flaw_of(rule.schema)) is not None:
                raise read.error(
                    f"tools[{at}].rules.{name}: no schema to go by: {wrong}",
                    (*place, "schema"),
                    f"JSON Schema 2020-12; formats: {', '.join(FORMATS)}. Nothing is fetched.",
                    key=True,
                )
            if not conforms(example[0], rule.schema):
                raise read.error(
                    f"tools[{at}].rules.{name}: what `arguments` says is not valid by it",
                    place,
                    "With a schema, the value in `arguments` is an example.",
                    key=True,
                )
    for entity in labels.entities:
        if entity.text.casefold() not in labels.caller[entity.utterance].casefold():
            raise read.error(
                f"caller[{entity.utterance}]: {entity.text!r} does not stand in the utterance",
                ("caller", entity.utterance),
                "Write an entity as it was said.",
            )


def _explain(
    error: jsonschema.ValidationError, read: document.Document[BundleError]
) -> BundleError:
    path: document.Path = tuple(error.absolute_path)
    next_step = "See lkgate/bundle/schema/labels.json for what labels.yaml may hold."
    message = error.message
    if (found := document.unknown_key(error)) is not None:
        strange, known = found
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
