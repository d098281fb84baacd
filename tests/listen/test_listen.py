"""Listening to a bundle: levels and clipping by arithmetic, models against their own packages."""

from __future__ import annotations

import importlib
import math
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lkgate.bundle import Journal, close_journal, read, read_pcm
from lkgate.errors import ConfigError
from lkgate.listen import listen, models, quality
from lkgate.listen.levels import clipped, level_dbfs
from lkgate.listen.track import Sounds, joined, wave
from lkgate.measure import measure, turns_of
from lkgate.model.bundle import Span
from lkgate.model.measurement import Evidence
from tests.measure.builders import track

RATE = 24_000
LEVELS: tuple[Evidence, ...] = ("levels",)
SPOKEN: tuple[Evidence, ...] = ("spoken",)
RECORDING = Path(__file__).parents[2] / "recordings" / "emergency"


def tone(seconds: float, amplitude: float, hz: float = 440.0, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.round(amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def test_level() -> None:
    assert level_dbfs(np.full(100, -32_768, dtype=np.int16)) == 0.0
    assert level_dbfs(tone(1, 32_767)) == pytest.approx(10 * math.log10(0.5), abs=0.01)
    assert level_dbfs(tone(1, 3_276.8)) == pytest.approx(-23.01, abs=0.01)
    assert level_dbfs(np.zeros(100, dtype=np.int16)) is None


def test_clipping_is_three_in_a_row() -> None:
    def count(*samples: int) -> int:
        return clipped(np.array(samples, dtype=np.int16))

    full = 32_767
    assert count(0, full, full, full, 0, full, full, 0) == 3
    assert count(-32_768, -32_768, -32_768, -32_768) == 4
    assert count(full, -32_768, full) == 3
    assert count(full, full) == 0
    assert count(*[32_000] * 9) == 0
    assert count() == 0


def test_cut_is_by_session_time() -> None:
    sounds = Sounds(track("caller"), np.arange(RATE, dtype=np.int16))
    assert list(sounds.cut(Span(500_000, 500_125))) == [12_000, 12_001, 12_002]
    assert len(sounds.cut(Span(900_000, 1_900_000))) == RATE // 10
    assert len(sounds.cut(Span(5_000_000, 6_000_000))) == 0


def test_joined_over_short_pauses_up_to_a_length() -> None:
    speech = [Span(0, 10), Span(15, 20), Span(40, 50), Span(52, 70)]
    assert joined(speech, bridge_us=5, longest_us=100) == [Span(0, 20), Span(40, 70)]
    assert joined(speech, bridge_us=5, longest_us=25) == [Span(0, 20), Span(40, 50), Span(52, 70)]
    assert joined([], bridge_us=5, longest_us=5) == []


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_another_rate_is_the_same_tone(rate: int) -> None:
    heard = wave(tone(1, 16_384, 440, rate), rate)
    assert len(heard) == 16_000
    middle = slice(1_000, 15_000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(heard - expected)[middle].max() < 0.01
    assert len(wave(np.zeros(0, dtype=np.int16), rate)) == 0


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """The caller too loud, the agent at -23 dB; neither has words."""
    journal = Journal.create(
        tmp_path / "open",
        header={"id": "a-call", "source": "record", "room": "clinic", "started_at_unix_us": 1},
    )
    for role, amplitude in (("caller", 60_000), ("agent", 3_276.8)):
        made = journal.track(
            role,
            role="caller" if role == "caller" else "agent",
            participant=role,
            sid=f"TR_{role}",
            sample_rate_hz=RATE,
            offset_us=0,
        )
        loud = np.clip(
            amplitude * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), -32_768, 32_767
        ).astype("<i2")
        made.write(np.concatenate([np.zeros(RATE, "<i2"), loud, np.zeros(RATE, "<i2")]).tobytes())
    journal.finish(duration_us=3_000_000)
    close_journal(tmp_path / "open", tmp_path / "a-call")
    return tmp_path / "a-call"


def test_levels_become_events_and_metrics(call: Path) -> None:
    bundle = read(call)
    assert listen(call, bundle, ("session", "labels")) is bundle
    heard = listen(call, bundle, LEVELS)
    events = heard.of_kind("lkgate.audio_level")
    assert [event.data["role"] for event in events] == ["caller", "agent"]
    assert [event.seq for event in heard.events] == list(range(len(heard.events)))
    found = measure(heard, turns_of(heard), None)
    assert found["agent_level"].value == pytest.approx(-23.0, abs=0.2)
    # |sin| above 32767 / 60000 for 63 % of the time, both sides together half of that
    assert found["clipped_audio"].value == pytest.approx(0.315, abs=0.02)
    assert found["clipped_audio"].samples[0].note == "caller"
    assert measure(bundle, turns_of(bundle), None)["agent_level"].missing


def test_audio_that_was_left_out_is_not_heard() -> None:
    baseline = RECORDING / "baseline"
    bundle = read(baseline)
    heard = listen(baseline, bundle, LEVELS)
    assert heard.events == bundle.events


def test_models_that_are_not_installed() -> None:
    with pytest.raises(ConfigError, match="no_such_package is not installed"):
        models.directory_of("no_such_package")
    with pytest.raises(ConfigError, match="no_such_package is not installed"), models.needed():
        importlib.import_module("no_such_package")


@pytest.fixture
def speechmos(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.SimpleNamespace]:
    """The package itself; what it imports for other things than are compared here is left out."""
    monkeypatch.setitem(sys.modules, "librosa", types.ModuleType("librosa"))
    requests = types.ModuleType("requests")
    requests.session = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "requests", requests)
    dnsmos, plcmos = (importlib.import_module(f"speechmos.{name}") for name in ("dnsmos", "plcmos"))
    yield types.SimpleNamespace(dnsmos=dnsmos, plcmos=plcmos)
    for name in [one for one in sys.modules if one.split(".")[0] == "speechmos"]:
        del sys.modules[name]


def test_ratings_are_the_packages_own(speechmos: types.SimpleNamespace) -> None:
    bundle = read(RECORDING)
    caller = bundle.tracks("caller")[0]
    sounds = Sounds(caller, read_pcm(RECORDING, caller))
    span = joined(caller.speech, bridge_us=700_000, longest_us=9_010_000)[0]
    heard = wave(sounds.cut(span), caller.sample_rate_hz)
    weights = models.directory_of("speechmos")
    dns = quality._network(str(weights / "dnsmos_models" / "sig_bak_ovr.onnx"))
    theirs = speechmos.dnsmos.DNSMOS.__new__(speechmos.dnsmos.DNSMOS)
    raw = dns.run(None, {"input_1": np.resize(heard, quality.WINDOW)[np.newaxis, :]})[0][0]
    expected = theirs.get_polyfit_val(*raw, False)
    assert quality.dnsmos(dns, heard) == pytest.approx(expected, abs=1e-3)
    plc = speechmos.plcmos.PLCMOS()
    features = plc.stft_transform(heard)
    assert np.allclose(quality._log_spectrum(heard), features, atol=1e-4)
    silence = np.zeros(16_000, dtype=np.float32)
    assert np.allclose(quality._log_spectrum(silence), plc.stft_transform(silence), atol=1e-4)


def test_noise_is_rated_below_speech() -> None:
    weights = models.directory_of("speechmos")
    dns = quality._network(str(weights / "dnsmos_models" / "sig_bak_ovr.onnx"))
    plc = quality._network(str(weights / "plcmos_models" / "plcmos_v2.onnx"))
    bundle = read(RECORDING)
    agent = bundle.tracks("agent")[0]
    span = agent.speech[0]
    clean = wave(Sounds(agent, read_pcm(RECORDING, agent)).cut(span), agent.sample_rate_hz)
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(clean)).astype(np.float32)
    holes = clean.copy()
    for at in range(0, len(holes), 3_200):
        holes[at : at + 800] = 0
    assert quality.dnsmos(dns, clean)[2] > quality.dnsmos(dns, clean + noise)[2] + 0.5
    assert quality.plcmos(plc, clean) > quality.plcmos(plc, holes) + 0.5
    assert quality.plcmos(plc, clean) == quality.plcmos(plc, clean)


def test_a_voice_says_what_its_text_says() -> None:
    bundle = read(RECORDING)
    heard = listen(RECORDING, bundle, SPOKEN)
    assert {event.data["role"] for event in heard.of_kind("lkgate.spoken")} == {"agent"}
    found = measure(heard, turns_of(heard), None)["spoken_word_error_rate"]
    assert found.value is not None
    assert found.n == len([turn for turn in turns_of(bundle) if turn.role == "agent"])
    assert found.value < 0.2
