"""Eight calls to a clinic, as the demo's recordings are, without audio."""

from __future__ import annotations

from lkgate.model.label import Labels
from lkgate.model.verdict import CallResult
from tests.measure.builders import V1, Agent, Step, labels, result

BOOK = "book_appointment"
TUESDAY: dict[str, str] = {"day": "tuesday", "time": "14:30", "patient": "Ada Byron"}

_BOOKING = (
    Step("I need an appointment.", "Of course. Which day and time?"),
    Step("Tuesday at half past two.", "Tuesday at half past two. Shall I book it?"),
    Step("Yes please.", "You are booked.", tools=((BOOK, {**TUESDAY}, {"reference": "A1"}),)),
    Step("Thank you, goodbye.", "Goodbye.", reply_lasts=1.0),
)
_BARGE = (
    Step("I need an appointment.", "Of course. We have many days to offer.", reply_lasts=6.0),
    Step("No wait, I only want to ask.", "What would you like to know?", into=1.5),
    Step("When are you open?", "From eight to five on all days.", reply_lasts=5.0),
    Step("That is enough, thank you.", "You are welcome.", into=1.2, lasts=1.5),
)
_TRIAGE = (
    Step("I feel sick.", "I will get the nurse.", handoff="nurse"),
    Step("Since Monday.", "How bad is it?"),
    Step("Quite bad.", "Come today.", tools=(("assess_symptoms", {"days": 2}, "same_day"),)),
)
_ASKING = (
    Step(
        "When is my appointment?", "One moment.", tools=(("look_up", {"patient": "Ada"}, "none"),)
    ),
    Step("Are you sure?", "I am."),
    Step("Goodbye.", "Goodbye."),
)

CALLS: dict[str, tuple[Step, ...]] = {
    "booking-anna": _BOOKING,
    "booking-noisy": _BOOKING,
    "barge-in-twice": _BARGE,
    "barge-in-book": (*_BARGE, *_BOOKING),
    "triage": _TRIAGE,
    "look-up": _ASKING,
    "long": (*_ASKING, *_BOOKING),
    "mind-changed": (*_BOOKING[:2], *_BOOKING),
}

V3 = Agent(end_of_turn=1.3, interruptible=False, arguments={BOOK: {"time": "02:30"}})


def truth(steps: tuple[Step, ...]) -> Labels:
    return labels(
        *(step.says for step in steps),
        tools=[(name, arguments) for step in steps for name, arguments, _ in step.tools],
        cohort={"language": "en"},
    )


def replayed(candidate: Agent, baseline: Agent | None = V1) -> list[CallResult]:
    return [
        result(call, steps, candidate, baseline=baseline, truth=truth(steps))
        for call, steps in CALLS.items()
    ]
