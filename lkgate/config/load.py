"""Settings from file, environment and flags, checked, as :class:`Config`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

import jsonschema

from lkgate import document
from lkgate.config.judges import judges_of
from lkgate.config.settings import (
    BuildEntry,
    Config,
    MissPolicy,
    ModelsMode,
    OnMiss,
    ReplaySettings,
    ToolPolicy,
    Tools,
)
from lkgate.config.source import Source, find
from lkgate.config.variables import from_environ
from lkgate.errors import ConfigError
from lkgate.model.build import Pipeline
from lkgate.model.event import Json
from lkgate.model.plan import Pacing

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a table",
    "string": "text",
}


def load_config(
    cwd: Path,
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, Json] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Config:
    """The settings that hold in ``cwd``.

    Args:
        cwd: the file is looked for here and above.
        environ: ``LKGATE_*`` are read from it; a variable that is empty counts as absent.
        flags: what the command line said, by dotted name (``replay.models``); ``None`` values
            were not given. Paths in flags and variables are relative to ``cwd``.
        warn: told in a sentence of a ``LKGATE_*`` that is no setting.

    Raises:
        ConfigError: with file and line where a file is wrong, or with the variable's name.
    """
    cwd = cwd.resolve()
    source = find(cwd)
    if source is not None:
        _check(source.data, source.where)
    data = dict(source.data) if source else {}
    root = source.path.parent if source else cwd
    for name, keys, value in (*from_environ(environ, warn), *_from_flags(flags or {})):
        given: dict[str, Json] = {}
        _set(given, keys, value)
        _check(given, partial(_named, name))
        _set(data, keys, _absolute(cwd, value) if keys in (("recordings",), ("gates",)) else value)
    return _config(data, root, source)


def _named(name: str, keys: list[str | int]) -> str:
    return name


def _from_flags(flags: Mapping[str, Json]) -> list[tuple[str, tuple[str, ...], Json]]:
    return [
        (_flag(name), tuple(name.split(".")), value)
        for name, value in flags.items()
        if value is not None
    ]


def _flag(name: str) -> str:
    table, _, last = name.rpartition(".")
    # A flag that sets one of a table's settings is named after the table.
    named = f"on-miss {last}" if table == "replay.on_miss" else last
    return "--" + named.replace("_", "-")


def _set(data: dict[str, Json], keys: tuple[str, ...], value: Json) -> None:
    for key in keys[:-1]:
        inner = data.get(key)
        # Copied, for the file's own data stays as it was read.
        data[key] = copy = dict(inner) if isinstance(inner, dict) else {}
        data = copy
    data[keys[-1]] = value


def _absolute(cwd: Path, value: Json) -> Json:
    if isinstance(value, list):
        return [_absolute(cwd, item) for item in value]
    return str(cwd / str(value))


def _validator() -> jsonschema.Draft202012Validator:
    return document.validator("lkgate.config", "schema.json")


def _check(data: Mapping[str, Json], where: Callable[[list[str | int]], str]) -> None:
    error = jsonschema.exceptions.best_match(_validator().iter_errors(dict(data)))
    if error is None:
        return
    keys = list(error.absolute_path)
    name = ".".join(str(key) for key in keys)
    if (found := document.unknown_key(error)) is not None:
        wrong, known = found[0], sorted(found[1])
        close = difflib.get_close_matches(wrong, known, n=1)
        full = f"{name}.{wrong}" if name else wrong
        if not keys and wrong in _replay_settings():
            close = [f"replay.{wrong}"]
        raise ConfigError(
            f"unknown setting `{full}`",
            where=where([*keys, wrong]),
            next_step=(f"Did you mean `{close[0]}`? " if close else "")
            + f"Known here: {', '.join(known)}.",
        )
    if error.validator in ("oneOf", "required") and len(keys) == 2 and keys[0] == "builds":
        raise ConfigError(
            f"`{name}` needs one of `program`, `module`, `command` and `url`", where=where(keys)
        )
    if error.validator == "required" and len(keys) == 2 and keys[0] == "judges":
        raise ConfigError(
            f"`{name}` has no `llm`",
            where=where(keys),
            next_step="Name the class of a LiveKit plugin: livekit.plugins.openai:LLM.",
        )
    if error.validator == "dependentRequired":
        raise ConfigError(
            f"`{name}` has a `url` and no `agent_name`",
            where=where(keys),
            next_step="Name the deployed agent: it is dispatched by its name.",
        )
    if keys and keys[0] == "tools":
        raise ConfigError(
            f'`{name}` is "error", "run" or {{value = ...}}, not {json.dumps(error.instance)}',
            where=where(keys),
        )
    if error.validator == "enum":
        allowed = [str(value) for value in cast(list[Json], error.validator_value)]
        close = difflib.get_close_matches(str(error.instance), allowed, n=1)
        raise ConfigError(
            f"`{name}` cannot be {json.dumps(error.instance)}",
            where=where(keys),
            next_step=(f"Did you mean `{close[0]}`? " if close else "")
            + f"It is one of: {', '.join(allowed)}.",
        )
    if error.validator == "type":
        kind = _KINDS.get(str(error.validator_value), str(error.validator_value))
        raise ConfigError(
            f"`{name}` must be {kind}, not {json.dumps(error.instance)}", where=where(keys)
        )
    if error.validator == "pattern" and error.schema == _defined("text"):
        raise ConfigError(
            f"`{name}` cannot be {json.dumps(error.instance)}: it holds a null character, or half "
            "of a character",
            where=where(keys),
        )
    raise ConfigError(f"`{name}`: {error.message}" if name else error.message, where=where(keys))


def _replay_settings() -> list[str]:
    return list(cast(dict[str, Json], _defined("replay")["properties"]))


def _defined(name: str) -> Mapping[str, Json]:
    """One of the schema's own definitions."""
    return cast(dict[str, dict[str, dict[str, Json]]], _validator().schema)["$defs"][name]


