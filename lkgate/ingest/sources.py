"""What each file that the user named is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle.canonical import parse
from lkgate.errors import BundleError, ConfigError
from lkgate.ingest.egress import EgressManifest, read_manifest
from lkgate.ingest.report import SessionReport, is_report, read_report
from lkgate.ingest.transcript import Line, read_transcript
from lkgate.model.event import Json


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one call.

    Attributes:
        audio: in the order in which they were named, each with its egress manifest if it has one.
        report: LiveKit's session report.
        transcript: path and lines; ``None`` if there is none.
    """

    audio: tuple[tuple[Path, EgressManifest | None], ...]
    report: SessionReport | None
    transcript: tuple[Path, tuple[Line, ...]] | None


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read everything but the audio. ``.json`` is a report or an egress manifest, ``.jsonl`` a
    transcript, any other file audio.

    Raises:
        BundleError: if a file is missing, or is not what its name says.
        ConfigError: if the files are not those of one call.
    """
    audio: list[Path] = []
    reports: list[SessionReport] = []
    manifests: list[EgressManifest] = []
    transcripts: list[Path] = []
    for path in paths:
        _must_be_readable(path)
        suffix = path.suffix.lower()
        if suffix == ".jsonl":
            transcripts.append(path)
        elif suffix == ".json":
            value = _json(path)
            if is_report(value):
                reports.append(read_report(value, path))
            elif isinstance(value, dict) and "egress_id" in value:
                manifests.append(read_manifest(value, path))
            else:
                raise BundleError(
                    "neither a session report nor a manifest of LiveKit's egress",
                    where=str(path),
                    next_step="A transcript is JSON Lines, and its name ends with .jsonl.",
                )
        else:
            audio.append(path)
    _one_call(audio, reports, transcripts)
    return Sources(
        audio=_with_manifests(audio, manifests),
        report=reports[0] if reports else None,
        transcript=(transcripts[0], read_transcript(transcripts[0])) if transcripts else None,
    )


def _must_be_readable(path: Path) -> None:
    if not path.is_file():
        raise BundleError(
            "is no file" if path.exists() else "there is no such file",
            where=str(path),
            next_step="Name the files of one call; 'lkgate import --help' says which they may be.",
        )
    try:
        path.open("rb").close()
    except OSError as error:
        raise BundleError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _json(path: Path) -> Json:
    try:
        return parse(path.read_bytes())
    except ValueError as error:
        raise BundleError(
            f"no JSON: {error}",
            where=str(path),
            next_step="Copy it again from where it came. A transcript is JSON Lines, and its name "
            "ends with .jsonl.",
        ) from None


def _one_call(
    audio: Sequence[Path], reports: Sequence[SessionReport], transcripts: Sequence[Path]
) -> None:
    for kind, found in (
        ("session reports", [report.path for report in reports]),
        ("transcripts", transcripts),
    ):
        if len(found) > 1:
            raise ConfigError(
                f"two {kind}: {found[0]} and {found[1]}",
                next_step="One import is one call; import the calls one after the other.",
            )
    if reports and transcripts:
        raise ConfigError(
            f"{reports[0].path} already says who said what: {transcripts[0]} is one too many"
        )
    if not audio and not reports:
        raise ConfigError("no audio and no session report among the files: nothing to import")


def _with_manifests(
    audio: Sequence[Path], manifests: Sequence[EgressManifest]
) -> tuple[tuple[Path, EgressManifest | None], ...]:
    if len(audio) == len(manifests) == 1 and not manifests[0].names:
        return ((audio[0], manifests[0]),)
    found: dict[Path, EgressManifest] = {}
    for manifest in manifests:
        own = [path for path in audio if manifest.is_of(path)]
        if not own:
            names = ", ".join(manifest.names)
            raise ConfigError(
                "is an egress manifest of none of the files"
                + (f"; it names {names}" if names else ""),
                where=str(manifest.path),
                next_step="Name the file that the egress wrote as well, under its own name.",
            )
        found |= dict.fromkeys(own, manifest)
    return tuple((path, found.get(path)) for path in audio)
