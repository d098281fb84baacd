"""What goes wrong is said in one message: what, where, what next; other calls are not touched."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.harness.program import replay
from tests.harness.program.conftest import Load
from tests.harness.program.replay import PROGRAMS, plan_and_pcm

LIFECYCLE = str(PROGRAMS / "lifecycle.py")


def line(text: str, program: str = LIFECYCLE) -> str:
    lines = Path(program).read_text().splitlines()
    (number,) = [number for number, content in enumerate(lines, 1) if text in content]
    return f"{program}:{number}"


def shown(error: dict[str, Any]) -> tuple[str, str, str | None]:
    assert "Traceback" not in error["message"]
    return error["kind"], error["message"], error["where"]


@pytest.mark.parametrize(
    ("how", "kind", "message", "text"),
    [
        (
            "raise before connecting",
            "entrypoint_raised",
            "the entrypoint raised KeyError: 'no such customer'",
            "raise KeyError",
        ),
        (
            "raise in prewarm",
            "prewarm_raised",
            "prewarm (setup_fnc) raised RuntimeError: no weights",
            "raise RuntimeError",
        ),
        ("reject", "job_rejected", "the program rejected the job", None),
    ],
)
def test_a_call_whose_program_gives_up(
    load: Load, how: str, kind: str, message: str, text: str | None
) -> None:
    in_prewarm = (how,) if how == "raise in prewarm" else ()
    call = load("lifecycle.py", *in_prewarm).call(caller=plan_and_pcm([0.6]), room=how)
    assert call.status == 0
    assert shown(call.result["error"]) == (kind, message, line(text) if text else None)
    assert call.result["error"]["next_step"]


def test_children_die_with_their_server_and_the_server_with_its_parent(tmp_path: Path) -> None:
    program = replay.start(tmp_path, "fates.py")
    directory = program.start(caller=plan_and_pcm([0.6]), room="spins")
    pid = program.wait("started", str(directory))["pid"]
    program.server.socket.close()
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert program.server.exit_status() == 0
    program.server.kill()
