"""Answers that were derived from outside; speech that is made up; providers asked on a miss."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from livekit.agents import APIError, llm

from lkgate.cassette import Exchange, key_of
from lkgate.cassette.blobs import Blobs
from lkgate.cassette.exchange import encode
from lkgate.cassette.outside import conversation, hearing, speech
from lkgate.model.event import Json
from lkgate.model.turn import Modality
from tests.harness.tape.models import FakeLLM, FakeSTT, FakeTTS, wave
from tests.harness.tape.stage import Stage
from tests.harness.tape.test_llm import ask, script
from tests.harness.tape.test_stt import PLAN, listen, pieces, placed
from tests.harness.tape.test_tts import say, stream

HELLO = "Hello there. How can I help you?"
MS = 48  # bytes of a millisecond of the agent's voice


def derived(stage: Stage, *answers: tuple[Modality, dict[str, Json], dict[str, Json]]) -> None:
    """A cassette of derived answers."""
    stage.cassette.mkdir(parents=True, exist_ok=True)
    lines = []
    ordinals: dict[str, itertools.count[int]] = {}
    for number, (modality, request, response) in enumerate(answers):
        base_us = response.get("base_us")
        t_us = base_us if isinstance(base_us, int) else number
        key = key_of(modality, request)
        ordinal = next(ordinals.setdefault(key, itertools.count()))
        lines.append(
            encode(Exchange(modality, key, ordinal, t_us, request, response, "derived")) + "\n"
        )
    (stage.cassette / "index.jsonl").write_text("".join(lines))


def voiced(
    stage: Stage, text: str, *, cut: bool = False, ttfb_ms: int = 300
) -> tuple[Modality, dict[str, Json], dict[str, Json]]:
    """Speech of 10 ms a letter, cut from a track."""
    ends = [len(part) for part in itertools.accumulate(text.split(), lambda a, b: f"{a} {b}")]
    response: dict[str, Json] = {
        "ending": "cancelled" if cut else "done",
        "took_us": len(text) * 10_000,
        "ttfb_us": ttfb_ms * 1_000,
        "audio": {
            "blob": Blobs(stage.cassette).put(wave(text)),
            "sample_rate_hz": 24_000,
            "channels": 1,
        },
        "words": [[end, end * 10 * MS] for end in ends],
    }
    return "tts", speech(text), response


def thought(text: str, *before: dict[str, Any], cut: bool = False) -> Any:
    response: dict[str, Json] = {
        "ending": "cancelled" if cut else "done",
        "took_us": 200_000,
        "id": "derived",
        "chunks": [] if cut else [[200_000, text]],
    }
    return "llm", conversation(before), response


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "text": text}


def origins(stage: Stage) -> list[Any]:
    return [note["origin"] for note in stage.notes if note["kind"] == "lkgate.model_answer"]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_message_is_spoken_in_any_voice(stage: Stage, streaming: bool) -> None:
    derived(stage, voiced(stage, HELLO))
    model = FakeTTS(voice="another", streaming=streaming)
    if streaming:
        heard = stage.replay(
            lambda: stream(stage, model, ((0.0, "Hello there. "), (0.5, HELLO[13:])))
        )
        assert heard.frames[0][0] < 500, "the first sentence does not wait for the second"
    else:
        heard = stage.replay(lambda: say(stage, model, HELLO))
    assert heard.pcm == wave(HELLO)
    assert heard.frames[0][0] >= 300
    assert (model.asked, origins(stage), stage.misses) == (0, ["derived"], [])


def test_a_message_is_spoken_sentence_by_sentence(stage: Stage) -> None:
    derived(stage, voiced(stage, HELLO))
    model = FakeTTS(streaming=False)

    async def main() -> list[Any]:
        return [await say(stage, model, text) for text in ("Hello there.", "How can I help you?")]

    first, second = stage.replay(main)
    assert first.pcm + second.pcm == wave(HELLO)
    # Only the first had to wait for the voice; the emitter takes 200 ms to fill a frame.
    assert first.frames[0][0] >= 300
    assert second.frames[0][0] - first.frames[-1][0] < 200
    assert origins(stage) == ["derived", "derived"]


@pytest.mark.parametrize(
    "text", ["How can", "there. How can I help you?", "Good day.", "hello there."]
)
def test_other_words_are_a_miss(stage: Stage, text: str) -> None:
    derived(stage, voiced(stage, HELLO))
    with pytest.raises(APIError, match="the cassette holds no TTS exchange with this request"):
        stage.replay(lambda: say(stage, FakeTTS(streaming=False), text))
    (miss,) = stage.misses
    assert miss.nearest == f"text {HELLO}"


def test_new_words_are_as_long_as_the_agent_would_need(stage: Stage) -> None:
    derived(stage, voiced(stage, HELLO))
    model = FakeTTS(streaming=False)
    heard = stage.replay(lambda: say(stage, model, "x" * 50), on_miss={"tts": "estimate"})
    assert len(heard.pcm) == 50 * 10 * MS
    assert heard.pcm[: len(wave(HELLO))] == wave(HELLO), "its voice is the agent's own"
    assert heard.frames[0][0] >= 300
    assert (model.asked, origins(stage), stage.misses) == (0, ["estimated"], [])


def test_a_text_that_goes_on_differently_is_made_up_from_there(stage: Stage) -> None:
    derived(stage, voiced(stage, HELLO))
    pieces = ((0.0, "Hello there. "), (0.6, "Who are you?"))
    with pytest.raises(APIError, match="went on differently"):
        stage.replay(lambda: stream(stage, FakeTTS(), pieces))
    heard = stage.replay(lambda: stream(stage, FakeTTS(), pieces), on_miss={"tts": "estimate"})
    assert heard.pcm[: 12 * 10 * MS] == wave(HELLO)[: 12 * 10 * MS]
    assert len(heard.pcm) == 25 * 10 * MS
    assert origins(stage) == ["derived", "estimated"]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_recorded_cassette_has_the_same_policy(stage: Stage, streaming: bool) -> None:
    model = FakeTTS(streaming=streaming)

    async def main(*texts: str) -> list[Any]:
        if streaming:
            return [await stream(stage, model, ((0.0, text),)) for text in texts]
        return [await say(stage, model, text) for text in texts]

    (live,) = stage.record(lambda: main("How can I help?"))
    known, new = stage.replay(
        lambda: main("How can I help?", "Who are you?"), on_miss={"tts": "estimate"}
    )
    assert known == live
    assert len(new.pcm) == 12 * 10 * MS
    assert (model.asked, origins(stage), stage.misses) == (1, ["recorded", "estimated"], [])


def test_nothing_can_be_made_of_no_voice(stage: Stage) -> None:
    derived(stage, thought("Hello."))
    with pytest.raises(APIError):
        stage.replay(lambda: say(stage, FakeTTS(), "Hello."), on_miss={"tts": "estimate"})
    assert [miss.modality for miss in stage.misses] == ["tts"]


def test_words_that_were_cut_short_and_are_needed_for_longer_are_a_miss(stage: Stage) -> None:
    derived(stage, voiced(stage, "Hello there. How", cut=True))
    with pytest.raises(APIError, match="up to where the caller interrupted them"):
        stage.replay(lambda: say(stage, FakeTTS(streaming=False), "Hello there. How"))
    heard = stage.replay(lambda: say(stage, FakeTTS(streaming=False), "Hello there."))
    assert heard.pcm == wave("Hello there. How")[: 12 * 10 * MS], "what was heard whole is whole"


def test_a_model_is_answered_by_the_place_in_the_conversation(stage: Stage) -> None:
    derived(
        stage,
        thought("One.", user("hello")),
        thought("Two.", user("hello"), {"type": "message", "role": "assistant"}, user("bye")),
    )
    model = FakeLLM(script, model="another")
    assert stage.replay(lambda: ask(stage, model, "hello")) == [(200, "One.")]
    assert (model.asked, origins(stage)) == (0, ["derived"])
    with pytest.raises(APIError, match="the cassette holds no LLM exchange with this request"):
        stage.replay(lambda: ask(stage, model, "bye"))
    (miss,) = stage.misses
    assert miss.asked == "a conversation of 1 items; the last:\nuser: bye"
    assert miss.difference is not None


def test_an_answer_that_nobody_waited_for_is_no_answer(stage: Stage) -> None:
    derived(stage, thought("", user("hello"), cut=True))
    model = FakeLLM(script)
    assert stage.replay(lambda: ask(stage, model, "hello", cut_s=1.0)) == []
    assert stage.misses == []
    with pytest.raises(APIError, match=r"cut short after 0\.20 s"):
        stage.replay(lambda: ask(stage, model, "hello"))


def test_a_provider_is_asked_where_the_policy_says_so(stage: Stage) -> None:
    derived(stage, thought("One.", user("hello")), voiced(stage, HELLO))
    mind, voice = FakeLLM(script), FakeTTS(streaming=False)

    async def main() -> list[Any]:
        return [await ask(stage, mind, "hello"), await ask(stage, mind, "bye")]

    known, asked = stage.replay(main, on_miss={"llm": "live"})
    assert (known, [what for _, what in asked]) == ([(200, "One.")], ["You said ", "bye.", 13])
    assert (mind.asked, origins(stage)) == (1, ["derived", "live"])
    heard = stage.replay(lambda: say(stage, voice, "Good day."), on_miss={"tts": "live"})
    assert heard.pcm.startswith(wave("Good day."))
    assert (voice.asked, origins(stage)) == (1, ["live"])
    with pytest.raises(APIError):
        stage.replay(lambda: ask(stage, mind, "bye"), on_miss={"tts": "live"})


def test_whatever_recogniser_hears_what_was_transcribed(stage: Stage) -> None:
    said: Sequence[Json] = [
        {"t_us": 1_500_000, "type": "interim_transcript", "alternatives": [_words("good")]},
        {"t_us": 2_000_000, "type": "final_transcript", "alternatives": [_words("good morning")]},
    ]
    response: dict[str, Json] = {
        "ending": "done",
        "base_us": 0,
        "closed_us": 9_000_000,
        "events": list(said),
    }
    derived(stage, ("stt", hearing(), response))
    model = FakeSTT([])
    heard = stage.replay(lambda: listen(stage, model, until_s=4.0))
    assert [event[:3] for event in heard] == [
        (1500, "interim_transcript", "good"),
        (2000, "final_transcript", "good morning"),
    ]
    assert (model.asked, origins(stage)) == (0, ["derived"])


def _words(text: str) -> Json:
    return {"language": "", "text": text}


def test_a_request_beside_the_conversation_is_no_place_in_it() -> None:
    from lkgate.harness.tape.place import place_of

    class Session:
        agent_state = "listening"

        def __init__(self) -> None:
            self.history = llm.ChatContext.empty()

    class Asked:
        def __init__(self, chat: llm.ChatContext) -> None:
            self.chat_ctx = chat

    session: Any = Session()
    first = session.history.add_message(role="user", content="hello")
    said = session.history.add_message(role="assistant", content="Hello.")
    later = session.history.add_message(role="user", content="Book.")

    def place(*items: Any, speaking: bool = False) -> Any:
        session.agent_state = "speaking" if speaking else "listening"
        asked: Any = Asked(llm.ChatContext([*items]))
        found = place_of(asked, session)
        return None if found is None else found["conversation"]

    whole = [user_line("hello"), {"role": "assistant"}, user_line("Book.")]
    assert place(first, said, later) == whole
    assert place(later) == whole, "what a program has forgotten was said all the same"
    assert place(first, said) is None, "an older place is not asked again"
    rules = llm.ChatMessage(role="system", content=["Sum it up."])
    assert place(rules) is None
    text = llm.ChatMessage(role="user", content=["Sum it up: hello."])
    assert place(rules, text) == [*whole[:2], user_line("Book. Sum it up: hello.")]
    new = llm.ChatMessage(role="user", content=["Now."])
    assert place(first, said, later, new, speaking=True) == [
        *whole,
        {"role": "assistant"},
        user_line("Now."),
    ]


def user_line(text: str) -> dict[str, Json]:
    return {"role": "user", "text": text}


def test_a_piece_of_audio_is_what_was_said_in_its_utterance(stage: Stage) -> None:
    def piece(at_us: int, text: str) -> tuple[Modality, dict[str, Json], dict[str, Json]]:
        event: dict[str, Json] = {"t_us": at_us + 300_000, "type": "final_transcript"}
        event["alternatives"] = [_words(text)]
        response: dict[str, Json] = {
            "ending": "done",
            "audio_us": 1_000_000,
            "base_us": at_us,
            "took_us": 300_000,
            "event": event,
        }
        return "stt", hearing(), response

    derived(stage, piece(3_200_000, "good morning"), piece(7_200_000, "goodbye"))
    model = FakeSTT(pieces=[])
    again = stage.replay(lambda: pieces(stage, model, 4.2, 9.3), plan=PLAN, placed=placed(3.0, 8.0))
    assert [text for _, text in again] == ["good morning", "goodbye"]
    assert (model.asked, origins(stage)) == (0, ["derived", "derived"])
