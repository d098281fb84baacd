"""Pages of the demo's calls, with sound made of tones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from lkgate.model.verdict import Verdict
from lkgate.report.html import Heard, Page, Sources, render
from lkgate.report.html.sound import _encoded


@cache
def tone(seconds: int = 60) -> Heard:
    at = np.arange(12_000 * seconds)
    pcm = (8000 * np.sin(at * 0.2)).astype(np.int16)
    wave = tuple(0.5 if i % 7 else 0.0 for i in range(600))
    return Heard(wave, wave[::-1], _encoded(pcm, pcm))


def sources(verdict: Verdict, heard: Heard) -> dict[str, Sources]:
    return {
        one.call: Sources(
            heard={"recording": heard, "candidate": heard},
            recorded=one.baseline_turns,
            durations_us={
                "recording": 60_000_000, "baseline": 60_000_000, "candidate": 66_000_000,
            },
        )
        for one in verdict.calls
    }  # fmt: skip


def page(verdict: Verdict, *, build: str = "v3", budget_bytes: int = 24_000_000) -> Page:
    return render(
        verdict,
        build=build,
        digest="0123456789abcdef0123",
        sources=sources(verdict, tone()),
        beside="report-audio",
        budget_bytes=budget_bytes,
    )


def many(verdict: Verdict, times: int) -> Verdict:
    """The same calls so often, each under a name of its own."""
    calls = tuple(
        replace(one, call=f"{one.call}-{number}")
        for number in range(times)
        for one in verdict.calls
    )
    return replace(verdict, calls=calls)
