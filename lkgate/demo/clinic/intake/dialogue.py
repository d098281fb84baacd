"""The receptionist's and the nurse's policy: a conversation so far in, the next step out.

Like a language model, it keeps nothing between requests: the whole conversation is read again each
time, so that a retried or abandoned request changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intake import slots
from intake.clinic import EMERGENCIES
from intake.intents import Intents


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller said something."""

    text: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A tool returned."""

    tool: str
    output: str


@dataclass(frozen=True, slots=True)
class Told:
    """The program gave an instruction."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool is to be called."""

    tool: str
    arguments: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, and which tool to call after it."""

    text: str
    call: Call | None = None


Item = Heard | Returned | Told

INTRODUCE = "Introduce yourself as the triage nurse and ask the first question."


@dataclass(slots=True)
class Case:
    """What is known about this caller's wish."""

    goal: str | None = None
    patient: str | None = None
    reason: str | None = None
    day: str | None = None
    time: str | None = None
    agreed: bool | None = None
    symptoms: str | None = None
    days: int | None = None
    severity: int | None = None
    person: str | None = None
    """why the caller needs a human"""
    served: bool = False
    """something was booked, moved or looked up"""
    aside: str | None = None
    """the last words were not about the goal: ``wait``, ``prepare``, ``hours``, ``enough`` or
    ``goodbye``"""
    transferred: bool = False

    def missing(self) -> str | None:
        """What has to be asked next; ``confirm`` when everything is known."""
        wanted: Sequence[str]
        if self.goal == "triage":
            wanted = ("symptoms", "days", "severity")
        elif self.goal == "look_up":
            wanted = ("patient",)
        elif self.goal == "book":
            wanted = ("patient", "reason", "day", "time")
        elif self.goal == "move":
            wanted = ("patient", "day", "time")
        else:
            return None
        for slot in wanted:
            if getattr(self, slot) is None:
                return slot
        return "confirm" if self.goal in ("book", "move") and self.agreed is not True else None


