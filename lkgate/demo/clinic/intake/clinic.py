"""The clinic's appointment book, in memory: one for each call, the same at every start."""

from __future__ import annotations

import difflib
import zlib
from dataclasses import dataclass, field

EMERGENCIES = ("chest pain", "trouble breathing", "fainting")


@dataclass(frozen=True, slots=True)
class Appointment:
    patient: str
    day: str
    time: str
    reason: str

    @property
    def reference(self) -> str:
        """Four digits, the patient's own: they survive a move."""
        return str(1000 + zlib.crc32(self.patient.lower().encode()) % 9000)


def _registered() -> dict[str, Appointment]:
    return {
        a.patient: a
        for a in (
            Appointment("Peter Green", "Thursday", "15:30", "back pain"),
            Appointment("James Wilson", "Monday", "09:00", "blood test"),
            Appointment("Sarah Brown", "Wednesday", "10:15", "check-up"),
        )
    }


@dataclass(slots=True)
class Clinic:
    """What the tools of a call read and change."""

    appointments: dict[str, Appointment] = field(default_factory=_registered)
    escalations: list[str] = field(default_factory=list)

    def find(self, patient: str) -> Appointment | None:
        """The appointment under that name; a name heard slightly wrong still finds it."""
        close = difflib.get_close_matches(patient, self.appointments, n=1, cutoff=0.7)
        return self.appointments[close[0]] if close else None

    def book(self, patient: str, day: str, time: str, reason: str) -> Appointment:
        appointment = Appointment(patient, day, time, reason)
        self.appointments[patient] = appointment
        return appointment

    def move(self, patient: str, day: str, time: str) -> Appointment | None:
        old = self.find(patient)
        if old is None:
            return None
        return self.book(old.patient, day, time, old.reason)

    def escalate(self, reason: str) -> int:
        """Puts the caller in the queue for a person; the caller's position in it."""
        self.escalations.append(reason)
        return len(self.escalations)


def assess(symptoms: str, days: int, severity: int) -> str:
    """``emergency``, ``same_day`` or ``routine``."""
    if symptoms in EMERGENCIES or severity >= 9:
        return "emergency"
    return "same_day" if severity >= 6 or days >= 7 else "routine"
