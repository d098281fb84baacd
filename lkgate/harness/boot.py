"""Started by path in the candidate's interpreter: ``python boot.py CONTROL_FD``.

Loads the package ``lkgate`` from where this file lies and nothing else from there, so that what
lkgate itself depends on never enters the candidate's ``sys.path``, and hands over to the fork
server. See ``lkgate.replay.server`` for what is said on the control socket.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _load_lkgate() -> None:
    root = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        "lkgate", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["lkgate"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    # This directory, whose modules must not answer for the program's of the same name.
    sys.path.pop(0)
    _load_lkgate()
    from lkgate.harness.server import main

    sys.exit(main(int(sys.argv[1])))
