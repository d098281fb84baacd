"""The table of ``docs/regressions.md``: ``python -m tests.regressions > table``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lkgate.model.blame import LAYER_NAMES
from tests.regressions.planted import PLANTED, Planted
from tests.regressions.project import Judged, judge, make, replay

HEAD = "| planted | rule that failed | layer named | first change | calls | turns |"


def main() -> int:
    with tempfile.TemporaryDirectory() as work:
        project = Path(work)
        make(project)
        rows, right = [HEAD, "|---|---|---|---|---|---|"], True
        for planted in PLANTED:
            judged = replay(project, planted)
            rows.append(row(planted, judged))
            right = right and _right(planted, judged)
        good = judge(project, "v2")
        print("\n".join(rows))
        rules, calls = len(good.report["findings"]), len(good.report["calls"])
        print(f"\n`v2`, by the same gate: {good.report['verdict']}, {rules} rules, {calls} calls.")
        return 0 if right and good.code == 0 else 1


def row(planted: Planted, judged: Judged) -> str:
    """One line: what failed, whose fault it is said to be, and in how much of what was judged."""
    found = judged.failed.get(planted.rule)
    if found is None or found["blame"] is None:
        return f"| {planted.change} | none, exit code {judged.code} | | | | |"
    blame = found["blame"]
    named = LAYER_NAMES[blame["layer"]] if blame["layer"] else "not clear"
    first = blame["suspects"][0] if blame["suspects"] else {"detail": "", "calls": []}
    turns = {(place["call"], place["turn"]) for place in found["evidence"]}
    counted = sum(turn is not None for _, turn in turns)
    return (
        f"| {planted.change} | `{planted.rule}` | {named} | {first['detail']} "
        f"| {len(first['calls'])} of {len(planted.calls)} | {counted or 'whole calls'} |"
    )


def _right(planted: Planted, judged: Judged) -> bool:
    layers = {found["blame"]["layer"] for found in judged.failed.values()}
    return planted.rule in judged.failed and layers == {planted.layer}


if __name__ == "__main__":
    sys.exit(main())
