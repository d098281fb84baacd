"""The collector waits while calls are judged, and not longer."""

from __future__ import annotations

import gc

import pytest

from lkgate.cli.collecting import collector_waits


def test_it_goes_on_also_after_an_error() -> None:
    with pytest.raises(ValueError, match="no gate"), collector_waits():
        assert not gc.isenabled()
        raise ValueError("no gate")
    assert gc.isenabled()


def test_it_stays_as_it_was() -> None:
    with collector_waits():
        with collector_waits():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
