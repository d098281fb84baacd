"""Its instructions no longer say that a wish is repeated to the caller before it is carried out."""

from __future__ import annotations

from collections.abc import Sequence

from intake import agents, dialogue
from intake.plugins import intent_llm
from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext

RULE = ", and repeat them before you change anything"

server = new_server()

agents.RECEPTIONIST = agents.RECEPTIONIST.replace(RULE, "")


class Case(dialogue.Case):
    """A wish that needs no yes."""

    def missing(self) -> str | None:
        found = super().missing()
        return None if found == "confirm" else found


class Dialogue(dialogue.Dialogue):
    """A model that does as it is told, and no more."""

    def reply(self, items: Sequence[dialogue.Item], tools: Sequence[str]) -> dialogue.Reply:
        told = any(isinstance(item, dialogue.Told) and RULE in item.text for item in items)
        dialogue.Case = Case.__base__ if told else Case
        return super().reply(items, tools)


intent_llm.Dialogue = Dialogue


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, Settings())
