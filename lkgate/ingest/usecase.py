"""``import_call``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import Journal, close_journal
from lkgate.errors import BundleError
from lkgate.ingest.absent import absences
from lkgate.ingest.roles import Channel, Voice, assign
from lkgate.ingest.session_events import Data, translate
from lkgate.ingest.sound import decode
from lkgate.ingest.sources import Sources, read_sources
from lkgate.ingest.timeline import Timeline, check_transcript, place
from lkgate.model.bundle import Role
from lkgate.secret import Secrets

_COPY_BYTES = 1 << 20
_NO_SECRETS = Secrets()

Event = tuple[int, str, Data]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import and where to put it.

    Attributes:
        sources: the files of one call: audio, and what was written beside it.
        out: the bundle's directory; must not exist yet.
        id: the session's name, ``None``: the name of ``out``.
        channels: who is on which channel, over all audio files in order; ``None``: as the sources
            say (see :func:`lkgate.ingest.roles.assign`).
        allow_truncated: take audio that was cut off up to where it goes.
    """

    sources: tuple[Path, ...]
    out: Path
    id: str | None = None
    channels: tuple[Channel, ...] | None = None
    allow_truncated: bool = False


def import_call(
    options: ImportOptions,
    *,
    secrets: Secrets = _NO_SECRETS,
    on_warning: Callable[[str], None] = lambda _: None,
) -> Path:
    """Make a bundle of a call that something else recorded, and return its directory.

    What the sources cannot give is in the manifest's ``absent``, with the reason; metrics that
    need it have no data.

    Args:
        secrets: what the bundle may not hold.
        on_warning: called with a sentence about what the bundle lacks to be replayed.

    Raises:
        BundleError: if a source is not what it should be, or ``out`` cannot be written.
        ConfigError: if the sources, or ``channels``, do not fit together.
    """
    if options.out.exists():
        raise BundleError(
            "already exists",
            where=str(options.out),
            next_step="Choose another place with --out, or move it away.",
        )
    sources = read_sources(options.sources)
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".import-") as work:
            return _import(options, sources, Path(work), secrets, on_warning)
    except OSError as error:
        raise BundleError(f"cannot be written: {error.strerror}", where=str(options.out)) from None


def _import(
    options: ImportOptions,
    sources: Sources,
    work: Path,
    secrets: Secrets,
    on_warning: Callable[[str], None],
) -> Path:
    sounds = []
    for number, (path, manifest) in enumerate(sources.audio):
        (work / str(number)).mkdir()
        sound = decode(path, work / str(number), allow_truncated=options.allow_truncated)
        sounds.append((sound, manifest))
    voices = assign(sounds, channels=options.channels, reported=sources.report is not None)
    timeline = place(sounds, sources.report)
    absent = absences(sources, voices, timeline)
    journal = Journal.create(
        work,
        header={
            "id": options.id or options.out.name,
            "source": "import",
            "room": _room(sources),
            "started_at_unix_us": timeline.started_at_unix_us,
            "session": secrets.hide_in(dict(sources.report.facts)) if sources.report else {},
            "absent": dict(absent),
        },
        secrets=secrets,
    )
    offsets = dict(zip([sound.source for sound, _ in sounds], timeline.offsets_us, strict=True))
    ends = [_write(journal, voice, name, offsets) for voice, name in _names(voices)]
    for t_us, kind, data in _events(sources, voices, timeline, max(ends, default=0)):
        journal.event(t_us, kind, data)
        ends.append(t_us)
    journal.finish(duration_us=max(ends, default=0))
    close_journal(work, options.out)
    for side in ("caller_audio", "agent_audio", "alignment"):
        if side in absent:
            on_warning(f"no {side.replace('_', ' ')}: {absent[side]}")
    return options.out


def _room(sources: Sources) -> str:
    if sources.report is not None:
        return sources.report.room
    return next((manifest.room for _, manifest in sources.audio if manifest is not None), "")


def _names(voices: Sequence[Voice]) -> Iterator[tuple[Voice, str]]:
    """Each voice with its track's name: ``caller``, ``agent``, ``agent-2``, ``mixed``."""
    seen: dict[str, int] = {}
    for voice in voices:
        stem = "mixed" if voice.mixed else voice.role
        seen[stem] = seen.get(stem, 0) + 1
        yield voice, stem if seen[stem] == 1 else f"{stem}-{seen[stem]}"


def _write(journal: Journal, voice: Voice, name: str, offsets: dict[Path, int]) -> int:
    """Session time of the track's end."""
    sound, manifest = voice.sound, voice.manifest
    offset_us = offsets[sound.source]
    track = journal.track(
        name,
        role=voice.role,
        participant=_participant(voice, name),
        sid=manifest.track_sid if manifest is not None else None,
        sample_rate_hz=sound.sample_rate_hz,
        offset_us=offset_us,
    )
    with voice.pcm.open("rb") as file:
        while pcm := file.read(_COPY_BYTES):
            track.write(pcm)
    return offset_us + sound.duration_us


def _participant(voice: Voice, name: str) -> str:
    told = voice.manifest.publisher if voice.manifest is not None else None
    return told or name


def _events(
    sources: Sources, voices: Sequence[Voice], timeline: Timeline, end_us: int
) -> Iterator[Event]:
    who: dict[Role, str] = {}
    for voice, name in _names(voices):
        who.setdefault(voice.role, _participant(voice, name))
    report = sources.report
    if report is not None:
        began = timeline.started_at_unix_us
        assert began is not None  # the report's own events have times
        for event in report.events:
            data = translate(
                event.kind, event.data, started_at_unix_us=began, where=str(report.path)
            )
            t_us = event.unix_us - began
            told_by: Data = {"identity": who.get("agent", "agent"), "created_us": t_us}
            yield t_us, event.kind, {**data, **told_by}
    if sources.transcript is not None:
        path, lines = sources.transcript
        if not voices:
            return
        begin_us = min(timeline.offsets_us)
        check_transcript(lines, end_us - begin_us, str(path))
        for number, line in enumerate(lines):
            # A transcription of the room is known when it is final: at its end.
            yield (
                begin_us + line.span.end_us,
                "transcription",
                {
                    "identity": who.get(line.speaker, line.speaker),
                    "segment_id": f"line-{number}",
                    "track_sid": None,
                    "final": True,
                    "text": line.text,
                    "started_us": begin_us + line.span.start_us,
                },
            )
