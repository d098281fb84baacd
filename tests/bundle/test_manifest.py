"""The manifest against its published schema, its seal and its migrations."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate import bundle
from lkgate.bundle.events import decode_events
from lkgate.bundle.manifest import MAX_SAMPLES, amend, decode_manifest, encode_manifest
from lkgate.bundle.migrate import STEPS, Step, migrate
from lkgate.bundle.tree import MAX_FILE_BYTES
from lkgate.errors import BundleError
from lkgate.model.bundle import FORMAT
from lkgate.model.event import Json
from tests.bundle.sessions import make_bundle

Place = tuple[str | int, ...]

JUNK: list[Json] = [
    None,
    True,
    -1,
    0,
    1.5,
    "",
    "x",
    "../x",
    "0" * 64,
    [],
    [1],
    [[1, 2]],
    [[1, "2"]],
    {},
    {"a": 1},
    1 << 70,
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def raws(root: Path) -> list[dict[str, Json]]:
    """A recording's manifest and a baseline's: between them every field has a value."""
    return [
        json.loads((root / path).read_bytes())
        for path in ("manifest.json", "baseline/manifest.json")
    ]


def _places(value: Json, at: Place = ()) -> Iterator[Place]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*at, key))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, (*at, number))


def _spoiled(raw: dict[str, Json], place: Place, junk: Json, remove: bool) -> dict[str, Json]:
    value = copy.deepcopy(raw)
    holder: Json = value
    for part in place[:-1]:
        holder = holder[part]  # type: ignore[index]
    if remove:
        del holder[place[-1]]  # type: ignore[arg-type, union-attr]
    else:
        holder[place[-1]] = junk  # type: ignore[index]
    return value


def test_what_is_written_follows_the_schema(root: Path, raws: list[dict[str, Json]]) -> None:
    validator = jsonschema.Draft202012Validator(bundle.schema("manifest"))
    for raw in raws:
        assert list(validator.iter_errors(raw)) == []
    validator = jsonschema.Draft202012Validator(bundle.schema("event"))
    for line in (root / "events.jsonl").read_text("utf-8").splitlines():
        assert list(validator.iter_errors(json.loads(line))) == []


@pytest.mark.parametrize("name", ["manifest", "event", "labels"])
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(bundle.schema(name))


@settings(max_examples=600)
@given(data=st.data(), junk=st.sampled_from(JUNK), remove=st.booleans())
def test_what_the_schema_refuses_the_reader_refuses(
    raws: list[dict[str, Json]], data: st.DataObject, junk: Json, remove: bool
) -> None:
    raw = data.draw(st.sampled_from(raws))
    place = data.draw(st.sampled_from([at for at in _places(raw) if at != ("seal",)]))
    spoiled = _spoiled(raw, place, junk, remove)
    sealed = amend(json.dumps(spoiled).encode(), {})
    try:
        decode_manifest(sealed, "m")
    except BundleError as error:
        assert error.where == "m"
    else:
        validator = jsonschema.Draft202012Validator(bundle.schema("manifest"))
        assert list(validator.iter_errors(json.loads(sealed))) == []


@settings(max_examples=200)
@given(
    place=st.sampled_from(["t_us", "seq", "kind", "data"]),
    junk=st.sampled_from(JUNK),
    remove=st.booleans(),
)
def test_events_the_schema_refuses_the_reader_refuses(place: str, junk: Json, remove: bool) -> None:
    line = _spoiled({"t_us": 0, "seq": 0, "kind": "x", "data": {}}, (place,), junk, remove)
    try:
        decode_events(json.dumps(line).encode() + b"\n", "e")
    except BundleError:
        return
    assert list(jsonschema.Draft202012Validator(bundle.schema("event")).iter_errors(line)) == []


def test_reading_and_writing_are_inverse(root: Path) -> None:
    for path in (root / "manifest.json", root / "baseline" / "manifest.json"):
        data = path.read_bytes()
        assert encode_manifest(decode_manifest(data, "m")) == data


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "no JSON: Expecting value"),
        (b"\xff", "no JSON: 'utf-8' codec"),
        (b'{"a": 1, "a": 2}', "no JSON: an object has a key twice"),
        (b'{"a": NaN}', "no JSON: NaN is no JSON"),
        (b"[" * 100_000, "no JSON: nested too deeply"),
        (b"[]", "the file should be an object"),
        (b"{}", "min_reader is missing"),
        (b'{"min_reader": 1}', "seal is missing"),
        (b'{"min_reader": 1, "seal": "\\ud800"}', "seal should be a hex sha256"),
        (
            b'{"min_reader": 1, "x": "\\ud800", "seal": "' + b"0" * 64 + b'"}',
            "the manifest does not match its own seal",
        ),
    ],
)
def test_no_manifest(data: bytes, what: str) -> None:
    with pytest.raises(BundleError) as caught:
        decode_manifest(data, "m")
    assert caught.value.what.startswith(what)


def test_another_layout_of_the_same_json_is_not_the_manifest(root: Path) -> None:
    raw = json.loads((root / "manifest.json").read_bytes())
    with pytest.raises(BundleError, match="does not match its own seal"):
        decode_manifest(json.dumps(raw).encode(), "m")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        decode_manifest(data, "m")


def test_migration_goes_step_by_step() -> None:
    def named(name: str) -> Step:
        def step(raw: dict[str, Json]) -> dict[str, Json]:
            steps = raw.get("steps", [])
            assert isinstance(steps, list)
            return {**raw, "steps": [*steps, name]}

        return step

    steps: Mapping[int, Step] = {1: named("1 to 2"), 2: named("2 to 3")}
    assert migrate({"format": 1}, "m", steps=steps, target=3)["steps"] == ["1 to 2", "2 to 3"]
    assert migrate({"format": 2}, "m", steps=steps, target=3)["steps"] == ["2 to 3"]
    assert migrate({"format": 4}, "m", steps=steps, target=3) == {"format": 4}


def test_there_is_a_step_from_every_older_format() -> None:
    assert sorted(STEPS) == list(range(1, FORMAT))


@pytest.mark.parametrize("found", [None, 0, -1, "1", True])
def test_a_format_that_never_was(found: Json) -> None:
    with pytest.raises(BundleError, match="format should be a version number"):
        migrate({"format": found}, "m")


def test_a_day_of_a_track_fits(raws: list[dict[str, Json]]) -> None:
    day = 86_400 * 48_000
    assert 2 * day <= MAX_FILE_BYTES
    raw = copy.deepcopy(raws[0])
    tracks = raw["tracks"]
    assert isinstance(tracks, list) and isinstance(tracks[0], dict)
    validator = jsonschema.Draft202012Validator(bundle.schema("manifest"))
    for samples, fits in ((day, True), (MAX_SAMPLES, True), (MAX_SAMPLES + 1, False)):
        tracks[0]["samples"] = samples
        assert validator.is_valid(raw) == fits
        sealed = amend(json.dumps(raw).encode(), {})
        if fits:
            assert decode_manifest(sealed, "m").tracks[0].samples == samples
        else:
            with pytest.raises(BundleError, match=f"samples is {samples}, outside 0 to"):
                decode_manifest(sealed, "m")
