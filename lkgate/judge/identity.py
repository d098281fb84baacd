"""What makes two questions to a judge the same."""

from __future__ import annotations

from lkgate.bundle.canonical import compact, sha256
from lkgate.config import JudgeEntry
from lkgate.judge.conversation import Conversation, as_json
from lkgate.model.event import Json

_DIGITS = 32


def identity_of(judge: JudgeEntry) -> str:
    """A digest of what the judge is: its kind, its instructions, its model and how that is set up.

    Not of its name, its budget, or how often it is asked.
    """
    said: dict[str, Json] = {
        "kind": judge.kind,
        "instructions": None
        if judge.instructions is None
        else " ".join(judge.instructions.split()),
        "llm": judge.llm,
        "arguments": dict(judge.arguments),
    }
    return sha256(compact(said).encode())[:_DIGITS]


def key_of(judge: JudgeEntry, conversation: Conversation) -> str:
    """A digest of the judge and of the conversation that it is asked about."""
    asked = f"{identity_of(judge)}\n{compact(as_json(conversation))}"
    return sha256(asked.encode())[:_DIGITS]
