"""``python:FILE:NAME``: a metric for one gate, out of a file beside it.

NAME is a :class:`~lkgate.measure.metric.Metric`, or a function of a session that gives one number
a call. The file is run once, when the gate that names it is read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from lkgate.errors import ConfigError
from lkgate.measure.metric import Metric, spec
from lkgate.measure.plugin import check
from lkgate.measure.sample import measured
from lkgate.measure.session import Session
from lkgate.model.measurement import Sample

PREFIX = "python:"
_SHAPE = "Write it as python:FILE.py:NAME, the file's place counted from the gate's."


@cache
def one_off(name: str) -> Metric:
    """The metric that is named so; its own name is the whole of ``python:FILE:NAME``.

    Raises:
        ConfigError: there is no such file or name, it fails when it is run, or what is named is
            no metric.
    """
    file, _, attribute = name.removeprefix(PREFIX).rpartition(":")
    if not file or not attribute.isidentifier():
        raise ConfigError(f"`{name}` names no file and function", next_step=_SHAPE)
    found = _named(file, attribute)
    if isinstance(found, Metric):
        check(found.spec, f"{file}:{attribute}")
        return replace(found, spec=replace(found.spec, name=name))
    if not callable(found):
        raise ConfigError(
            f"{attribute} is {found!r:.80}, no function of a session and no Metric", where=file
        )
    return Metric(
        spec(
            name, "count", "none", "call", "sum", None, ("session",),
            (found.__doc__ or f"What {attribute} of {file} says.").strip().split("\n")[0],
        ),
        _of_call(found),
    )  # fmt: skip


def _named(file: str, attribute: str) -> object:
    try:
        loader = SourceFileLoader(f"lkgate_one_off_{abs(hash(file))}", file)
        described = spec_from_loader(loader.name, loader)
        assert described is not None  # of a loader there always is one
        module = module_from_spec(described)
        # As an import does it: a dataclass looks its module up there.
        sys.modules[described.name] = module
        loader.exec_module(module)
    except FileNotFoundError:
        raise ConfigError("there is no such file", where=file, next_step=_SHAPE) from None
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"it fails when it is run: {type(error).__name__}: {error}", where=file
        ) from error
    found: object = getattr(module, attribute, None)
    if found is None:
        known = ", ".join(name for name in vars(module) if not name.startswith("_"))
        raise ConfigError(f"it holds no {attribute}", where=file, next_step=f"It holds: {known}.")
    return found


def _of_call(function: Callable[[Session], object]) -> Callable[[Session], Iterable[Sample]]:
    def samples(session: Session) -> Iterable[Sample]:
        value = function(session)
        if not isinstance(value, bool | int | float):
            raise TypeError(f"it gave {value!r:.80}, which is no number")
        yield measured(float(value), None, session.whole)

    return samples
