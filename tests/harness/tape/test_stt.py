"""Speech recognition: what was heard follows the caller's utterances."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from livekit.agents import APIError, stt
from livekit.agents.stt import SpeechEvent, SpeechEventType

from lkgate.model.bundle import Span
from lkgate.model.plan import Anchor, CallerPlan, PlannedUtterance
from tests.harness.tape.models import NO_RETRY, FakeSTT, final, silence
from tests.harness.tape.stage import Stage

Heard = list[tuple[int, str, str, float]]
START = SpeechEvent(SpeechEventType.START_OF_SPEECH)
USAGE = SpeechEvent(
    SpeechEventType.RECOGNITION_USAGE, recognition_usage=stt.RecognitionUsage(audio_duration=1.5)
)


def plan(*spans_s: tuple[float, float]) -> CallerPlan:
    anchor = Anchor("start", 0, 0)
    return CallerPlan(
        sample_rate_hz=16_000,
        offset_us=0,
        utterances=tuple(
            PlannedUtterance(index, Span(round(a * 1e6), round(b * 1e6)), anchor)
            for index, (a, b) in enumerate(spans_s)
        ),
        hangup_after_us=1_000_000,
        pacing="anchored",
        patience_us=20_000_000,
        identity="caller",
        attributes={},
    )


def placed(*starts_s: float) -> Callable[[int], int | None]:
    return lambda index: round(starts_s[index] * 1e6) if index < len(starts_s) else None


async def listen(
    stage: Stage,
    model: stt.STT[Any],
    *,
    until_s: float = 12.0,
    from_s: float = 0.0,
    deaf: tuple[float, float] = (99, 99),
) -> Heard:
    """Push silence in pieces of 50 ms; what was heard, when (ms), and its words' start."""
    heard: Heard = []
    await asyncio.sleep(from_s - stage.now_us() / 1e6)
    async with model.stream(conn_options=NO_RETRY) as stream:

        async def hear() -> None:
            async for event in stream:
                data = event.alternatives[0] if event.alternatives else None
                at_ms = round(stage.now_us() / 1_000)
                start = round(data.start_time, 3) if data else 0.0
                heard.append((at_ms, event.type.value, data.text if data else "", start))

        hearing = asyncio.create_task(hear())
        while stage.now_us() < until_s * 1e6 and not hearing.done():
            if not deaf[0] <= stage.now_us() / 1e6 < deaf[1]:
                stream.push_frame(silence(0.05))
            await asyncio.sleep(0.05)
        if not hearing.done():
            stream.end_input()
        await hearing
    return heard


SCRIPT = (
    (0.5, SpeechEvent(SpeechEventType.END_OF_SPEECH)),
    (2.2, START),
    (3.5, final("good morning", 2.0, 3.0)),
    (3.5, USAGE),
    (7.4, final("goodbye", 6.0, 7.0)),
)
PLAN = plan((2.0, 3.0), (6.0, 7.0))


def test_without_a_plan_everything_keeps_its_time(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)
    usage: list[float] = []
    model.on("metrics_collected", lambda m: usage.append(m.audio_duration))
    live = stage.record(lambda: listen(stage, model))
    assert live == [
        (500, "end_of_speech", "", 0.0),
        (2200, "start_of_speech", "", 0.0),
        (3500, "final_transcript", "good morning", 2.0),
        (3500, "recognition_usage", "", 0.0),
        (7400, "final_transcript", "goodbye", 6.0),
    ]
    assert stage.replay(lambda: listen(stage, model)) == live
    assert (model.asked, usage) == (1, [1.5, 1.5])
    assert stage.notes[0]["origin"] == "recorded"


def test_what_was_heard_moves_with_what_is_said(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)
    stage.record(lambda: listen(stage, model))
    again = stage.replay(lambda: listen(stage, model), plan=PLAN, placed=placed(3.0, 5.5))
    assert again == [
        (500, "end_of_speech", "", 0.0),
        (3200, "start_of_speech", "", 0.0),
        (4500, "final_transcript", "good morning", 3.0),
        (4500, "recognition_usage", "", 0.0),
        (6900, "final_transcript", "goodbye", 5.5),
    ]


def test_times_in_words_count_from_the_stream_that_hears_them(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)
    stage.record(lambda: listen(stage, model))
    again = stage.replay(
        lambda: listen(stage, model, from_s=1.5), plan=PLAN, placed=placed(3.0, 5.5)
    )
    assert [event[3] for event in again if event[2]] == [1.5, 4.0]
    assert again[0] == (3200, "start_of_speech", "", 0.0), "nobody listened at 0.5 s"


