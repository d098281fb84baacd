"""What a project can set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lkgate.config.judges import JudgeEntry
from lkgate.model.build import Pipeline
from lkgate.model.event import Json
from lkgate.model.plan import Pacing

ModelsMode = Literal["cassette", "record", "live"]
MissPolicy = Literal["error", "estimate", "live"]


@dataclass(frozen=True, slots=True)
class OnMiss:
    """What happens to a request that no cassette can answer, by modality.

    ``error`` ends the call; ``live`` asks the provider, at real pace, and keeps nothing;
    ``estimate`` is for speech only: it lasts as long as the recorded speaking rate says, and what
    rests on it is marked.
    """

    stt: MissPolicy = "error"
    llm: MissPolicy = "error"
    tts: MissPolicy = "error"

    @property
    def live(self) -> bool:
        """Whether any provider may be asked."""
        return "live" in (self.stt, self.llm, self.tts)


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """What answers a tool call that was never recorded.

    Attributes:
        kind: ``error`` ends the call, ``run`` executes the tool, ``value`` returns ``value``.
    """

    kind: Literal["error", "run", "value"]
    value: Json = None

    def as_json(self) -> Json:
        """As written in the settings: ``"error"``, ``"run"`` or ``{"value": ...}``."""
        return {"value": self.value} if self.kind == "value" else self.kind


@dataclass(frozen=True, slots=True)
class Tools:
    """``[tool.lkgate.tools]``: a policy by tool name, and the one of all others."""

    default: ToolPolicy = ToolPolicy("error")
    by_name: Mapping[str, ToolPolicy] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """``[tool.lkgate.replay]``.

    Attributes:
        models: who answers model requests.
        on_miss: what happens where ``models`` is ``cassette`` and that has no answer.
        pacing: see :class:`lkgate.model.plan.CallerPlan`.
        workers: calls at once; ``None`` is one a core.
        wall_limit_s: real time that one call may take, on top of the recording's own length,
            before it is killed.
        load_limit_s: real time in which the program must be loaded.
        patience_s: how long the caller waits for an agent that does not answer.
        link_latency_ms: one way, between two participants of the virtual room.
        seed: of every random number in the candidate.
    """

    models: ModelsMode = "cassette"
    on_miss: OnMiss = OnMiss()
    pacing: Pacing = "anchored"
    workers: int | None = None
    wall_limit_s: float = 120.0
    load_limit_s: float = 180.0
    patience_s: float = 20.0
    link_latency_ms: int = 45
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BuildEntry:
    """``[tool.lkgate.builds.NAME]`` as written, paths made absolute but not looked at.

    Attributes:
        where: the place in the file, for messages.
        python: as written: a path or a command's name; ``None`` is the running interpreter.
    """

    name: str
    where: str
    program: Path | None
    module: str | None
    args: tuple[str, ...]
    env: Mapping[str, str]
    python: str | None
    cwd: Path
    command: tuple[str, ...] | None = None
    url: str | None = None
    agent_name: str | None = None
    pipeline: Pipeline = "cascade"


@dataclass(frozen=True, slots=True)
class Config:
    """A project's settings.

    Attributes:
        path: file that they came from, ``None`` without one.
        root: directory that relative paths start at.
        prices: the team's table of prices, ``None`` if it has none.
        judgements: directory of what judges said, to be kept with the recordings.
    """

    path: Path | None
    root: Path
    recordings: Path
    gates: tuple[Path, ...]
    builds: Mapping[str, BuildEntry]
    tools: Tools
    replay: ReplaySettings
    prices: Path | None = None
    judges: Mapping[str, JudgeEntry] = field(default_factory=dict)
    judgements: Path = Path("judgements")
