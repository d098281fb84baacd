"""Speech quality as people would rate it, without a reference: DNSMOS and PLCMOS.

Reddy, Gopal, Cutler: "DNSMOS P.835" (2022), and Diener, Purin, Sootla, Saabas, Aichner, Cutler:
"PLCMOS" (2023); weights of Microsoft's package speechmos. Both rate from 1 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lkgate.listen.models import directory_of, needed
from lkgate.listen.track import MODEL_HZ, Heard, Sounds, Wave, joined, wave

# What DNSMOS looks at: 9.01 s, and shorter speech again and again.
WINDOW = int(9.01 * MODEL_HZ)
_WINDOW_US = 9_010_000
_BRIDGE_US = 700_000
# Less speech than this has no quality of its own.
_LEAST_US = 1_000_000
# From the models' own numbers to ratings: signal, background, overall (speechmos, dnsmos.py).
_POLYNOMIALS = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)
# PLCMOS asks so many raters that it makes up; always the same ones here.
_RATERS = 15
_SEED = 0

Array = npt.NDArray[np.float32]


class Network(Protocol):
    """What is needed of ``onnxruntime.InferenceSession``."""

    def run(self, outputs: None, inputs: dict[str, Array]) -> list[Array]: ...


def quality(tracks: Sequence[Sounds]) -> Iterator[Heard]:
    """An event ``lkgate.speech_quality`` for each stretch of speech of a second and more.

    Raises:
        ConfigError: the extra ``quality`` is not installed.
    """
    weights = directory_of("speechmos")
    dns = _network(str(weights / "dnsmos_models" / "sig_bak_ovr.onnx"))
    plc = _network(str(weights / "plcmos_models" / "plcmos_v2.onnx"))
    for sounds in tracks:
        for span in joined(sounds.track.speech, bridge_us=_BRIDGE_US, longest_us=_WINDOW_US):
            if span.duration_us < _LEAST_US:
                continue
            heard = wave(sounds.cut(span), sounds.track.sample_rate_hz)
            signal, background, overall = dnsmos(dns, heard)
            data = {
                **sounds.about(span),
                "signal": signal,
                "background": background,
                "overall": overall,
                "packet_loss": plcmos(plc, heard),
            }
            yield Heard(span.end_us, "lkgate.speech_quality", data)


def dnsmos(network: Network, heard: Wave) -> tuple[float, float, float]:
    """Ratings of the signal, of the background, and overall, of up to 9 s of speech."""
    window = np.resize(heard, WINDOW).astype(np.float32)
    raw = network.run(None, {"input_1": window[np.newaxis, :]})[0][0]
    signal, background, overall = (
        round(float(np.polyval(by, value)), 3) for by, value in zip(_POLYNOMIALS, raw, strict=True)
    )
    return signal, background, overall


def plcmos(network: Network, heard: Wave) -> float:
    """The mean rating of what the repair of lost packets left."""
    raters = np.random.default_rng(_SEED).normal(size=(_RATERS, 1, 64)).astype(np.float32)
    spectrum = _log_spectrum(heard)[np.newaxis, np.newaxis]
    ratings = [
        float(np.ravel(network.run(None, {"degraded_audio": spectrum, "rater_embed": rater})[0])[0])
        for rater in raters
    ]
    return round(float(np.mean(ratings)), 3)


def _log_spectrum(heard: Wave) -> Array:
    """As PLCMOS was taught: 512-point Hamming windows, half overlapping, log power (plcmos.py)."""
    size, hop = 512, 256
    window = np.hamming(size + 1)[:-1]
    frames = -(-(len(heard) + hop) // hop)
    padded = np.zeros((frames - 1) * hop + size)
    padded[hop : hop + len(heard)] = heard
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:frames]
    power = np.abs(np.fft.rfft(cut * window, n=size)) ** 2
    some = power > 0
    if not some.any():
        return np.full(power.shape, -8.0 / np.log10(np.e) / 20.0, dtype=np.float32)
    least = np.log(power[some].min()) - 12.0 / np.log10(np.e)
    logged = np.where(some, np.log(power, where=some, out=np.zeros_like(power)), least)
    features: Array = (logged / 20.0).astype(np.float32)
    return features


def _network(path: str) -> Network:
    with needed():
        import onnxruntime
    options = onnxruntime.SessionOptions()
    # One order of sums on every machine.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    network: Network = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    return network
