"""What the agents say. A build may reword any of it."""

from __future__ import annotations

from collections.abc import Mapping

GREETING = "Hello, this is Harbour Street Clinic. How can I help you?"
STILL_HERE = "Take your time, I am still here."

PHRASES: Mapping[str, str] = {
    "ask_patient": "May I have your first and last name, please?",
    "ask_reason": "Thank you. What is the reason for your visit?",
    "ask_day": "Which day of the week would suit you, and at what time?",
    "ask_time": "And at what time on {day}?",
    "ask_day_only": "And on which day would you like {time}?",
    "confirm_book": "That is {day} at {time} for {patient}. Shall I book it?",
    "confirm_move": "I will move your appointment to {day} at {time}. Is that right?",
    "booked": (
        "You are booked for {day} at {time}. Your reference number is {reference}. "
        "Please come ten minutes early and bring your insurance card. Anything else?"
    ),
    "moved": (
        "Your appointment is now on {day} at {time}. "
        "You keep your reference number {reference}. Anything else?"
    ),
    "found": (
        "I found it. {patient}, your appointment is on {day} at {time}, for {reason}. "
        "Can I do anything else for you?"
    ),
    "not_found": "I am sorry, I find no appointment under {patient}. Shall I book one for you?",
    "to_nurse": "I am sorry to hear that. Let me pass you to our triage nurse.",
    "nurse": "Hello, this is the triage nurse. I have a few short questions about your {symptoms}.",
    "ask_symptoms": "What is troubling you today?",
    "ask_days": "How long have you had it?",
    "ask_severity": "And from one to ten, how bad is it right now?",
    "same_day": "A doctor should look at that soon. Which day and what time could you come in?",
    "routine": "That does not sound urgent, but let us have a look at it. "
    "Which day and what time would suit you?",
    "emergency": "That may be serious. I am putting you through to a colleague right now.",
    "transferred": "I am connecting you to a colleague now. Please stay on the line, "
    "you are number {position} in the queue.",
    "wait": "Of course, take your time.",
    "enough": "Of course. What else can I do for you?",
    "on_hold": "A colleague will be with you shortly.",
    "prepare": (
        "For a blood test, please do not eat for eight hours before you come. "
        "Water is fine. Bring your insurance card and a list of the medicines that you take. "
        "Please allow for about twenty minutes with us in all."
    ),
    "hours": (
        "We are open from eight in the morning to six in the evening, Monday to Friday. "
        "On weekends, please call the emergency line."
    ),
    "change": "All right. What should I change it to?",
    "goodbye": "Thank you for calling. Goodbye, and take care.",
    "again": "I am sorry, I did not understand. I can book, move or look up an appointment.",
}
