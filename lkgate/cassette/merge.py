"""Parts of a live worker's processes, made one cassette in session time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lkgate.bundle.canonical import parse
from lkgate.cassette.blobs import Blobs
from lkgate.cassette.exchange import Exchange, encode
from lkgate.cassette.keys import key_of
from lkgate.cassette.packing import digests, unpack
from lkgate.cassette.part import PATTERN
from lkgate.cassette.store import INDEX
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.turn import Modality

# Fields of a response, or of an event in it, that are points in time.
_TIMES = ("t_us", "base_us", "closed_us", "speech_start_us", "speech_end_us")


@dataclass(frozen=True, slots=True)
class Merged:
    """What the parts held.

    Attributes:
        exchanges: how many were written, by modality.
        worker: ``agent_name`` and ``id``, ``None`` if no worker was registered.
        session: what the agent's session said about itself; empty if it said nothing.
        rooms: every room that the worker had a job in.
        lost: what could not be read: torn last lines of killed processes.
        unsupported: what took part that no cassette can hold (speech-to-speech models).
    """

    exchanges: Mapping[str, int]
    worker: Mapping[str, Json] | None
    session: Mapping[str, Json]
    rooms: tuple[str, ...]
    lost: tuple[str, ...]
    unsupported: tuple[str, ...]


@dataclass(slots=True)
class _Heap:
    lines: list[dict[str, Json]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def of(self, *kinds: str) -> list[dict[str, Json]]:
        return [line for line in self.lines if line["kind"] in kinds]


def merge(parts: Path, out: Path, *, started_at_unix_us: int, room: str | None) -> Merged:
    """Write ``out`` (a cassette's directory) from the parts in ``parts``.

    Without any exchange nothing is written.

    Args:
        started_at_unix_us: wall clock at the session's start.
        room: exchanges of jobs in other rooms are left out; ``None`` takes all.

    Raises:
        BundleError: a part is altered, or ``out`` holds a cassette already.
    """
    if (out / INDEX).exists():
        raise BundleError("there is a cassette already", where=str(out))
    heap = _read(parts)
    here = [line for line in heap.lines if room is None or line.get("room") in (room, None)]
    blobs, made = Blobs(parts), Blobs(out)
    found = [line for line in here if line["kind"] == "exchange"] + _streams(here)
    found.sort(key=lambda line: cast(int, line["t_us"]))
    ordinals: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    written: list[str] = []
    for line in found:
        modality = cast(Modality, line["modality"])
        request = cast("dict[str, Json]", line["request"])
        response = _shifted(cast("dict[str, Json]", line["response"]), started_at_unix_us)
        for digest in sorted(digests(request) | _audio(response)):
            made.put(blobs.get(digest))
        key = key_of(modality, unpack(request, blobs.get))
        ordinal = ordinals.get((modality, key), 0)
        ordinals[modality, key] = ordinal + 1
        counts[modality] = counts.get(modality, 0) + 1
        t_us = cast(int, line["t_us"]) - started_at_unix_us
        exchange = Exchange(modality, key, ordinal, t_us, request, response, "recorded")
        written.append(encode(exchange))
    if written:
        out.mkdir(parents=True, exist_ok=True)
        (out / INDEX).write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    workers = heap.of("worker")
    sessions = [line for line in here if line["kind"] == "session"]
    return Merged(
        exchanges=counts,
        worker=_facts(workers[-1]) if workers else None,
        session=_facts(sessions[0]) if sessions else {},
        rooms=tuple(sorted({str(line["room"]) for line in heap.lines if "room" in line})),
        lost=tuple(heap.lost),
        unsupported=tuple(
            sorted({str(line["what"]) for line in here if line["kind"] == "unsupported"})
        ),
    )


def read_worker(parts: Path) -> Mapping[str, Json] | None:
    """``agent_name`` and ``id`` of the worker that writes here, ``None`` before it is registered.

    For a recorder that waits for its worker; a line that is just being written is left for later.
    """
    workers = _read(parts).of("worker")
    return _facts(workers[-1]) if workers else None


def _read(parts: Path) -> _Heap:
    heap = _Heap()
    for path in sorted(parts.glob(PATTERN)):
        data = path.read_bytes()
        whole, _, rest = data.rpartition(b"\n")
        if rest:
            heap.lost.append(f"{path.name}: the last line is torn")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                value = parse(line)
            except ValueError as error:
                raise BundleError(f"no JSON: {error}", where=f"{path}:{number}") from None
            if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
                raise BundleError("not a line of a cassette's part", where=f"{path}:{number}")
            heap.lines.append(value)
    return heap


def _streams(lines: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Recognisers' streams, each as one exchange."""
    streams: dict[Json, dict[str, Json]] = {}
    events: dict[Json, list[Json]] = {}
    for line in lines:
        id = line.get("id")
        if line["kind"] == "listen":
            events[id] = []
            streams[id] = {
                "modality": "stt",
                "t_us": line["t_us"],
                "request": line["request"],
                "response": {
                    "ending": "cancelled",
                    "base_us": line["base_us"],
                    "closed_us": None,
                    "events": events[id],
                },
            }
        elif line["kind"] == "heard" and id in events:
            events[id].append(line["event"])
        elif line["kind"] == "listened" and id in streams:
            response = cast("dict[str, Json]", streams[id]["response"])
            response["ending"], response["closed_us"] = line["ending"], line["t_us"]
            if line["error"] is not None:
                response["error"] = line["error"]
    return list(streams.values())


def _shifted(response: dict[str, Json], by_us: int) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for name, value in response.items():
        if name in _TIMES and isinstance(value, int):
            made[name] = value - by_us
        elif name == "event" and isinstance(value, dict):
            made[name] = _shifted(value, by_us)
        elif name == "events" and isinstance(value, list):
            made[name] = [_shifted(event, by_us) for event in value if isinstance(event, dict)]
        else:
            made[name] = value
    return made


def _audio(response: Mapping[str, Json]) -> set[str]:
    audio = response.get("audio")
    return {str(audio["blob"])} if isinstance(audio, dict) else set()


def _facts(line: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in line.items() if name not in ("kind", "room", "job")}
