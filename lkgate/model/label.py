"""A person's truth about a call (``labels.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lkgate.model.event import Json
from lkgate.model.judgement import Label

ArgumentKind = Literal["exact", "number", "date", "text", "schema"]
StepKind = Literal["says", "tool", "handoff"]


@dataclass(frozen=True, slots=True)
class ArgumentRule:
    """How one argument of a tool is compared.

    Attributes:
        kind: ``exact``: the same JSON value; ``number``: the same number, written in any way;
            ``date``: the same day, time, or both; ``text``: the same words; ``schema``: any value
            that is valid by a JSON Schema.
        tolerance: for ``number``: how far off it may be.
        similarity: for ``text``: the least share of words that agree; 1 wants all of them.
        schema: for ``schema``: JSON Schema 2020-12; its ``default`` is what an argument is that was
            left out.
    """

    kind: ArgumentKind = "exact"
    tolerance: float = 0.0
    similarity: float = 1.0
    schema: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpectedTool:
    """A tool call that a right agent makes, in this order, with these arguments.

    Attributes:
        arguments: those that matter; others are free.
        rules: by argument (``slot.time`` is a place within one); those without one are exact.
        changes: it changes something, so the caller must have agreed right before.
        after: tools that must have been called before, without an error.
    """

    name: str
    arguments: Mapping[str, Json]
    rules: Mapping[str, ArgumentRule] = field(default_factory=dict)
    changes: bool = False
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """Words of the caller that must not be misheard.

    Attributes:
        utterance: index into ``Labels.caller``.
        kind: ``name``, ``date``, ``amount``, or any other word of the team's.
        text: the words, as they stand in the utterance.
    """

    utterance: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a right agent does: says a phrase, calls a tool, hands off to an agent."""

    kind: StepKind
    what: str


@dataclass(frozen=True, slots=True)
class Labels:
    """Reference words by caller utterance, expected tools, outcome and cohort.

    Attributes:
        reviewed: whether a person confirmed the draft.
        caller: what the caller truly said, one entry an utterance, in order.
        tools: expected tool calls, in order.
        outcome: how the call ended, in the team's own words.
        cohort: any keys: language, accent, voice, noise, route, codec.
        entities: words of the caller that must not be misheard.
        handoffs: agents that the call is handed to, in order; ``None`` if nobody said.
        required: steps that a right agent does, in this order, whatever else it does.
        forbidden_tools, forbidden_phrases: what a right agent never calls and never says.
        confirmations: words by which the caller agrees; empty for the English ones.
        judges: what a judge must say of the recorded call, by the judge's name.
    """

    reviewed: bool
    caller: tuple[str, ...]
    tools: tuple[ExpectedTool, ...]
    outcome: str | None
    cohort: Mapping[str, str]
    entities: tuple[Entity, ...] = ()
    handoffs: tuple[str, ...] | None = None
    required: tuple[Step, ...] = ()
    forbidden_tools: tuple[str, ...] = ()
    forbidden_phrases: tuple[str, ...] = ()
    confirmations: tuple[str, ...] = ()
    judges: Mapping[str, Label] = field(default_factory=dict)
