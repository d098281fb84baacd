"""Bundles of every format ever published stay readable, and stay what they were.

The files under ``golden`` are never made again: a test that fails here is a change that breaks
the bundles that people have.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate import bundle
from lkgate.model.event import Event
from lkgate.model.label import ExpectedTool, Labels
from tests.bundle.sessions import silence, tone

GOLDEN = Path(__file__).parent / "golden"

DIGESTS = {
    "format-1": (
        "61e260b231c7bccf12aac0f2c10b3891261d9dab687fdfad32b9191f22c5c32f",
        "e99ca854ab0c78dd1813159bfc1bf199a0a5d2b4b126cff8d081ae59d19608ca",
    ),
}


def test_every_golden_bundle_is_read() -> None:
    assert {path.name.removesuffix(".lkb") for path in GOLDEN.glob("format-*")} == set(DIGESTS)


@pytest.mark.parametrize("suffix", ["", ".lkb"])
@pytest.mark.parametrize("name", DIGESTS)
def test_a_golden_bundle_is_what_it_was(name: str, suffix: str) -> None:
    path = GOLDEN / (name + suffix)
    found = bundle.verify(path)
    baseline = bundle.read_baseline(path)
    assert baseline is not None
    assert (found.manifest.digest, baseline.manifest.digest) == DIGESTS[name]


@pytest.mark.parametrize("suffix", ["", ".lkb"])
def test_the_content_of_format_1(suffix: str) -> None:
    path = GOLDEN / f"format-1{suffix}"
    found = bundle.read(path)
    manifest = found.manifest
    assert (manifest.id, manifest.source, manifest.room) == ("call-1", "record", "clinic")
    assert (manifest.started_at_unix_us, manifest.duration_us) == (1_700_000_000_000_000, 500_000)
    assert (manifest.session, manifest.cassette) == ({"vad": "silero", "min_delay": 0.5}, "full")
    assert found.events == (
        Event(0, 0, "connected", {"room": "clinic", "sid": "RM_1"}),
        Event(200_000, 1, "user_state_changed", {"old_state": "a", "new_state": "b"}),
        Event(250_000, 2, "transcription", {"text": "¿Qué tal?", "final": True}),
        Event(250_000, 3, "agent_state_changed", {"old_state": "a", "new_state": "b"}),
    )
    assert found.labels == Labels(
        reviewed=True,
        caller=("Hello.",),
        tools=(ExpectedTool("book", {"day": "monday", "people": 2}),),
        outcome="booked",
        cohort={"language": "en", "noise": "no"},
    )
    caller, agent = manifest.tracks
    assert (caller.role, caller.participant, caller.sid) == ("caller", "ann", "TR_1")
    assert (agent.role, agent.participant, agent.sid) == ("agent", "agent-7", None)
    assert bundle.read_pcm(path, caller).tolist() == [*tone(200).tolist(), *silence(300).tolist()]
    assert bundle.read_pcm(path, agent).tolist() == [*silence(250).tolist(), *tone(150).tolist()]


def test_a_golden_directory_packs_to_its_archive(tmp_path: Path) -> None:
    for name in DIGESTS:
        bundle.pack(GOLDEN / name, tmp_path / name)
        assert (tmp_path / name).read_bytes() == (GOLDEN / f"{name}.lkb").read_bytes()
