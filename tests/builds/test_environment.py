"""What must not be told of a build's variables."""

from __future__ import annotations

import sys
from pathlib import Path

from lkgate.builds import secrets_of
from lkgate.model.build import Build


def test_files_that_programs_load_are_known(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / ".env").write_text("export A_KEY='value-of-a'\nno assignment\n\n# comment\n")
    (tmp_path / "agents" / ".env.local").write_text("B_KEY=value-of-b # ours\nA_KEY=another-a\n")
    program = tmp_path / "agents" / "agent.py"
    build = Build("v1", Path(sys.executable), program, None, (), tmp_path, {})
    secrets = secrets_of(build, {"C_KEY": "value-of-c"})
    assert secrets.hide("value-of-a another-a value-of-b value-of-c") == (
        "[A_KEY] [A_KEY] [B_KEY] [C_KEY]"
    )
    assert secrets_of(None, {}).hide("value-of-a") == "value-of-a"
