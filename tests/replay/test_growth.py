"""A cassette that grows, and a process that dies while it does, at every step."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lkgate.bundle import read, reseal
from lkgate.cassette.store import Cassette
from lkgate.errors import BundleError
from lkgate.replay.growth import grow_cassette
from tests.bundle.sessions import LABELS
from tests.replay.recorded import record

TEXT = b"a text that is long enough to shrink " * 40
BLOB = hashlib.sha256(TEXT).hexdigest()
# What changes a disk, as the interpreter announces it before it does so.
STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")


def exchange(key: str, **response: object) -> str:
    made = {"modality": "llm", "key": key, "ordinal": 0, "t_us": 0, "origin": "live"}
    made |= {"request": {}, "response": {"ending": "done", **response}}
    return json.dumps(made, ensure_ascii=False) + "\n"


def new_exchanges(directory: Path) -> Path:
    (directory / "blobs").mkdir(parents=True)
    (directory / "blobs" / BLOB).write_bytes(TEXT)
    lines = exchange("b", text="one\u2028two") + exchange("c")
    (directory / "index.jsonl").write_text(lines, encoding="utf-8")
    return directory


def content(recording: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(recording)): path.read_bytes()
        for path in sorted(recording.rglob("*"))
        if path.is_file()
    }


def dies(work: Callable[[], object], below: Path, step: int) -> bool:
    """Run ``work`` in a child that is gone before its ``step``-th change of the disk below."""
    child = os.fork()
    if child == 0:
        left = step

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event not in STEPS or not str(arguments[0]).startswith(str(below)):
                return
            left -= 1
            if left < 0:
                os._exit(9)

        code = 1
        try:
            sys.addaudithook(hook)
            work()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def test_exchanges_are_added_behind_those_that_are_there(tmp_path: Path) -> None:
    path = record(tmp_path, "one")
    had = (path / "cassette/index.jsonl").read_bytes()
    grown = grow_cassette(path, new_exchanges(tmp_path / "new"))
    assert grown == read(path)
    now = (path / "cassette/index.jsonl").read_bytes()
    assert now.startswith(had)
    cassette = Cassette.open(path / "cassette")
    assert [found.key for found in cassette.exchanges] == ["a", "b", "c"]
    assert cassette.exchanges[1].response["text"] == "one\u2028two"
    assert cassette.blob(BLOB) == TEXT
    assert [entry.name for entry in (path / "cassette/blobs").iterdir()] == [f"{BLOB}.z"]
    assert grow_cassette(path, new_exchanges(tmp_path / "again")) is None


@pytest.mark.parametrize("cassette", [True, False], ids=["grows", "first"])
def test_a_death_at_any_step_is_mended_by_a_seal(tmp_path: Path, cassette: bool) -> None:
    source = record(tmp_path, "one", cassette=cassette)
    old = content(source)
    whole = shutil.copytree(source, tmp_path / "whole")
    grow_cassette(whole, new_exchanges(tmp_path / "new"))
    new = content(whole)
    step, states = 0, set()
    while True:
        path = shutil.copytree(source, tmp_path / f"at-{step}" / "one")
        made = new_exchanges(tmp_path / f"new-{step}")
        if not dies(partial(grow_cassette, path, made), path, step):
            assert content(path) == new
            break
        try:
            read(path)
        except BundleError as error:
            assert f"lkgate seal {path}" in str(error)
        reseal(path)
        index = read(path) and content(path).get("cassette/index.jsonl")
        assert index in (old.get("cassette/index.jsonl"), new["cassette/index.jsonl"])
        states.add(index)
        if index == new["cassette/index.jsonl"]:
            assert content(path) == new
        else:
            grow_cassette(path, new_exchanges(tmp_path / f"again-{step}"))
            assert content(path) == new
        step += 1
    assert len(states) == 2
    assert step > 10


def test_a_seal_that_dies_is_mended_by_another(tmp_path: Path) -> None:
    source = record(tmp_path, "one")
    (source / "labels.yaml").write_text(LABELS)
    whole = shutil.copytree(source, tmp_path / "whole")
    reseal(whole)
    step = 0
    while True:
        path = shutil.copytree(source, tmp_path / f"at-{step}" / "one")
        if not dies(partial(reseal, path), path, step):
            break
        try:
            read(path)
        except BundleError as error:
            assert f"lkgate seal {path}" in str(error)
        reseal(path)
        assert content(path) == content(whole)
        step += 1
    assert step > 3
