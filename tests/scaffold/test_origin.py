"""What an installer notes of where it got lkgate from, as what another one can be told."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError

import pytest

from lkgate import __version__
from lkgate.model.event import Json
from lkgate.scaffold.origin import Origin, installed, origin_of

GIT: Json = {"vcs": "git", "requested_revision": "main", "commit_id": "0a1b"}
RELEASE = f"lkgate=={__version__}"


@pytest.mark.parametrize(
    ("told", "requirement"),
    [
        (
            {"url": "https://x.example/o/lkgate", "vcs_info": GIT},
            "git+https://x.example/o/lkgate@0a1b",
        ),
        (
            {"url": "ssh://git@x.example/o/l.git", "vcs_info": GIT},
            "git+ssh://git@x.example/o/l.git@0a1b",
        ),
        ({"url": "https://t0ken:@x.example/l", "vcs_info": GIT}, "git+https://x.example/l@0a1b"),
        ({"url": "https://${A}:${B}@x.example/l", "vcs_info": GIT}, "git+https://x.example/l@0a1b"),
        (
            {"url": "https://x.example/mono", "vcs_info": GIT, "subdirectory": "a/b"},
            "git+https://x.example/mono@0a1b#subdirectory=a/b",
        ),
        (
            {"url": "https://x.example:8/l.whl", "archive_info": {"hash": "sha256=ab"}},
            "https://x.example:8/l.whl#sha256=ab",
        ),
    ],
)
def test_what_another_machine_can_get(told: Json, requirement: str) -> None:
    assert origin_of(json.dumps(told)) == Origin(f"lkgate @ {requirement}")


@pytest.mark.parametrize(
    "told",
    [
        {"url": "file:///home/me/lkgate", "dir_info": {"editable": True}},
        {"url": "file:///home/me/lkgate.whl", "archive_info": {}},
        {"url": "file:///home/me/lkgate", "vcs_info": GIT},
        {"url": "http://localhost:8080/lkgate.whl", "archive_info": {}},
        {"url": "https://x.example/${{ x }}", "vcs_info": GIT},
        {"url": "https://x.example/\u2028", "vcs_info": GIT},
    ],
)
def test_what_is_on_this_machine_alone_has_to_be_published(told: Json) -> None:
    assert origin_of(json.dumps(told)) == Origin(RELEASE, there=False)


def test_an_index_is_not_noted_and_sources_are_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert origin_of(None) == Origin(RELEASE)

    def none(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("lkgate.scaffold.origin.distribution", none)
    assert installed() == Origin(RELEASE, there=False)
