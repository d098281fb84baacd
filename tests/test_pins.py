"""Actions of others are pinned: to a commit, the same one everywhere, with the version it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "action.yml",
    *sorted((ROOT / ".github/workflows").glob("*.yml")),
    ROOT / "docs" / "ci.md",
]
_USES = re.compile(r"^[ -]*uses: *(\S+)(?: +# *(\S+).*)?$", re.MULTILINE)
_PIN = re.compile(r"[\w.-]+(?:/[\w.-]+)+@([0-9a-f]{40})")
_VERSION = re.compile(r"v\d+\.\d+\.\d+")


def uses(text: str) -> list[tuple[str, str]]:
    """What a file uses of others: action with pin, and the comment's first word."""
    ours = ("./", "OWNER/lkgate@REF")
    return [(used, said) for used, said in _USES.findall(text) if not used.startswith(ours)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    for used, said in uses(path.read_text("utf-8")):
        assert _PIN.fullmatch(used), used
        assert _VERSION.fullmatch(said), f"{used}: {said}"


def test_no_use_is_overlooked() -> None:
    for path in FILES:
        if path.suffix == ".yml":
            value = yaml.safe_load(path.read_text("utf-8"))
            assert len(_USES.findall(path.read_text("utf-8"))) == _count(value), path.name


def _count(value: object) -> int:
    if isinstance(value, dict):
        return sum((key == "uses") + _count(one) for key, one in value.items())
    return sum(map(_count, value)) if isinstance(value, list) else 0


def test_one_version_is_one_commit_everywhere() -> None:
    seen: dict[str, set[tuple[str, str]]] = {}
    for path in FILES:
        for used, said in uses(path.read_text("utf-8")):
            action, _, commit = used.partition("@")
            seen.setdefault(action, set()).add((said, commit))
    assert len(seen) > 5
    # An action's versions and its commits stand for each other, one to one.
    for action, pins in seen.items():
        versions, commits = {one for one, _ in pins}, {one for _, one in pins}
        assert len(versions) == len(commits) == len(pins), (action, pins)
    every = [commit for pins in seen.values() for _, commit in pins]
    assert len(every) == len(set(every))
