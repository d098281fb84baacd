"""Remake the demo's recordings from nothing, on a real LiveKit server.

    python -m lkgate.demo.make [CALL ...] [--out DIRECTORY] [--python INTERPRETER]

Needs flite and sox, a livekit-server, and an interpreter that has the ``live`` extra. Each call is
recorded into DIRECTORY/CALL; one that is there already is replaced once its successor is whole.
Then the project's other builds add what their models say, and the baselines are accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from lkgate.demo.make import calls, check, finish, live, stage
from lkgate.errors import LkgateError
from lkgate.model.build import Build

PROGRAM = Path(__file__).resolve().parents[1] / "clinic" / "agent_v1.py"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lkgate.demo.make", description=__doc__)
    parser.add_argument("calls", nargs="*", metavar="CALL", help="default: all of them")
    parser.add_argument("--out", type=Path, default=Path("recordings"))
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--only-record", action="store_true", help="no other builds, no baselines")
    parser.add_argument("--no-namespace", action="store_true", help="stay in this network")
    given = parser.parse_args()
    try:
        scripts = calls.read(tuple(given.calls))
        if not given.no_namespace:
            stage.enter_namespace(sys.argv[1:])
        status = asyncio.run(_make(scripts, given.out.absolute(), given.python))
        if not given.only_record:
            finish.finish([str(given.out / script.name) for script in scripts])
        return status
    except LkgateError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: nothing was replaced", file=sys.stderr)
        return 130


async def _make(scripts: list[calls.Script], out: Path, python: Path) -> int:
    build = Build("v1", python, PROGRAM, None, (), PROGRAM.parent, {})
    out.mkdir(parents=True, exist_ok=True)
    made: list[tuple[calls.Script, Path]] = []
    with tempfile.TemporaryDirectory(dir=out, prefix=".making-") as work:
        with stage.server(Path(work, "server.log")) as credentials:
            for script in scripts:
                print(f"{script.name}: {len(script.lines)} lines, {script.voice}", flush=True)
                path = await live.record(
                    script, build, credentials, Path(work, script.name), say=_say
                )
                made.append((script, path))
        text, right = check.table(made)
        print(text)
        for script, path in made:
            shutil.rmtree(out / script.name, ignore_errors=True)
            path.rename(out / script.name)
    return 0 if right else 1


def _say(text: str) -> None:
    print(f"    {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
