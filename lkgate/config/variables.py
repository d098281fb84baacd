"""``LKGATE_*``: settings of the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lkgate.errors import ConfigError
from lkgate.model.event import Json

PREFIX = "LKGATE_"


@dataclass(frozen=True, slots=True)
class _Variable:
    keys: tuple[str, ...]
    parse: Callable[[str], Json]


def _paths(text: str) -> Json:
    return [path for path in text.split(os.pathsep) if path]


def _policies(text: str) -> Json:
    """``tts=estimate,llm=live`` as the settings have it; what is no pair has no value."""
    pairs = (part.strip().partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


VARIABLES: Mapping[str, _Variable] = {
    "LKGATE_RECORDINGS": _Variable(("recordings",), str),
    "LKGATE_GATES": _Variable(("gates",), _paths),
    "LKGATE_MODELS": _Variable(("replay", "models"), str),
    "LKGATE_ON_MISS": _Variable(("replay", "on_miss"), _policies),
    "LKGATE_PACING": _Variable(("replay", "pacing"), str),
    "LKGATE_WORKERS": _Variable(("replay", "workers"), int),
    "LKGATE_WALL_LIMIT_S": _Variable(("replay", "wall_limit_s"), float),
    "LKGATE_LOAD_LIMIT_S": _Variable(("replay", "load_limit_s"), float),
    "LKGATE_PATIENCE_S": _Variable(("replay", "patience_s"), float),
    "LKGATE_LINK_LATENCY_MS": _Variable(("replay", "link_latency_ms"), int),
    "LKGATE_SEED": _Variable(("replay", "seed"), int),
}
# Not settings: what lkgate tells its own child processes, and what its tests and its CI are told.
_OTHERS = {
    "LKGATE_BUILD_PYTHON",
    "LKGATE_BUNDLE",
    "LKGATE_CASSETTE_DIR",
    "LKGATE_DEMO_STAGE",
    "LKGATE_LIVEKIT_SERVER",
    "LKGATE_NETNS",
    "LKGATE_SEED",
    "LKGATE_SOAK_SECONDS",
    "LKGATE_SOAK_TIMES",
    "LKGATE_TESTS_ALONE",
}
# Of the names without their common beginning: one letter too few or too many, or two swapped.
_ALIKE = 0.75


def from_environ(
    environ: Mapping[str, str], warn: Callable[[str], None]
) -> list[tuple[str, tuple[str, ...], Json]]:
    """Name, place among the settings, and value of each variable that is set and not empty.

    Args:
        warn: told of a variable that is no setting, in a sentence.

    Raises:
        ConfigError: one is no number, or is no setting and looks like one that was misspelt: a
            gate must not pass because a setting was lost.
    """
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in VARIABLES and name not in _OTHERS:
            _unknown(name, warn)
    found: list[tuple[str, tuple[str, ...], Json]] = []
    for name, variable in VARIABLES.items():
        text = environ.get(name)
        if not text:
            continue
        try:
            found.append((name, variable.keys, variable.parse(text)))
        except ValueError:
            raise ConfigError(f"{text!r} is not a number", where=name) from None
    return found


def _unknown(name: str, warn: Callable[[str], None]) -> None:
    known = f"Known: {', '.join(VARIABLES)}."
    ends = {other.removeprefix(PREFIX): other for other in VARIABLES}
    close = difflib.get_close_matches(name.removeprefix(PREFIX), ends, n=1, cutoff=_ALIKE)
    if not close:
        warn(f"{name}: unknown variable, ignored\n  {known}")
        return
    raise ConfigError(
        "unknown variable",
        where=name,
        next_step=f"Did you mean {ends[close[0]]}? {known}",
    )
