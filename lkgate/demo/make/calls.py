"""The calls to the demo agent, as written in ``lkgate/demo/calls``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lkgate.errors import ConfigError
from lkgate.model.event import Json
from lkgate.model.label import ExpectedTool

DIRECTORY = Path(__file__).resolve().parent.parent / "calls"


@dataclass(frozen=True, slots=True)
class Noise:
    """A noise bed of livekit-agents, mixed under the call at a ratio to the speech's level."""

    bed: str
    snr_db: float


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """What the caller says, and when.

    Attributes:
        barge_in: ``delay_ms`` into the agent's speech, else ``delay_ms`` after it.
        after_stretches: how many stretches of agent speech the caller waits for.
        grace_ms: how long the agent may be silent between those stretches.
    """

    say: str
    delay_ms: int
    barge_in: bool
    after_stretches: int
    grace_ms: int


@dataclass(frozen=True, slots=True)
class Script:
    """One call, and what a right agent makes of it."""

    name: str
    voice: str
    noise: Noise | None
    lines: tuple[ScriptLine, ...]
    tools: tuple[ExpectedTool, ...]
    outcome: str
    cohort: Mapping[str, str]

    def labels(self) -> str:
        """The recording's ``labels.yaml``."""
        data: dict[str, Json] = {
            # the words are what was synthesised: there is nothing to review
            "reviewed": True,
            "caller": [line.say for line in self.lines],
            "tools": [{"name": t.name, "arguments": dict(t.arguments)} for t in self.tools],
            "outcome": self.outcome,
            "cohort": {"language": "en", "voice": self.voice, **self.cohort},
        }
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def read(names: tuple[str, ...] = ()) -> list[Script]:
    """All scripts by name, or those named.

    Raises:
        ConfigError: there is no script of that name.
    """
    paths = {path.stem: path for path in sorted(DIRECTORY.glob("*.yaml"))}
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise ConfigError(
            f"there is no call {unknown[0]!r}", next_step=f"There are: {', '.join(paths)}."
        )
    return [_script(paths[name]) for name in names or paths]


def _script(path: Path) -> Script:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    noise = data.get("noise")
    lines = tuple(
        ScriptLine(
            say=line["say"],
            delay_ms=line.get("delay_ms", 700),
            barge_in=line.get("barge_in", False),
            after_stretches=line.get("after_stretches", 1),
            grace_ms=line.get("grace_ms", 1500),
        )
        for line in data["lines"]
    )
    tools = tuple(
        ExpectedTool(name, arguments) for tool in data["tools"] for name, arguments in tool.items()
    )
    return Script(
        name=path.stem,
        voice=data["voice"],
        noise=Noise(noise["bed"], noise["snr_db"]) if noise else None,
        lines=lines,
        tools=tools,
        outcome=data["outcome"],
        cohort={"noise": "none", **data["cohort"]},
    )
