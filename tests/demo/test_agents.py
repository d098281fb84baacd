"""Every written call, in words: the real session, agents, tools and policy, without audio."""

from __future__ import annotations

import asyncio
import importlib
import json

import pytest
from intake.agents import Call, Receptionist
from intake.clinic import Clinic
from intake.plugins.intent_llm import IntentLLM
from intake.settings import Settings
from livekit.agents import AgentSession

from lkgate.demo.make import calls

Made = list[tuple[str, dict[str, object]]]
# The half of the day that build v3 loses.
AFTERNOONS = {
    "book": ("book_appointment", "14:30", "02:30"),
    "change-of-mind": ("move_appointment", "16:30", "04:30"),
    "move": ("move_appointment", "15:15", "03:15"),
}
SCRIPTS = {script.name: script for script in calls.read()}


@pytest.fixture(autouse=True)
def no_thinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.plugins.intent_llm.THINK_S", 0)
    monkeypatch.setattr("intake.plugins.intent_llm.WORD_S", 0)


def settings_of(build: str) -> Settings:
    settings = importlib.import_module(f"agent_{build}").SETTINGS
    assert isinstance(settings, Settings)
    return settings


def talk(settings: Settings, words: list[str]) -> tuple[Made, list[str]]:
    """The tool calls that ``words`` lead to, and what the agent said."""

    async def run() -> tuple[Made, list[str]]:
        made: Made = []
        model = IntentLLM(settings.phrases)
        async with AgentSession(userdata=Call(Clinic(), settings), llm=model) as session:
            await session.start(Receptionist(settings))
            for said in words:
                await session.run(user_input=said)
            for item in session.history.items:
                if item.type == "function_call":
                    made.append((item.name, json.loads(item.arguments)))
            spoken = [
                item.text_content or ""
                for item in session.history.items
                if item.type == "message" and item.role == "assistant"
            ]
        return made, spoken

    return asyncio.run(asyncio.wait_for(run(), 60))


def expected(name: str) -> Made:
    return [(tool.name, dict(tool.arguments)) for tool in SCRIPTS[name].tools]


@pytest.mark.parametrize("build", ["v1", "v2"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_true_words_lead_to_the_labelled_tool_calls(name: str, build: str) -> None:
    made, _ = talk(settings_of(build), [line.say for line in SCRIPTS[name].lines])
    assert made == expected(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_v3_says_the_same_and_loses_the_afternoon(name: str) -> None:
    words = [line.say for line in SCRIPTS[name].lines]
    made, spoken = talk(settings_of("v3"), words)
    planted = expected(name)
    if name in AFTERNOONS:
        tool, right, wrong = AFTERNOONS[name]
        for called, arguments in planted:
            if called == tool:
                assert arguments["time"] == right
                arguments["time"] = wrong
    assert made == planted
    assert spoken == talk(settings_of("v1"), words)[1]


def test_the_nurse_introduces_herself_once() -> None:
    _, spoken = talk(settings_of("v1"), [line.say for line in SCRIPTS["nurse"].lines])
    assert sum("triage nurse. I have" in text for text in spoken) == 1


def test_an_emergency_at_the_nurse_goes_to_a_person() -> None:
    words = ["I have a terrible headache", "since yesterday", "it is a ten"]
    made, _ = talk(settings_of("v1"), words)
    assert made == [
        ("transfer_to_nurse", {"symptoms": "headache"}),
        ("assess_symptoms", {"symptoms": "headache", "days": 1, "severity": 10}),
        ("escalate_to_human", {"reason": "headache"}),
    ]


def test_a_booking_that_is_refused_is_asked_for_again() -> None:
    words = [
        "I need to book an appointment for my knee",
        "My name is John Baker",
        "Tuesday at ten o'clock",
        "No, that is not right.",
        "Thursday at ten o'clock",
        "yes",
    ]
    made, spoken = talk(settings_of("v1"), words)
    assert made == [
        (
            "book_appointment",
            {"patient": "John Baker", "day": "Thursday", "time": "10:00", "reason": "knee pain"},
        )
    ]
    assert "All right. What should I change it to?" in spoken


def test_a_name_that_is_not_in_the_book_is_said_so() -> None:
    words = ["When is my appointment?", "My name is Nobody Atall."]
    _, spoken = talk(settings_of("v1"), words)
    assert "I find no appointment under Nobody Atall" in spoken[-1]


def test_what_is_not_understood_is_said_so() -> None:
    _, spoken = talk(settings_of("v1"), ["Purple elephants."])
    assert (
        spoken[-1]
        == "I am sorry, I did not understand. I can book, move or look up an appointment."
    )