def test_an_utterance_that_is_never_said_is_never_heard(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)
    stage.record(lambda: listen(stage, model))
    again = stage.replay(lambda: listen(stage, model), plan=PLAN, placed=placed(3.0))
    assert [event[2] for event in again if event[2]] == ["good morning"]


def test_without_audio_nothing_is_heard(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)
    stage.record(lambda: listen(stage, model))
    again = stage.replay(lambda: listen(stage, model, deaf=(4.0, 9.0)))
    assert [event[0] for event in again if event[2] == "goodbye"] == [9000]


def test_after_a_handoff_the_next_stream_hears_what_comes(stage: Stage) -> None:
    model = FakeSTT(SCRIPT)

    async def handoff(at_s: float) -> Heard:
        first = await listen(stage, model, until_s=at_s)
        return first + await listen(stage, model, from_s=at_s)

    stage.record(lambda: listen(stage, model))
    again = stage.replay(lambda: handoff(5.0))
    assert [event[2] for event in again if event[2]] == ["good morning", "goodbye"]
    assert [event[0] for event in again if event[2]] == [3500, 7400]


def test_streams_open_together_hear_their_own(stage: Stage) -> None:
    one = FakeSTT([(2.0, final("one", 1.0, 2.0))])
    two = FakeSTT([(3.0, final("two", 1.0, 2.0))])

    async def both() -> list[list[str]]:
        found = await asyncio.gather(listen(stage, one), listen(stage, two))
        return [[event[2] for event in heard] for heard in found]

    assert stage.record(both) == [["one"], ["two"]]
    assert stage.replay(both) == [["one"], ["two"]]


def test_another_recogniser_is_a_miss(stage: Stage) -> None:
    other = FakeSTT(SCRIPT, language="de")

    async def open_twice() -> None:
        for _ in range(2):
            with pytest.raises(APIError):
                await listen(stage, other)

    stage.record(lambda: listen(stage, FakeSTT(SCRIPT)))
    stage.replay(open_twice)
    assert [miss.difference for miss in stage.misses] == ["language [-en-] {+de+}"]


def test_wall_clock_in_an_event_moves_too(stage: Stage) -> None:
    ends: list[float] = []
    event = final("good morning", 2.0, 3.0)

    async def main() -> None:
        model = FakeSTT([(3.5, event)])
        async with model.stream(conn_options=NO_RETRY) as stream:
            event.speech_end_time = time.time() - 0.5
            for number in range(100):
                asyncio.get_running_loop().call_later(number / 20, stream.push_frame, silence(0.05))
            async for heard in stream:
                assert heard.speech_end_time is not None
                ends.append(round(time.time() - heard.speech_end_time, 1))
                await asyncio.sleep(3)
                break

    stage.record(main)
    stage.replay(main)
    assert ends == [0.5, 0.5]


async def pieces(stage: Stage, model: stt.STT[Any], *ends_s: float) -> list[tuple[int, str]]:
    heard: list[tuple[int, str]] = []
    for end_s in ends_s:
        await asyncio.sleep(end_s - stage.now_us() / 1e6)
        event = await model.recognize(silence(1.0), conn_options=NO_RETRY)
        heard.append((round(stage.now_us() / 1_000), event.alternatives[0].text))
    return heard


def test_pieces_are_heard_by_the_utterance_they_belong_to(stage: Stage) -> None:
    model = FakeSTT(pieces=["good morning", "goodbye"])
    live = stage.record(lambda: pieces(stage, model, 3.2, 7.2))
    assert live == [(3500, "good morning"), (7500, "goodbye")]
    again = stage.replay(lambda: pieces(stage, model, 4.2, 9.3), plan=PLAN, placed=placed(3.0, 8.0))
    assert again == [(4500, "good morning"), (9600, "goodbye")]
    skipped = stage.replay(lambda: pieces(stage, model, 9.3), plan=PLAN, placed=placed(3.0, 8.0))
    assert skipped == [(9600, "goodbye")]
    assert (model.asked, stage.misses) == (2, [])


def test_a_piece_of_an_utterance_never_heard_is_a_miss(stage: Stage) -> None:
    model = FakeSTT(pieces=["good morning"])
    stage.record(lambda: pieces(stage, model, 3.2))
    with pytest.raises(APIError):
        stage.replay(lambda: pieces(stage, model, 9.3), plan=PLAN, placed=placed(3.0, 8.0))
    assert len(stage.misses) == 1


def test_nothing_is_warmed_up_for_a_cassette(stage: Stage) -> None:
    async def main() -> int:
        model = FakeSTT(SCRIPT)
        model.prewarm()
        return model.warmed

    assert stage.replay(main) == 0
