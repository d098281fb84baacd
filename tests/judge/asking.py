"""Judges of tests, and what they are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lkgate.config import JudgeEntry
from lkgate.config.judges import Kind
from lkgate.judge.ask import Judged, Spent, ask
from lkgate.judge.conversation import Conversation, conversation_of
from lkgate.judge.provider import Plugin
from lkgate.judge.store import Store
from lkgate.model.event import Json
from lkgate.secret import Secrets
from tests.measure.builders import Step, play

POLITE = conversation_of(play([Step("I need an appointment.", "Of course, which day?")]))
RUDE = conversation_of(play([Step("I need an appointment.", "Not my problem.")]))


def entry(
    *,
    name: str = "helpful",
    kind: Kind = "own",
    instructions: str | None = "The agent must be helpful.",
    votes: int = 1,
    max_calls: int = 500,
    max_tokens: int = 1_000_000,
    **arguments: Json,
) -> JudgeEntry:
    return JudgeEntry(
        name=name,
        where="lkgate.yaml:1",
        kind=kind,
        instructions=instructions if kind in ("own", "task_completion") else None,
        llm="tests.judge.scripted:Scripted",
        arguments={"words": "Not my problem", **arguments},
        votes=votes,
        max_calls=max_calls,
        max_tokens=max_tokens,
    )


def asked(
    judge: JudgeEntry,
    directory: Path,
    calls: Sequence[tuple[str, Conversation]],
    secrets: Secrets | None = None,
) -> tuple[list[Judged], Spent]:
    """Ask through the real adapter."""
    plugins: list[Plugin] = []

    def provider() -> Plugin:
        plugins.append(Plugin(judge))
        return plugins[-1]

    try:
        store = Store.read(directory, judge.name)
        return ask(judge, store, calls, provider, secrets or Secrets())
    finally:
        for plugin in plugins:
            plugin.__exit__(None, None, None)


def nobody() -> Plugin:
    raise AssertionError("somebody was asked")
