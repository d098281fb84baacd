"""Where everything lies on the session's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lkgate.errors import BundleError
from lkgate.ingest.egress import EgressManifest
from lkgate.ingest.report import SessionReport
from lkgate.ingest.sound import Sound
from lkgate.ingest.transcript import Line

# Two files of one recorder end with the same block.
_SAME_LENGTH_US = 100_000
# A call is not longer; files of two calls are.
_LONGEST_US = 24 * 3_600_000_000
# Encoders pad their last block.
_LATE_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """Session time 0, and where the files begin.

    Attributes:
        started_at_unix_us: wall clock at session time 0, ``None`` if no source tells.
        offsets_us: of the first sample of each file, in order.
        apart: files whose beginnings are known from an egress's clock only.
    """

    started_at_unix_us: int | None
    offsets_us: tuple[int, ...]
    apart: bool


def place(
    sounds: Sequence[tuple[Sound, EgressManifest | None]], report: SessionReport | None
) -> Timeline:
    """Session time 0 is the first thing that any source knows of.

    Raises:
        BundleError: if files that must have begun together did not end together, or the sources
            cannot be of one call.
    """
    starts = [_start(sound, manifest, report) for sound, manifest in sounds]
    _same_length([sound for sound, start in zip(sounds, starts, strict=True) if start is None])
    known = [start for start in starts if start is not None]
    known += [event.unix_us for event in report.events] if report else []
    began = min(known, default=None)
    if began is None:
        return Timeline(None, (0,) * len(sounds), apart=False)
    if None in starts:
        nameless = sounds[starts.index(None)][0]
        raise BundleError(
            "nothing tells when it began, and the other files have times",
            where=str(nameless.source),
            next_step="Name its egress manifest as well.",
        )
    if max(known) - began > _LONGEST_US:
        days = (max(known) - began) / 86_400e6
        raise BundleError(
            f"the times in the sources lie {days:.1f} days apart: they are not of one call",
            where=str(report.path) if report else str(sounds[0][0].source),
        )
    offsets = tuple(start - began for start in starts if start is not None)
    by_egress = [manifest for _, manifest in sounds if manifest is not None]
    return Timeline(began, offsets, apart=bool(by_egress) and len(sounds) > 1)


def _start(
    sound: Sound, manifest: EgressManifest | None, report: SessionReport | None
) -> int | None:
    if manifest is not None and manifest.started_at_unix_us is not None:
        return manifest.started_at_unix_us
    if report is None:
        return None
    start = report.audio_started_at_unix_us
    if start is None:
        raise BundleError(
            f"{report.path} says that its session recorded no audio: nothing tells when this began",
            where=str(sound.source),
        )
    if start + sound.duration_us > report.written_at_unix_us + _LATE_US:
        told = (report.written_at_unix_us - start) / 1e6
        raise BundleError(
            f"lasts {sound.duration_us / 1e6:.1f} s, and {report.path} was written "
            f"{told:.1f} s after its audio began: they are not of one call",
            where=str(sound.source),
        )
    return start


def _same_length(files: Sequence[tuple[Sound, EgressManifest | None]]) -> None:
    sounds = [sound for sound, _ in files]
    lengths = [sound.duration_us for sound in sounds]
    if lengths and max(lengths) - min(lengths) > _SAME_LENGTH_US:
        told = " and ".join(f"{s.source} {s.duration_us / 1e6:.1f} s" for s in sounds)
        raise BundleError(
            f"files of different lengths: {told}",
            next_step="They must have begun together: pad one with silence where it lacks sound.",
        )


def check_transcript(lines: Sequence[Line], end_us: int, where: str) -> None:
    """Refuse words that were said after the audio's end.

    Raises:
        BundleError: names the first such line.
    """
    for line in lines:
        if line.span.end_us > end_us + _LATE_US:
            raise BundleError(
                f"{line.text!r} ends at {line.span.end_us / 1e6:.1f} s, and the audio after "
                f"{end_us / 1e6:.1f} s: they are not of one call, or times are not in seconds",
                where=where,
            )
