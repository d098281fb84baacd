"""Speech: as it was spoken, while its text is still being written, never ahead of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from livekit.agents import APIError, tts
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT

from tests.harness.tape.models import NO_RETRY, FakeTTS, wave
from tests.harness.tape.stage import Stage

Pieces = Sequence[tuple[float, str]]
PIECES: Pieces = ((0.0, "Hello there, "), (0.4, "how can "), (0.1, "I help?"))


class Heard:
    """Frames of a stream, with milliseconds."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int]] = []
        self.pcm = b""
        self.words: list[tuple[str, float]] = []
        self.metrics: list[tuple[int, float, int, float]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Heard) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.frames} {self.words} {self.metrics}"

    def take(self, now_us: int, audio: tts.SynthesizedAudio) -> None:
        self.frames.append((round(now_us / 1_000), audio.frame.samples_per_channel))
        self.pcm += bytes(audio.frame.data)
        for word in audio.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, []):
            start = word.start_time if isinstance(word.start_time, float) else -1.0
            self.words.append((str(word), round(start, 3)))


async def stream(
    stage: Stage, model: tts.TTS[Any], pieces: Pieces = PIECES, *, cut_s: float | None = None
) -> Heard:
    """Push text piece by piece, as an LLM would."""
    heard = Heard()

    def measured(m: Any) -> None:
        heard.metrics.append(
            (m.characters_count, m.audio_duration, m.output_tokens, m.acquire_time)
        )

    model.on("metrics_collected", measured)
    async with model.stream(conn_options=NO_RETRY) as speech:

        async def write() -> None:
            for wait_s, text in pieces:
                await asyncio.sleep(wait_s)
                speech.push_text(text)
            speech.end_input()

        async def hear() -> None:
            async for audio in speech:
                heard.take(stage.now_us(), audio)

        writing = asyncio.create_task(write())
        try:
            await asyncio.wait_for(hear(), cut_s)
        except TimeoutError:
            pass
        finally:
            writing.cancel()
    model.off("metrics_collected", measured)
    return heard


async def say(stage: Stage, model: tts.TTS[Any], text: str) -> Heard:
    """Speak a text that is there."""
    heard = Heard()

    def measured(m: Any) -> None:
        heard.metrics.append(
            (m.characters_count, m.audio_duration, m.output_tokens, m.acquire_time)
        )

    model.on("metrics_collected", measured)
    async with model.synthesize(text, conn_options=NO_RETRY) as speech:
        async for audio in speech:
            heard.take(stage.now_us(), audio)
    model.off("metrics_collected", measured)
    return heard


def test_streamed_speech_comes_again_with_its_words_and_metrics(stage: Stage) -> None:
    model = FakeTTS()
    live = stage.record(lambda: stream(stage, model))
    assert live.pcm == b"".join(wave(text) for _, text in PIECES)
    assert [word for word, _ in live.words] == [text for _, text in PIECES]
    assert live.frames[0][0] < 500, "speech begins while the text is still being written"
    assert stage.replay(lambda: stream(stage, model)) == live
    assert model.asked == 1
    assert (stage.notes[0]["origin"], stage.misses) == ("recorded", [])


def test_speech_waits_for_words_that_come_later(stage: Stage) -> None:
    model = FakeTTS()
    live = stage.record(lambda: stream(stage, model))
    late = [(wait_s + 1.0, text) for wait_s, text in PIECES]
    again = stage.replay(lambda: stream(stage, model, late))
    assert again.pcm == live.pcm
    assert again.frames[0][0] == live.frames[0][0] + 1_000
    assert again.frames[-1][0] == live.frames[-1][0] + 3_000


def test_other_pieces_of_the_same_text_are_the_same_text(stage: Stage) -> None:
    model = FakeTTS()
    live = stage.record(lambda: stream(stage, model))
    letters = [(0.01, letter) for letter in "Hello there,  how can I help?"]
    assert stage.replay(lambda: stream(stage, model, letters)).pcm == live.pcm


def test_two_texts_that_begin_alike_are_told_apart(stage: Stage) -> None:
    model = FakeTTS()
    other = ((0.0, "Hello there, "), (0.4, "who are you?"))

    async def main() -> list[bytes]:
        return [(await stream(stage, model, pieces)).pcm for pieces in (PIECES, other)]

    live = stage.record(main)

    async def swapped() -> list[bytes]:
        return [(await stream(stage, model, pieces)).pcm for pieces in (other, PIECES)]

    assert stage.replay(swapped) == live[::-1]
    assert model.asked == 2


def test_a_text_that_goes_on_differently_is_a_miss(stage: Stage) -> None:
    model = FakeTTS()
    stage.record(lambda: stream(stage, model))
    other = ((0.0, "Hello there, "), (0.4, "how can "), (0.1, "we help?"))
    with pytest.raises(APIError):
        stage.replay(lambda: stream(stage, model, other))
    (miss,) = stage.misses
    assert miss.reason == "it began like a recorded text and went on differently"
    assert miss.difference == "text Hello there, how can [-I-] {+we+} help?"


