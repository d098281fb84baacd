"""The tutorial is true: its commands run, and print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"  # exit (\d+)$")


def blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    for kind, text in _BLOCK.findall(page.read_text("utf-8")):
        yield kind, text.splitlines()


def test_the_tutorial(tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "lkgate"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m lkgate "$@"\n')
    shim.chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LKGATE": str(ROOT),
    }
    place = tmp_path / "my-agent"
    place.mkdir()
    printed, shown = "", 0
    for kind, lines in blocks(ROOT / "docs" / "tutorial.md"):
        if kind == "text":
            for line in lines:
                found = re.search(".*".join(map(re.escape, line.split("..."))), printed)
                assert found, f"{line!r} is not in:\n{printed}"
                printed = printed[found.end() :]
                shown += 1
            continue
        printed = ""
        for line in lines:
            wanted = _EXIT.search(line)
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=place,
                env=environ,
                capture_output=True,
                text=True,
                timeout=200,
                stdin=subprocess.DEVNULL,
            )
            assert done.returncode == int(wanted[1] if wanted else 0), (
                f"{line}\n{done.stdout}{done.stderr}"
            )
            printed += done.stdout
    assert shown > 20
