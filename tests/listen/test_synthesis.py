"""How long the voice took, as the cassette tells it."""

from __future__ import annotations

from pathlib import Path

from lkgate.bundle import read, read_baseline
from lkgate.cassette import Exchange
from lkgate.listen.synthesis import SYNTHESIS, spoken_for, synthesis
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from tests.measure.builders import bundle, span
from tests.measure.measuring import measured

RECORDING = Path(__file__).parents[2] / "recordings" / "book"


def exchange(key: str, ordinal: int, took_us: int, ending: str = "done") -> Exchange:
    # one second of stereo at 8 kHz
    ops: list[Json] = [
        ["initialize", 1, [4, 0, True], False, 200],
        ["push", 5, [4, 0, True], 0, 8_000],
        ["push", 9, [4, 0, True], 8_000, 32_000],
        ["flush", 9, [4, 0, True]],
    ]
    audio: Json = {"blob": "b", "channels": 2, "sample_rate_hz": 8_000}
    response: dict[str, Json] = {"ending": ending, "took_us": took_us, "audio": audio, "ops": ops}
    return Exchange("tts", key, ordinal, 500_000, {}, response, "recorded")


def answered(*answers: tuple[str, str]) -> Bundle:
    return bundle(
        caller=[span(3, 4)],
        agent=[span(1, 2), span(5, 6)],
        events=[
            (0.1 + at, "lkgate.model_answer", {"modality": "tts", "key": key, "origin": origin})
            for at, (key, origin) in enumerate(answers)
        ],
    )


def made(session: Bundle) -> list[tuple[int, Json, Json]]:
    return [(e.t_us, e.data["took_us"], e.data["audio_us"]) for e in session.of_kind(SYNTHESIS)]


def test_replayed_speech_took_what_it_took_when_it_was_recorded() -> None:
    tape = (exchange("a", 1, 700_000), exchange("a", 0, 500_000), exchange("b", 0, 900_000))
    session = synthesis(answered(("a", "recorded"), ("b", "recorded"), ("a", "recorded")), tape)
    assert made(session) == [
        (100_000, 500_000, 1_000_000),
        (1_100_000, 900_000, 1_000_000),
        (2_100_000, 700_000, 1_000_000),
    ]
    assert measured("tts_real_time_factor", session).value == 0.7


def test_speech_that_nobody_recorded_is_a_hole() -> None:
    session = synthesis(answered(("a", "recorded"), ("new", "policy")), (exchange("a", 0, 1),))
    found = measured("tts_real_time_factor", session)
    assert [sample.status for sample in found.samples] == ["measured", "absent"]


def test_without_a_cassette_nothing_is_known() -> None:
    session = synthesis(answered(("a", "live")), ())
    assert measured("tts_real_time_factor", session).missing


def test_recorded_call_and_its_replay_agree() -> None:
    tape = spoken_for(RECORDING)
    recorded, replayed = read(RECORDING), read_baseline(RECORDING)
    assert replayed is not None
    of_recording = made(synthesis(recorded, tape))
    of_replay = made(synthesis(replayed, tape))
    assert len(of_recording) == len(tape) > 0
    assert {took for _, took, _ in of_replay} <= {took for _, took, _ in of_recording}
    # 106,550 bytes at 24 kHz, 16 bit
    assert (337_870, 1_392_028, 106_550 * 1_000_000 // 48_000) in of_recording
