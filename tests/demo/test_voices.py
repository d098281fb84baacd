from __future__ import annotations

import shutil

import numpy as np
import pytest

from lkgate.demo.make import live, voices
from lkgate.demo.make.calls import Noise, Script, ScriptLine

pytestmark = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("sox")),
    reason="flite and sox are not installed: apt-get install flite sox",
)


def test_a_voice_gives_the_same_samples_every_time() -> None:
    first = voices.speak("slt", "Good morning.")
    assert np.array_equal(first, voices.speak("slt", "Good morning."))
    assert abs(20 * np.log10(np.abs(first.astype(float)).max() / 32768) - voices.PEAK_DB) < 0.1
    assert 0.4 < first.size / voices.RATE_HZ < 1.5


def test_pauses_are_short_and_the_ends_are_tight() -> None:
    said = voices.speak("awb", "Good morning. I have a question.")
    loud = np.flatnonzero(np.abs(said.astype(int)) > voices.QUIET)
    assert np.diff(loud).max() / voices.RATE_HZ <= voices.PAUSE_S
    assert loud[0] / voices.RATE_HZ <= voices.EDGE_S


def test_a_noise_bed_lies_under_the_speech_by_the_ratio_asked_for() -> None:
    said = voices.speak("rms", "Good morning.")
    bed = voices.bed(Noise("city-ambience", 12.0), voices.rms(said))
    level = np.sqrt(np.mean(bed.astype(float) ** 2))
    assert 20 * np.log10(voices.rms(said) / level) == pytest.approx(12.0, abs=0.2)


def test_a_script_becomes_a_plan_with_its_anchors() -> None:
    lines = (
        ScriptLine("Good morning.", 700, False, 1, 1500),
        ScriptLine("Stop.", 1200, True, 2, 4000),
    )
    plan, pcm = live.stage(Script("two", "slt", None, lines, (), "none", {}))
    anchors = [said.anchor for said in plan.utterances]
    assert [(a.kind, a.delay_us, a.agent_segments, a.grace_us) for a in anchors] == [
        ("after_agent", 700_000, 1, 1_500_000),
        ("into_agent", 1_200_000, 2, 4_000_000),
    ]
    first = plan.utterances[0].span
    start, end = (t * voices.RATE_HZ // 1_000_000 for t in (first.start_us, first.end_us))
    assert abs(end - start - voices.speak("slt", "Good morning.").size) <= 1
    assert np.abs(pcm[start:end].astype(int)).max() > 10_000
    assert 0 < np.abs(pcm[:start].astype(int)).max() < 500
