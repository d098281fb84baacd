"""Written calls."""

from __future__ import annotations

import numpy as np
import pytest

from lkgate.caller import decode_plan, encode_plan
from lkgate.caller.script import Line, after_agent, build, into_agent, room_tone


def test_lines_lie_on_the_bed_where_their_spans_say() -> None:
    bed = np.full(1000, 7, np.int16)
    lines = [
        Line(np.full(800, 1000, np.int16), after_agent()),
        Line(np.full(1600, 2000, np.int16), into_agent(900)),
    ]
    plan, pcm = build(lines, sample_rate_hz=8000, bed=bed)
    spans = [(u.span.start_us * 8 // 1000, u.span.end_us * 8 // 1000) for u in plan.utterances]
    assert spans == [(12_000, 12_800), (24_800, 26_400)]
    assert set(pcm[slice(*spans[0])]) == {1007}
    assert set(pcm[slice(*spans[1])]) == {2007}
    assert set(pcm[12_800:24_800]) == {7}
    assert [u.anchor.delay_us for u in plan.utterances] == [700_000, 900_000]


def test_a_line_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="line 0 holds no samples"):
        build([Line(np.zeros(0, np.int16), after_agent())], sample_rate_hz=8000)


def test_room_tone_has_its_level_and_is_the_same_each_time() -> None:
    tone = room_tone(16_000, level_dbfs=-40.0, seed=3)
    assert np.array_equal(tone, room_tone(16_000, level_dbfs=-40.0, seed=3))
    level = 20 * np.log10(np.sqrt(np.mean((tone / 32768) ** 2)))
    assert abs(level - -40.0) < 0.1


def test_a_plan_survives_the_way_through_json() -> None:
    lines = [Line(np.ones(800, np.int16), after_agent()), Line(np.ones(8, np.int16), into_agent())]
    plan, _ = build(lines, sample_rate_hz=8000, attributes={"sip.callID": "1"})
    assert decode_plan(encode_plan(plan)) == plan


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("pacing", "fast", "no such pacing: fast"),
        ("offset_us", None, "offset_us is an integer, not None"),
        ("utterances", {}, "utterances is a list, not {}"),
        ("utterances", [3], "an utterance is an object, not 3"),
    ],
)
def test_a_plan_that_is_none_is_refused(key: str, value: object, says: str) -> None:
    plan, _ = build([Line(np.ones(800, np.int16), after_agent())], sample_rate_hz=8000)
    data = encode_plan(plan) | {key: value}
    with pytest.raises(ValueError, match=says):
        decode_plan(data)  # type: ignore[arg-type]
