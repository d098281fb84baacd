"""A person's truth about a call (``labels.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lkgate.model.event import Json


@dataclass(frozen=True, slots=True)
class ExpectedTool:
    """A tool call that a right agent makes, in this order, with these arguments."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Labels:
    """Reference words by caller utterance, expected tools, outcome and cohort.

    Attributes:
        reviewed: whether a person confirmed the draft.
        caller: what the caller truly said, one entry an utterance, in order.
        tools: expected tool calls, in order.
        outcome: how the call ended, in the team's own words.
        cohort: any keys: language, accent, voice, noise, route, codec.
    """

    reviewed: bool
    caller: tuple[str, ...]
    tools: tuple[ExpectedTool, ...]
    outcome: str | None
    cohort: Mapping[str, str]
