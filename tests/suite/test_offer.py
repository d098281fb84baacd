"""A replay offered as a baseline: what it is bound to, what is refused, what is written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lkgate import bundle
from lkgate.bundle.manifest import amend
from lkgate.errors import BundleError, ConfigError
from lkgate.gate.metrics import baseline_of, metric_versions
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.recordings import Recording, read_recordings
from lkgate.report.accepting import offered
from lkgate.suite import Offer, Signature, accept, offers
from tests.bundle.sessions import make_bundle, make_replay, write_journal

SIGNED = Signature("git's", date(2026, 3, 1), "asks first")
BUILD = BuildIdentity("v2", "f00", {"livekit": "1.1.21"})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Replays into v2: one, of ``call-1``."""
    recording = make_bundle(tmp_path / "made", baseline=False)
    made = make_replay(tmp_path / "made", bundle.read(recording))
    made.replace(tmp_path / "call-1")
    return tmp_path


def recorded(home: Path) -> Recording:
    path = home / "made" / "call-1"
    return Recording("call-1", path, bundle.read(path))


def offer(home: Path, identity: BuildIdentity | None = BUILD) -> Offer:
    return offers([recorded(home)], home, "v2", identity)[0]


def test_the_first_baseline_is_bound_and_signed(home: Path) -> None:
    first = offer(home)
    digest = first.bundle.manifest.digest
    assert offered([first]).plain == f"call-1: {digest[:12]} (v2), the first baseline\n"
    accept(first, SIGNED)
    path = home / "made" / "call-1"
    made = bundle.read_baseline(path)
    assert made is not None
    assert baseline_of(made).metric_versions == metric_versions()
    assert made.manifest.digest == digest
    assert made.manifest.build == BUILD
    assert made.manifest.recording_digest == bundle.verify(path).manifest.digest
    lines = (path / "baseline" / "manifest.json").read_text().splitlines()
    assert '    "by": "git\'s",' in lines
    assert '    "on": "2026-03-01",' in lines
    assert '    "reason": "asks first",' in lines
    assert '    "replaces": null' in lines


def test_the_same_replay_again_is_no_change(home: Path) -> None:
    accept(offer(home), SIGNED)
    again = offer(home)
    assert again.unchanged
    assert offered([again]).plain == f"call-1: {again.bundle.manifest.digest[:12]}, unchanged\n"


def versions(home: Path, changed: dict[str, int | None]) -> None:
    """The baseline as if accepted under other metrics; ``None`` is without one."""
    path = home / "made" / "call-1" / "baseline" / "manifest.json"
    accepted = json.loads(path.read_text())["accepted"]
    kept = {**accepted["metric_versions"], **changed}
    accepted["metric_versions"] = {name: one for name, one in kept.items() if one is not None}
    path.write_bytes(amend(path.read_bytes(), {"accepted": accepted}))


def test_other_metrics_bind_it_anew(home: Path) -> None:
    accept(offer(home), SIGNED)
    digest = offer(home).bundle.manifest.digest[:12]
    versions(home, {"response_latency": 0})
    found = offer(home)
    assert not found.unchanged
    assert offered([found]).plain == (
        f"call-1: {digest}, the same session, bound anew\n"
        "  stale: for rules on response_latency, whose definition changed since\n"
        "  nothing differs\n"
    )
    accept(found, SIGNED)
    versions(home, {"response_latency": None})
    assert offered([offer(home)]).plain == (
        f"call-1: {digest}, the same session, bound anew\n"
        "  1 metric it was accepted without\n"
        "  nothing differs\n"
    )


def test_a_baseline_of_another_recording_is_stale(home: Path) -> None:
    other = bundle.close_journal(write_journal(home / "j", {"id": "b"}), home / "b")
    bundle.strip_audio(make_replay(home / "b2", other), home / "made" / "call-1" / "baseline")
    found = offer(home)
    assert found.stale == ("it was made from another state of the recording",)
    accept(found, SIGNED)
    assert offer(home).unchanged


def test_a_damaged_baseline_is_replaced(home: Path) -> None:
    accept(offer(home), SIGNED)
    path = home / "made" / "call-1"
    manifest = path / "baseline" / "manifest.json"
    manifest.write_text("<<<<<<< HEAD\n" + manifest.read_text())
    with pytest.raises(BundleError) as caught:
        bundle.read(path)
    assert caught.value.next_step == (
        "Get it again from where it came, or replace it: "
        "lkgate replay call-1 --against BUILD --no-gate && lkgate accept call-1 --build BUILD"
    )
    recording = read_recordings([path], baselines=False)[0]
    found = offers([recording], home, "v2", BUILD)[0]
    head, why = offered([found]).plain.splitlines()
    assert head.endswith(" (v2), in place of one that cannot be read")
    assert why.startswith(f"  stale: {manifest}: no JSON: ")
    accept(found, SIGNED)
    assert offer(home).unchanged
    (path / "baseline" / "events.jsonl").unlink()
    accept(offers([recording], home, "v2", BUILD)[0], SIGNED)
    assert offer(home).unchanged


def refused(home: Path, identity: BuildIdentity | None = BUILD) -> str:
    with pytest.raises((BundleError, ConfigError)) as caught:
        offer(home, identity)
    return str(caught.value)


def test_what_is_not_there_any_more_is_not_accepted(home: Path) -> None:
    again = "\n  Run `lkgate replay call-1 --against v2` again."
    assert refused(home, replace(BUILD, digest="f01")) == (
        f"{home}/call-1: the program of 'v2' was changed since this replay{again}"
    )
    assert refused(home, replace(BUILD, versions={"livekit": "2"})) == (
        f"{home}/call-1: the packages of 'v2' have other versions than in this replay{again}"
    )
    assert offer(home, None).before is None
    shutil.rmtree(home / "made" / "call-1")
    bundle.close_journal(write_journal(home / "j", {"id": "b"}), home / "made" / "call-1")
    assert refused(home) == f"{home}/call-1: this replay was made from another recording{again}"
    shutil.rmtree(home / "call-1")
    assert refused(home) == (
        "there is no replay of 'call-1' into 'v2'\n  Run `lkgate replay call-1 --against v2` first."
    )


def test_an_archive_has_no_room_for_a_baseline(home: Path) -> None:
    archive = home / "call-1.lkb"
    bundle.pack(home / "made" / "call-1", archive)
    with pytest.raises(ConfigError, match="an archive has no room for it"):
        offers([Recording("call-1", archive, bundle.read(archive))], home, "v2", BUILD)