def _config(data: Mapping[str, Json], root: Path, source: Source | None) -> Config:
    # The schema was checked: what is there has the type that is asked for here.
    gates = cast(list[str], data.get("gates", []))
    builds = cast(dict[str, dict[str, Json]], data.get("builds", {}))
    return Config(
        path=source.path if source else None,
        root=root,
        recordings=root / cast(str, data.get("recordings", "recordings")),
        gates=tuple(root / gate for gate in gates),
        builds={name: _build(name, entry, root, source) for name, entry in builds.items()},
        tools=_tools(cast(dict[str, Json], data.get("tools", {}))),
        replay=_replay(cast(dict[str, Json], data.get("replay", {}))),
        prices=root / cast(str, data["prices"]) if "prices" in data else None,
        judges=judges_of(data.get("judges"), source),
        judgements=root / cast(str, data.get("judgements", "judgements")),
    )


def _build(name: str, entry: Mapping[str, Json], root: Path, source: Source | None) -> BuildEntry:
    program, module = entry.get("program"), entry.get("module")
    python, command = entry.get("python"), entry.get("command")
    return BuildEntry(
        name=name,
        where=source.where(["builds", name]) if source else name,
        program=root / cast(str, program) if program is not None else None,
        module=cast(str | None, module),
        args=tuple(cast(list[str], entry.get("args", []))),
        env=cast(dict[str, str], entry.get("env", {})),
        python=cast(str | None, python),
        cwd=root / cast(str, entry.get("cwd", ".")),
        command=tuple(cast(list[str], command)) if command is not None else None,
        url=cast(str | None, entry.get("url")),
        agent_name=cast(str | None, entry.get("agent_name")),
        pipeline=cast(Pipeline, entry.get("pipeline", "cascade")),
    )


def _tools(entry: Mapping[str, Json]) -> Tools:
    policies = {name: _policy(value) for name, value in entry.items()}
    default = policies.pop("default", ToolPolicy("error"))
    return Tools(default, policies)


def _policy(value: Json) -> ToolPolicy:
    if isinstance(value, dict):
        return ToolPolicy("value", value["value"])
    return ToolPolicy("run" if value == "run" else "error")


def _replay(entry: Mapping[str, Json]) -> ReplaySettings:
    default = ReplaySettings()
    return ReplaySettings(
        models=cast(ModelsMode, entry.get("models", default.models)),
        on_miss=OnMiss(**cast("dict[str, MissPolicy]", entry.get("on_miss", {}))),
        pacing=cast(Pacing, entry.get("pacing", default.pacing)),
        workers=cast(int | None, entry.get("workers", default.workers)),
        wall_limit_s=float(cast(float, entry.get("wall_limit_s", default.wall_limit_s))),
        load_limit_s=float(cast(float, entry.get("load_limit_s", default.load_limit_s))),
        patience_s=float(cast(float, entry.get("patience_s", default.patience_s))),
        link_latency_ms=cast(int, entry.get("link_latency_ms", default.link_latency_ms)),
        seed=cast(int, entry.get("seed", default.seed)),
    )
