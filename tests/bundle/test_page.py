"""docs/bundle-format.md names what the schemas and the code have, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from lkgate.bundle import labels, manifest, read, reader
from lkgate.bundle.archive import SUFFIX
from lkgate.bundle.events import EVENTS, decode_events
from lkgate.bundle.manifest import CASSETTES, MANIFEST, ROLES, SOURCES
from lkgate.capture.session import SessionDecoder
from lkgate.cassette import blobs, exchange, store
from lkgate.model.bundle import FORMAT, Track
from lkgate.model.event import Json
from lkgate.model.turn import Modality

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/bundle-format.md").read_text("utf-8")
GOLDEN = Path(__file__).parent / "golden" / f"format-{FORMAT}"
# Calls that write an event, and the place of its kind among their arguments.
WRITERS = {"note": 0, "_note": 0, "_note_of": 1, "append": 0}
# `lkgate.listen` makes events of a bundle's sound, in memory alone.
CODE = ("bundle", "caller", "capture", "harness", "record", "rooms")


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return str(found)


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def column(text: str, number: int) -> list[str]:
    """The names in a column of the tables of a text."""
    lines = [line.split("|") for line in text.splitlines() if re.match(r"\| (?!---)", line)]
    return [name for line in lines for name in names(line[number])]


def properties(schema: Json, *path: str) -> set[str]:
    for step in (*path, "properties"):
        assert isinstance(schema, dict)
        schema = schema[step]
    assert isinstance(schema, dict)
    return set(schema)


def written(package: str) -> Iterator[str]:
    """The kinds of events that a package's code writes."""
    for path in (ROOT / "lkgate" / package).rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            node.targets[0].id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _kinds(node, named)
            elif package == "capture" and isinstance(node, ast.Assign) and _is_kind(node):
                yield from _texts(node.value)


def _kinds(call: ast.Call, named: Mapping[str, object]) -> Iterator[str]:
    place = WRITERS.get(getattr(call.func, "attr", getattr(call.func, "id", "")))
    if place is None or len(call.args) <= place:
        return
    given = call.args[place]
    if isinstance(given, ast.Tuple):  # (t_us, kind, data)
        given = given.elts[1]
    kind = named.get(given.id) if isinstance(given, ast.Name) else getattr(given, "value", None)
    if isinstance(kind, str) and re.fullmatch(r"(lkgate\.)?[a-z]+(_[a-z]+)*", kind):
        yield kind


def _is_kind(line: ast.Assign) -> bool:
    return getattr(line.targets[0], "id", None) == "kind"


def _texts(value: ast.expr) -> Iterator[str]:
    for node in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_kinds_of_events_are_those_that_are_written() -> None:
    # A session's events come by the names that LiveKit has for them.
    found = set(SessionDecoder(None)._decoders)
    for package in CODE:
        found |= set(written(package))
    listed = column(section("`events.jsonl`"), 2) + column(section("`events.jsonl`"), 1)
    assert sorted(listed) == sorted(found)


def test_what_the_recordings_hold_is_listed() -> None:
    listed = set(names(section("`events.jsonl`")))
    for path in (ROOT / "recordings").rglob("events.jsonl"):
        events = decode_events(path.read_bytes(), str(path))
        assert {event.kind for event in events} <= listed


def test_fields_are_the_schemas() -> None:
    about = section("`manifest.json`")
    schema = dict(labels.schema("manifest"))
    assert sorted(column(about, 1)) == sorted(properties(schema))
    track = ("$defs", "track")
    fields = properties(schema, *track) | properties(schema, *track, "properties", "clock")
    named = set(names(about.partition("A track has")[2]))
    assert named - set(ROLES) == fields | {"[start_us, end_us]"}
    assert properties(schema, "$defs", "file") <= set(names(about))
    assert set(SOURCES) | set(CASSETTES) <= set(names(about))
    head = section("`events.jsonl`").partition("|")[0]
    line = properties(dict(labels.schema("event")))
    assert line == set(names(head)) - {"lkgate show BUNDLE --events"}


def test_files_are_the_codes() -> None:
    kept = f"{reader.CASSETTE}/{blobs.DIRECTORY}/"
    assert column(section("Files"), 1) == [
        MANIFEST,
        EVENTS,
        "audio/<track>.flac",
        f"{reader.CASSETTE}/{store.INDEX}",
        kept,
        reader.LABELS,
        f"{reader.BASELINE}/",
    ]
    assert {blobs.ZLIB, blobs.FLAC} <= set(names(section("Files")))
    assert f"This is format {FORMAT}." in PAGE and f"## `{SUFFIX}`" in PAGE


def test_a_cassettes_line_is_the_codes() -> None:
    said = set(names(section("`cassette/index.jsonl`")))
    words = {*get_args(Modality), *get_args(exchange.Origin), *get_args(exchange.Ending), "ending"}
    assert said == words | set(exchange.Exchange.__dataclass_fields__)


def test_the_digest_covers_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    golden = read(GOLDEN).manifest
    core: dict[str, Json] = {}

    def taken(value: dict[str, Json]) -> str:
        core.update(value)
        return ""

    monkeypatch.setattr(manifest, "compact", taken)
    manifest.session_digest(golden, "0" * 64)
    (row,) = [line for line in section("Digests").splitlines() if line.startswith("| `digest`")]
    said = set(names(row.split("|")[2])) - {EVENTS}
    assert said == set(core) - {"events_sha256", "tracks"}
    assert "of each track all but file, speech and clock" in row
    assert isinstance(core["tracks"], list) and isinstance(core["tracks"][0], dict)
    left_out = set(Track.__dataclass_fields__) - set(core["tracks"][0])
    assert left_out == {"path", "absent_reason", "speech", "speech_method", "clock"}
