"""How long the voice took for what it said: from the cassette, as events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from lkgate.bundle.reader import CASSETTE_INDEX, open_tree
from lkgate.cassette import Exchange, pick
from lkgate.cassette.exchange import decode
from lkgate.listen.track import Heard, noted
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json

SYNTHESIS = "lkgate.synthesis"
_BYTES = 2  # a sample's


def spoken_for(recording: Path) -> tuple[Exchange, ...]:
    """What the recorded call's voice was asked, and what came back; empty without a cassette.

    Raises:
        BundleError: the recording or its cassette is damaged.
    """
    tree = open_tree(recording)
    if CASSETTE_INDEX not in tree.sizes:
        return ()
    where = f"{recording}/{CASSETTE_INDEX}"
    found = [
        decode(line, f"{where}:{number}")
        for number, line in enumerate(tree.read(CASSETTE_INDEX).splitlines(), 1)
    ]
    return tuple(one for one in found if one.modality == "tts")


def synthesis(bundle: Bundle, exchanges: Sequence[Exchange]) -> Bundle:
    """A bundle with an event for each speech that the voice made in the session.

    Args:
        exchanges: of the recording itself, or of the one that a replay was made from: it takes as
            long as it took then. What was answered otherwise took a time that nobody measured.
    """
    return noted(bundle, _made(bundle, exchanges)) if exchanges else bundle


def _made(bundle: Bundle, exchanges: Sequence[Exchange]) -> Iterator[Heard]:
    if bundle.manifest.source != "replay":
        for one in exchanges:
            yield Heard(one.t_us, SYNTHESIS, _taken(one))
        return
    by_key: dict[str, list[Exchange]] = defaultdict(list)
    for one in sorted(exchanges, key=lambda one: one.ordinal):
        by_key[one.key].append(one)
    asked: Counter[str] = Counter()
    for event in bundle.of_kind("lkgate.model_answer"):
        if event.data.get("modality") != "tts":
            continue
        key = str(event.data.get("key"))
        answer = pick(by_key[key], asked[key])
        asked[key] += 1
        if event.data.get("origin") == "recorded" and answer is not None:
            yield Heard(event.t_us, SYNTHESIS, _taken(answer))
        else:
            yield Heard(event.t_us, SYNTHESIS, {"took_us": None, "audio_us": None})


def _taken(one: Exchange) -> dict[str, Json]:
    if one.origin == "derived":
        return {"took_us": None, "audio_us": None}
    return {"took_us": one.response.get("took_us"), "audio_us": _audio_us(one)}


def _audio_us(one: Exchange) -> int:
    """How long what was made lasts: the operations name its bytes, so no sound need be decoded."""
    audio = one.response.get("audio")
    if not isinstance(audio, dict):
        return 0
    ops = cast(list[list[Json]], one.response.get("ops", []))
    ends = [cast(int, op[-1]) for op in ops if op[0] in ("push", "frame")]
    rate = cast(int, audio["sample_rate_hz"]) * cast(int, audio["channels"]) * _BYTES
    return max(ends, default=0) * 1_000_000 // rate