class Dialogue:
    """The policy, with its wording.

    Of the instructions it understands one thing: whether they name opening hours (slots.clock).
    """

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._phrases = phrases
        self._opening_hours = False
        self._intents = Intents()

    def reply(self, items: Sequence[Item], tools: Sequence[str]) -> Reply:
        """The next step after ``items``, for the agent that has ``tools``."""
        case = Case()
        told = [item.text for item in items if isinstance(item, Told)]
        self._opening_hours = any("is open from" in text for text in told)
        for item in items:
            if isinstance(item, Heard):
                self._hear(case, item.text)
            elif isinstance(item, Returned):
                _note(case, item)
        last = items[-1] if items else None
        if isinstance(last, Returned) and last.tool != "transfer_to_nurse":
            return self._report(case, last)
        if isinstance(last, Told) and last.text == INTRODUCE:
            return self._nurse_opens(case)
        return self._answer(case, tools)

    def _hear(self, case: Case, text: str) -> None:
        guess = self._intents.guess(text)
        sure = guess.similarity > 0.3
        asked = case.missing()
        case.aside = None
        complaint = slots.complaint(text)
        if complaint in EMERGENCIES:
            case.person = complaint
            return
        if guess.intent == "human" and sure:
            case.person = "asks for a person"
            return
        if guess.intent in ("wait", "prepare", "hours", "enough") and sure:
            case.aside = guess.intent
            return
        known = self._take_slots(case, text, asked, complaint)
        if case.goal is None:
            self._take_goal(case, guess.intent if sure else "inform", complaint, known)
        elif asked == "confirm" and not known:
            if guess.intent == "yes":
                case.agreed = True
            elif guess.intent == "no":
                case.agreed, case.day, case.time = False, None, None
        if not known and guess.intent == "goodbye" and sure:
            case.aside = "goodbye"

    def _take_slots(self, case: Case, text: str, asked: str | None, complaint: str | None) -> bool:
        """Fills in what ``text`` tells; whether it told a day or a time."""
        case.patient = slots.name(text, asked=asked == "patient") or case.patient
        if case.goal == "triage":
            case.symptoms = case.symptoms or complaint
            case.days = slots.duration_days(text) if case.days is None else case.days
            if asked == "severity":
                case.severity = slots.severity(text)
            return False
        if complaint and case.reason is None:
            case.reason = complaint
        elif asked == "reason" and case.reason is None:
            case.reason = "consultation"
        day = slots.days(text)
        time = slots.clock(text, opening_hours=self._opening_hours)
        if day or time:
            case.agreed = None
        case.day, case.time = day or case.day, time or case.time
        return bool(day or time)

    def _take_goal(self, case: Case, intent: str, complaint: str | None, known: bool) -> None:
        if intent in ("book", "move", "look_up"):
            case.goal, case.agreed = intent, None
            if intent == "book" and case.served:
                case.reason = complaint
            if not known:
                case.day = case.time = None
        elif intent == "unwell" or (complaint and not case.served):
            case.goal, case.symptoms = "triage", complaint or "complaint"
        elif known and case.served and case.patient:
            case.goal, case.agreed = "move", None
        elif intent == "no" and case.served:
            case.aside = "goodbye"

    def _answer(self, case: Case, tools: Sequence[str]) -> Reply:
        if case.transferred:
            return Reply(self._phrases["on_hold"])
        if case.person:
            return Reply("", Call("escalate_to_human", {"reason": case.person}))
        if case.aside == "goodbye":
            return Reply(self._phrases["goodbye"])
        if case.aside:
            return Reply(self._phrases[case.aside])
        missing = case.missing()
        if case.goal == "triage" and "transfer_to_nurse" in tools:
            symptoms = case.symptoms or "complaint"
            return Reply(
                self._phrases["to_nurse"], Call("transfer_to_nurse", {"symptoms": symptoms})
            )
        if missing:
            return Reply(self._question(case, missing))
        if case.goal is None:
            return Reply(self._phrases["again"])
        return Reply("", _action(case))

    def _question(self, case: Case, missing: str) -> str:
        if missing == "confirm":
            return self._say(f"confirm_{case.goal}", case)
        if missing == "day" and case.agreed is False:
            return self._phrases["change"]
        if missing == "day" and case.time:
            return self._say("ask_day_only", case)
        return self._say(f"ask_{missing}", case)

    def _nurse_opens(self, case: Case) -> Reply:
        question = self._question(case, case.missing() or "days")
        return Reply(f"{self._say('nurse', case)} {question}")

    def _report(self, case: Case, returned: Returned) -> Reply:
        result = json.loads(returned.output)
        if returned.tool == "assess_symptoms":
            text = self._phrases[result["urgency"]]
            if result["urgency"] == "emergency":
                reason = case.symptoms or "emergency"
                return Reply(text, Call("escalate_to_human", {"reason": reason}))
            return Reply(text)
        if returned.tool == "escalate_to_human":
            return Reply(
                self._phrases["transferred"].format(position=slots.UNITS[result["position"]])
            )
        if not result.get("found", True):
            return Reply(self._say("not_found", case))
        key = {"book_appointment": "booked", "move_appointment": "moved"}.get(
            returned.tool, "found"
        )
        return Reply(
            self._phrases[key].format(
                patient=result["patient"],
                day=result["day"],
                time=slots.spoken_clock(result["time"]),
                reason=result["reason"],
                reference=" ".join(slots.UNITS[int(d)] for d in result["reference"]),
            )
        )

    def _say(self, key: str, case: Case) -> str:
        return self._phrases[key].format(
            patient=case.patient,
            day=case.day,
            time=slots.spoken_clock(case.time) if case.time else "",
            symptoms=case.symptoms or "complaint",
        )


def _note(case: Case, returned: Returned) -> None:
    """What a tool's result changes."""
    if returned.tool == "assess_symptoms":
        case.goal, case.reason, case.agreed = "book", case.symptoms, None
        case.day = case.time = None
    elif returned.tool == "escalate_to_human":
        case.goal = case.person = None
        case.transferred = True
    elif returned.tool != "transfer_to_nurse":
        found = json.loads(returned.output)
        case.goal, case.agreed, case.served = None, None, True
        case.patient = found.get("patient", case.patient)
        case.day, case.time = found.get("day", case.day), found.get("time", case.time)


def _action(case: Case) -> Call:
    """The tool that reaches the goal, once nothing is missing."""
    if case.goal == "look_up":
        return Call("look_up_appointment", {"patient": case.patient or ""})
    if case.goal == "triage":
        return Call(
            "assess_symptoms",
            {
                "symptoms": case.symptoms or "complaint",
                "days": case.days or 0,
                "severity": case.severity or 0,
            },
        )
    when = {"patient": case.patient or "", "day": case.day or "", "time": case.time or ""}
    if case.goal == "move":
        return Call("move_appointment", when)
    return Call("book_appointment", {**when, "reason": case.reason or "consultation"})
