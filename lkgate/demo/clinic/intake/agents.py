"""The two agents of a call: the receptionist, who answers, and the triage nurse."""

from __future__ import annotations

import json
from dataclasses import dataclass

from livekit.agents import Agent, RunContext, function_tool

from intake.clinic import Appointment, Clinic, assess
from intake.dialogue import INTRODUCE
from intake.settings import Settings

RECEPTIONIST = """\
You answer the telephone of Harbour Street Clinic. Book, move and look up appointments: ask for the
name, the reason, the day and the time, and repeat them before you change anything. A caller who is
unwell goes to the triage nurse, an emergency or a caller who asks for it to a person."""

# A model that is not told this takes "half past two" as it was spoken.
HOURS = """
The clinic is open from eight in the morning to six in the evening. Read times accordingly."""

NURSE = """\
You are the triage nurse of Harbour Street Clinic. Ask how long the complaint has lasted and how bad
it is, assess it, then offer an appointment or put the caller through to a person."""


@dataclass(slots=True)
class Call:
    """What the tools of a call share."""

    clinic: Clinic
    settings: Settings


Context = RunContext[Call]


def _shown(appointment: Appointment) -> str:
    return json.dumps(
        {
            "patient": appointment.patient,
            "day": appointment.day,
            "time": appointment.time,
            "reason": appointment.reason,
            "reference": appointment.reference,
        }
    )


@function_tool
async def book_appointment(context: Context, patient: str, day: str, time: str, reason: str) -> str:
    """Book an appointment.

    Args:
        patient: first and last name
        day: day of the week
        time: 24-hour clock, HH:MM
        reason: reason for the visit
    """
    return _shown(context.userdata.clinic.book(patient, day, time, reason))


@function_tool
async def escalate_to_human(context: Context, reason: str) -> str:
    """Put the caller through to a person.

    Args:
        reason: why the caller needs one
    """
    return json.dumps({"position": context.userdata.clinic.escalate(reason)})


class Receptionist(Agent):
    """Greets, books, moves, looks up; hands the sick over to the nurse."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            instructions=RECEPTIONIST + (HOURS if settings.opening_hours else ""),
            tools=[book_appointment, escalate_to_human],
        )
        self.settings = settings

    async def on_enter(self) -> None:
        await self.session.say(self.settings.greeting)

    @function_tool
    async def look_up_appointment(self, context: Context, patient: str) -> str:
        """Find a patient's appointment.

        Args:
            patient: first and last name
        """
        found = context.userdata.clinic.find(patient)
        return _shown(found) if found else json.dumps({"found": False})

    @function_tool
    async def move_appointment(self, context: Context, patient: str, day: str, time: str) -> str:
        """Move a patient's appointment to another day or time.

        Args:
            patient: first and last name
            day: day of the week
            time: 24-hour clock, HH:MM
        """
        moved = context.userdata.clinic.move(patient, day, time)
        return _shown(moved) if moved else json.dumps({"found": False})

    @function_tool
    async def transfer_to_nurse(self, context: Context, symptoms: str) -> Agent:
        """Hand a caller who is unwell over to the triage nurse.

        Args:
            symptoms: what the caller complains of
        """
        return TriageNurse(self)


class TriageNurse(Agent):
    """Asks about a complaint, judges it and books, with the receptionist's conversation in mind."""

    def __init__(self, receptionist: Receptionist) -> None:
        super().__init__(
            instructions=NURSE + (HOURS if receptionist.settings.opening_hours else ""),
            chat_ctx=receptionist.chat_ctx.copy(exclude_instructions=True),
            tools=[book_appointment, escalate_to_human],
        )

    async def on_enter(self) -> None:
        await self.session.generate_reply(instructions=INTRODUCE)

    @function_tool
    async def assess_symptoms(
        self, context: Context, symptoms: str, days: int, severity: int
    ) -> str:
        """Judge how urgent a complaint is: emergency, same_day or routine.

        Args:
            symptoms: what the caller complains of
            days: for how many days
            severity: from one to ten
        """
        return json.dumps({"urgency": assess(symptoms, days, severity)})
