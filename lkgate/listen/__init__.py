"""What only the sound of a session tells, as events of its bundle: in memory, never on disk.

The metrics that need them are pure functions of events like all others; this is where somebody
listens. Levels need nothing; the quality of speech and what a voice truly said need local models
(the extra ``quality``), whose weights come inside their packages: nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from lkgate.bundle import read_pcm
from lkgate.listen.levels import levels
from lkgate.listen.track import Heard, Sounds, noted
from lkgate.model.bundle import Bundle
from lkgate.model.measurement import Evidence

LISTENED: tuple[Evidence, ...] = ("levels", "speech_quality", "spoken")


def listen(path: Path, bundle: Bundle, wanted: Collection[Evidence]) -> Bundle:
    """A bundle with the events that its sound tells of.

    Args:
        path: of the bundle on disk. Tracks whose audio was left out stay unheard.
        wanted: what is asked for; only of :data:`LISTENED`, all else is ignored.

    Raises:
        ConfigError: the extra ``quality`` is asked for and not installed.
        BundleError: the audio is not as it was recorded.
    """
    if not set(wanted) & set(LISTENED):
        return bundle
    tracks = [
        Sounds(track, read_pcm(path, track))
        for track in bundle.manifest.tracks
        if track.path is not None and track.role in ("caller", "agent")
    ]
    return noted(bundle, _heard(tracks, wanted))


def _heard(tracks: list[Sounds], wanted: Collection[Evidence]) -> Iterator[Heard]:
    # Imported here: models cost seconds and memory, and most gates ask for none.
    if "levels" in wanted:
        yield from levels(tracks)
    if "speech_quality" in wanted:
        from lkgate.listen.quality import quality

        yield from quality(tracks)
    if "spoken" in wanted:
        from lkgate.listen.spoken import spoken

        yield from spoken(tracks)