@pytest.mark.parametrize("more", [True, False])
def test_a_longer_or_shorter_text_is_a_miss(stage: Stage, more: bool) -> None:
    model = FakeTTS()
    stage.record(lambda: stream(stage, model))
    other = [*PIECES, (0.1, " Yes?")] if more else PIECES[:-1]
    with pytest.raises(APIError):
        stage.replay(lambda: stream(stage, model, other))
    assert len(stage.misses) == 1


def test_another_voice_is_a_miss_that_keeps_no_secret(stage: Stage) -> None:
    stage.record(lambda: stream(stage, FakeTTS(voice="anna")))
    with pytest.raises(APIError):
        stage.replay(lambda: stream(stage, FakeTTS(voice="bert")))
    assert stage.misses[0].difference == (
        'voice [-{"sample_rate":24000,"voice":"anna"}-] {+{"sample_rate":24000,"voice":"bert"}+}'
    )
    assert "secret" not in (stage.cassette / "index.jsonl").read_text()


def test_interrupted_speech_prefers_the_whole(stage: Stage) -> None:
    model = FakeTTS()

    async def main() -> None:
        await stream(stage, model, cut_s=0.3)
        await stream(stage, model)

    stage.record(main)
    assert [found.ending for found in stage.recorded().exchanges] in (
        ["cancelled", "done"],
        ["done", "cancelled"],
    )
    whole = stage.replay(lambda: stream(stage, model))
    assert whole.pcm == b"".join(wave(text) for _, text in PIECES)


def test_interrupted_speech_interrupted_again_is_no_miss(stage: Stage) -> None:
    model = FakeTTS()
    live = stage.record(lambda: stream(stage, model, cut_s=0.3))
    again = stage.replay(lambda: stream(stage, model, cut_s=0.35))
    assert again.frames == live.frames
    assert stage.misses == []
    with pytest.raises(APIError):
        stage.replay(lambda: stream(stage, model))
    assert "cut short" in stage.misses[0].reason


@pytest.mark.parametrize("mime", ["audio/pcm", "audio/wav"])
def test_speech_of_a_text_that_is_there(stage: Stage, mime: str) -> None:
    model = FakeTTS(streaming=False, mime=mime)
    live = stage.record(lambda: say(stage, model, "Good morning."))
    assert live.pcm.startswith(wave("Good morning."))
    again = stage.replay(lambda: say(stage, model, "Good  morning."))
    assert again.pcm == live.pcm
    if mime == "audio/pcm":  # decoded speech comes in other frames
        assert again.frames == live.frames
        assert again.metrics[0][1:] == live.metrics[0][1:]
        assert live.metrics[0][2] == 13, "tokens"
    assert model.asked == 1


def test_an_adapter_is_answered_sentence_by_sentence(stage: Stage) -> None:
    model = FakeTTS(streaming=False)
    pieces = ((0.0, "This is the first sentence of all. "), (0.3, "And this is the second one."))

    async def main() -> Heard:
        return await stream(stage, tts.StreamAdapter(tts=model), pieces)

    live = stage.record(main)
    assert len(stage.recorded().exchanges) == 2
    again = stage.replay(main)
    assert (again.pcm, again.frames, again.words) == (live.pcm, live.frames, live.words)
    assert model.asked == 2


def test_synthesize_by_stream_is_answered_once(stage: Stage) -> None:
    model = FakeTTS()

    class Both(FakeTTS):
        def synthesize(self, text: str, **options: Any) -> tts.ChunkedStream:
            return self._synthesize_with_stream(text, **options)

    both = Both()
    live = stage.record(lambda: say(stage, both, "Good morning."))
    assert len(stage.recorded().exchanges) == 1
    assert stage.replay(lambda: say(stage, both, "Good morning.")).pcm == live.pcm
    assert (both.asked, model.asked) == (1, 0)


def test_nothing_to_say_is_no_miss(stage: Stage) -> None:
    async def main() -> Heard:
        return await stream(stage, FakeTTS(), [])

    assert stage.replay(main).frames == []
    assert stage.misses == []


def test_record_asks_what_is_missing(stage: Stage) -> None:
    model = FakeTTS()
    stage.record(lambda: stream(stage, model))
    model.asked = 0
    short = ((0.0, "Hello there, "), (0.02, "stop."))

    async def main() -> list[bytes]:
        return [(await stream(stage, model, pieces)).pcm for pieces in (PIECES, short)]

    live = stage.replay(main, mode="record")
    assert live == [b"".join(wave(text) for _, text in pieces) for pieces in (PIECES, short)]
    assert model.asked == 1
    for path in (stage.directory / "new" / "blobs").iterdir():
        path.rename(stage.cassette / "blobs" / path.name)
    index = stage.cassette / "index.jsonl"
    added = (stage.directory / "new" / "index.jsonl").read_text()
    index.write_text(index.read_text() + added)
    assert stage.replay(main) == live
    assert (model.asked, stage.misses) == (1, [])


def test_nothing_is_warmed_up_for_a_cassette(stage: Stage) -> None:
    async def main() -> int:
        model = FakeTTS()
        model.prewarm()
        return model.warmed

    assert stage.replay(main) == 0
