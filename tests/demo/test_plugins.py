"""The plugins with the models themselves, as LiveKit uses them."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Iterable
from importlib import resources
from importlib.util import find_spec

import numpy as np
import pytest
from intake.phrases import PHRASES
from intake.plugins.hibari_tts import SAMPLE_RATE_HZ, HibariTTS
from intake.plugins.intent_llm import IntentLLM
from intake.plugins.moonshine_stt import MoonshineSTT
from livekit import rtc
from livekit.agents import llm, stt

needs_hibari = pytest.mark.skipif(
    find_spec("hibari") is None, reason="hibari-tts is not installed: pip install -e '.[live]'"
)
needs_moonshine = pytest.mark.skipif(
    find_spec("moonshine_voice") is None,
    reason="moonshine-voice is not installed: pip install -e '.[live]'",
)


@needs_hibari
def test_hibari_speaks_the_same_samples_without_silence_around_them() -> None:
    async def speak() -> bytes:
        return bytes((await HibariTTS().synthesize("Shall I book it?").collect()).data)

    first, second = asyncio.run(speak()), asyncio.run(speak())
    assert first == second
    loud = np.flatnonzero(np.abs(np.frombuffer(first, np.int16)) > 200)
    assert loud[0] / SAMPLE_RATE_HZ <= 0.03
    assert 0.5 < loud.size / SAMPLE_RATE_HZ < 2.0


def frames() -> Iterable[rtc.AudioFrame]:
    """The first sentence of a recording that comes with moonshine, and some quiet."""
    path = resources.files("moonshine_voice") / "assets" / "two_cities.wav"
    with resources.as_file(path) as file, wave.open(str(file)) as sound:
        rate = sound.getframerate()
        pcm = np.frombuffer(sound.readframes(5 * rate), np.int16)
    pcm = np.concatenate([pcm, np.zeros(rate, np.int16)])
    step = rate // 20
    for start in range(0, len(pcm), step):
        part = pcm[start : start + step]
        yield rtc.AudioFrame(part.tobytes(), rate, 1, len(part))


@needs_moonshine
def test_moonshine_hears_interim_words_and_a_final_sentence() -> None:
    async def listen() -> list[stt.SpeechEvent]:
        stream = MoonshineSTT().stream()
        pushed = list(frames())
        for frame in pushed[:60]:
            stream.push_frame(frame)
        heard = [await anext(stream)]
        for frame in pushed[60:]:
            stream.push_frame(frame)
        stream.end_input()
        heard += [event async for event in stream]
        await stream.aclose()
        return heard

    heard = asyncio.run(asyncio.wait_for(listen(), 60))
    kinds = [event.type for event in heard]
    finals = [
        event.alternatives[0]
        for event in heard
        if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT
    ]
    assert stt.SpeechEventType.INTERIM_TRANSCRIPT in kinds
    assert "best of times" in " ".join(words.text for words in finals).lower()
    assert all(0 <= words.start_time < words.end_time for words in finals)
    usage = [event.recognition_usage for event in heard if event.recognition_usage]
    assert len(usage) == len(finals)


def test_the_intent_model_streams_words_then_the_call_then_usage() -> None:
    async def ask() -> list[llm.ChatChunk]:
        context = llm.ChatContext.empty()
        context.add_message(role="system", content="You answer the telephone.")
        context.add_message(role="user", content="I am not feeling well, I have a fever.")

        @llm.function_tool
        async def transfer_to_nurse(symptoms: str) -> str:
            """Hand over."""
            return symptoms

        model = IntentLLM(PHRASES)
        async with model.chat(chat_ctx=context, tools=[transfer_to_nurse]) as stream:
            return [chunk async for chunk in stream]

    chunks = asyncio.run(asyncio.wait_for(ask(), 30))
    said = "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta)
    calls = [call for chunk in chunks if chunk.delta for call in chunk.delta.tool_calls]
    assert said == PHRASES["to_nurse"]
    assert [(c.name, json.loads(c.arguments)) for c in calls] == [
        ("transfer_to_nurse", {"symptoms": "fever"})
    ]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == len(said.split()) + 2
