"""Who accepts, as git knows them."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from lkgate.suite import sign

DAY = date(2026, 3, 1)


def test_the_name_is_that_of_who_commits(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.name", "git's"], check=True)
    environ = {"PATH": os.environ["PATH"], "USER": "account's"}
    assert sign(tmp_path, environ, today=DAY, reason=" asks first ").as_json() == {
        "by": "git's",
        "on": "2026-03-01",
        "reason": "asks first",
    }
    author = {**environ, "GIT_AUTHOR_NAME": "author's"}
    assert sign(tmp_path, author, today=DAY, reason=None).by == "author's"


@pytest.mark.parametrize(
    ("environ", "by"), [({"USER": "account's"}, "account's"), ({"USER": " "}, None), ({}, None)]
)
def test_without_git_it_is_the_accounts_or_nobodys(
    tmp_path: Path, environ: dict[str, str], by: str | None
) -> None:
    found = sign(tmp_path, {"PATH": str(tmp_path), **environ}, today=DAY, reason="  ")
    assert (found.by, found.reason) == (by, None)
