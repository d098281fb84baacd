"""The tool that books has another name; the model is shown that name, and uses it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from intake import agents, dialogue
from intake.agents import Context
from intake.plugins import intent_llm
from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext, function_tool

OLD, NEW = "book_appointment", "create_booking"

server = new_server()


@function_tool(name=NEW)
async def create_booking(context: Context, patient: str, day: str, time: str, reason: str) -> str:
    """Book an appointment.

    Args:
        patient: first and last name
        day: day of the week
        time: 24-hour clock, HH:MM
        reason: reason for the visit
    """
    made = context.userdata.clinic.book(patient, day, time, reason)
    shown = {"patient": made.patient, "day": made.day, "time": made.time, "reason": made.reason}
    return json.dumps({**shown, "reference": made.reference})


class Dialogue(dialogue.Dialogue):
    """A model that reads the names of its tools."""

    def reply(self, items: Sequence[dialogue.Item], tools: Sequence[str]) -> dialogue.Reply:
        known = [
            dialogue.Returned(OLD, item.output)
            if isinstance(item, dialogue.Returned) and item.tool == NEW
            else item
            for item in items
        ]
        found = super().reply(known, tools)
        if found.call is None or found.call.tool != OLD:
            return found
        return dialogue.Reply(found.text, dialogue.Call(NEW, found.call.arguments))


agents.book_appointment = create_booking
intent_llm.Dialogue = Dialogue


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, Settings())
