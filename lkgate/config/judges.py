"""``[tool.lkgate.judges.NAME]``: a language model that is asked about conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from lkgate.config.source import Source
from lkgate.errors import ConfigError
from lkgate.model.event import Json
from lkgate.secret import Secrets

Kind = Literal[
    "own",
    "task_completion",
    "accuracy",
    "tool_use",
    "handoff",
    "safety",
    "relevancy",
    "coherence",
    "conciseness",
]


@dataclass(frozen=True, slots=True)
class JudgeEntry:
    """A judge as the settings have it.

    Attributes:
        where: the place in the file, for messages.
        kind: one of LiveKit's judges; ``own``: judges by ``instructions``.
        instructions: ``own``: what to judge by; ``task_completion``: what the agent was told to do.
        llm: ``module:Class`` of a LiveKit LLM plugin.
        arguments: what the class is made with; never a credential.
        votes: how often it is asked about one conversation.
        max_calls, max_tokens: what one command may spend on it.
    """

    name: str
    where: str
    kind: Kind
    instructions: str | None
    llm: str
    arguments: Mapping[str, Json] = field(default_factory=dict)
    votes: int = 1
    max_calls: int = 500
    max_tokens: int = 1_000_000


def judges_of(data: Json, source: Source | None) -> dict[str, JudgeEntry]:
    """The judges of settings that their schema accepts.

    Raises:
        ConfigError: one has nothing to judge by, or a credential in its arguments.
    """
    entries = cast("dict[str, dict[str, Json]]", data or {})
    return {name: _judge(name, entry, source) for name, entry in entries.items()}


def _judge(name: str, entry: Mapping[str, Json], source: Source | None) -> JudgeEntry:
    where = source.where(["judges", name]) if source else name
    kind = cast(Kind, entry.get("kind", "own"))
    instructions = cast("str | None", entry.get("instructions"))
    if kind == "own" and instructions is None:
        raise ConfigError(
            f"the judge `{name}` has neither `instructions` nor a `kind`",
            where=where,
            next_step="Say what a conversation is to be judged by, or take one of LiveKit's kinds.",
        )
    if instructions is not None and kind not in ("own", "task_completion"):
        raise ConfigError(
            f"the judge `{name}` is LiveKit's {kind}, which has instructions of its own",
            where=where,
            next_step="Leave out `instructions`, or `kind`.",
        )
    arguments = cast("dict[str, Json]", entry.get("arguments", {}))
    texts = {key: value for key, value in arguments.items() if isinstance(value, str)}
    if Secrets.of(texts).names:
        raise ConfigError(
            f"a credential stands in the arguments of the judge `{name}`",
            where=where,
            next_step="Take it out: LiveKit's plugins read theirs from the environment.",
        )
    default = JudgeEntry(name, where, kind, instructions, cast(str, entry["llm"]))
    return JudgeEntry(
        name=name,
        where=where,
        kind=kind,
        instructions=instructions,
        llm=default.llm,
        arguments=arguments,
        votes=cast(int, entry.get("votes", default.votes)),
        max_calls=cast(int, entry.get("max_calls", default.max_calls)),
        max_tokens=cast(int, entry.get("max_tokens", default.max_tokens)),
    )
