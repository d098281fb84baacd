"""Whatever stands in a report: it is imported, or refused in words."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkgate.bundle import read
from lkgate.errors import LkgateError
from lkgate.ingest import ImportOptions, import_call
from lkgate.measure import measure, turns_of
from lkgate.model.event import Json
from tests.ingest.conftest import Recorded

JUNK: list[Json] = [
    None, True, -1, 0, 3.5, 10**400, -(10**30), 1e17, "", "\ud800", "NaN", [], [None], {}, {"a": 1},
]  # fmt: skip

Place = tuple[str | int, ...]


def places(value: Json, at: Place = ()) -> list[Place]:
    """Every place in a JSON value, the whole of it first."""
    found = [at]
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*at, index))
    return found


def put(value: Json, at: Place, new: Json) -> Json:
    if not at:
        return new
    inner = value
    for step in at[:-1]:
        inner = inner[step]  # type: ignore[index]
    inner[at[-1]] = new  # type: ignore[index]
    return value


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_report_with_junk_anywhere(
    tmp_path: Path, recorded: Recorded, data: st.DataObject
) -> None:
    report: Json = json.loads(recorded.report.read_text())
    assert isinstance(report, dict)
    # One event of each kind: the others would only take most of the examples.
    kinds = {event["type"]: event for event in report["events"]}  # type: ignore[index, call-overload, union-attr]
    report["events"] = list(kinds.values())
    at = data.draw(st.sampled_from(places(report)))
    spoilt = put(copy.deepcopy(report), at, data.draw(st.sampled_from(JUNK)))
    work = tmp_path / str(len(list(tmp_path.iterdir())))
    work.mkdir()
    path = work / "report.json"
    path.write_text(json.dumps(spoilt))
    try:
        import_call(ImportOptions((path,), work / "out"))
    except LkgateError as error:
        assert str(error)
        assert [found.name for found in work.iterdir()] == ["report.json"]
        return
    bundle = read(work / "out")
    measure(bundle, turns_of(bundle), None)
