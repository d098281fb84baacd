"""Records the models and tools of a live worker: first on its ``PYTHONPATH``, and nothing else.

Python imports this file in every process of the worker, before the program. It waits for
``livekit.agents``; once that is imported, it loads lkgate by path alone (nothing else of lkgate's
own environment becomes importable) and has everything written into ``$LKGATE_CASSETTE_DIR``. A
``sitecustomize`` that this one stands in front of is run as well.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE.parent.parent
_WAITED_FOR = "livekit.agents"


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``livekit.agents`` as the others do, and has it recorded once it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _WAITED_FOR:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _record()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _record() -> None:
    try:
        if "lkgate" not in sys.modules:
            _load_lkgate()
        from lkgate.harness.tape import install_record

        install_record(Path(os.environ["LKGATE_CASSETTE_DIR"]))
    except Exception:  # noqa: BLE001 - the worker goes on without its cassette, and says why
        print("lkgate: this process is not recorded:", file=sys.stderr)  # noqa: T201
        traceback.print_exc()


def _load_lkgate() -> None:
    spec = importlib.util.spec_from_file_location(
        "lkgate", _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)]
    )
    assert spec is not None and spec.loader is not None  # the file lies beside this one
    module = importlib.util.module_from_spec(spec)
    sys.modules["lkgate"] = module
    spec.loader.exec_module(module)


def _run_the_other() -> None:
    """The ``sitecustomize`` that would have been imported, had this one not been there."""
    elsewhere = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if os.environ.get("LKGATE_CASSETTE_DIR"):
    sys.meta_path.insert(0, _Finder())
_run_the_other()
