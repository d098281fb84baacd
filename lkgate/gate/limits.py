"""The limits of a rule, as its file writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lkgate.document import Document, Path
from lkgate.errors import GateFileError
from lkgate.gate import quantity
from lkgate.gate.aggregate import OF_THESE_CALLS
from lkgate.gate.metrics import is_bounded
from lkgate.model.check import Limit, Margin
from lkgate.model.event import Json
from lkgate.model.gate import Aggregate, unit_of
from lkgate.model.measurement import MetricSpec, Unit

_HOW_SHARES: Mapping[Limit, str] = {
    "max": "Write {0}%.",
    "min": "Write {0}%.",
    "max_increase": "Write {0} points, or {0}% for a part of what the baseline had.",
    "max_decrease": "Write {0} points, or {0}% for a part of what the baseline had.",
    "max_gap": "Write {0} points.",
}
_HOW_BOUNDED: Mapping[Limit, str] = {
    "max": "Write one from 0% to below 100%.",
    "min": "Write one from above 0% to 100%.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rule allows.

    Attributes:
        data, path: the rule as written, and where it stands.
    """

    document: Document[GateFileError]
    data: Mapping[str, Json]
    path: Path
    spec: MetricSpec
    aggregate: Aggregate

    def limit(self, key: Limit) -> float | None:
        """An absolute limit in the unit of the aggregate, ``None`` if there is none.

        Raises:
            GateFileError: it is no quantity of the metric, or no call can break it.
        """
        written = self.data.get(key)
        if not isinstance(written, int | float | str):
            return None
        self._refuse_bare(key, written)
        try:
            found = quantity.limit(written, self._unit)
        except ValueError:
            raise self._no_quantity(key, written) from None
        if key == "max":
            self._refuse_idle(key, written, idle=found >= 1.0, hopeless=found < 0.0)
        elif key == "min":
            self._refuse_idle(key, written, idle=found <= 0.0, hopeless=found > 1.0)
        else:
            self._refuse_idle(key, written, idle=found >= 1.0)
        return found

    def margin(self, key: Limit) -> Margin | None:
        """An allowed change against the baseline, ``None`` if there is none.

        Raises:
            GateFileError: as :meth:`limit`, or the metric has no baseline to change against.
        """
        written = self.data.get(key)
        if written is None:
            return None
        if "baseline" in self.spec.evidence:
            raise self.document.error(
                f"{self.spec.name} compares with the baseline already, so `{key}` says nothing",
                (*self.path, key),
                "Give it a `max` instead.",
                key=True,
            )
        parts: float | str | dict[str, float | str]
        if isinstance(written, dict):
            parts = {k: v for k, v in written.items() if isinstance(v, int | float | str)}
            said = "{" + ", ".join(f"{part}: {value}" for part, value in parts.items()) + "}"
            if "absolute" in parts:
                self._refuse_bare(key, parts["absolute"])
        else:
            assert isinstance(written, int | float | str)  # the schema says so
            parts, said = written, str(written)
            self._refuse_bare(key, written)
        try:
            found = quantity.margin(parts, self._unit)
        except ValueError:
            raise self._no_quantity(key, said) from None
        # Where both must be exceeded, one that cannot be is enough.
        most = [found.absolute, found.relative if key == "max_decrease" else None]
        self._refuse_idle(key, said, idle=any(one is not None and one >= 1.0 for one in most))
        return found

    def gap(self) -> float | None:
        """How far levels of a cohort may lie apart, ``None`` if the rule does not ask.

        Raises:
            GateFileError: as :meth:`limit`, or there is no gap to be judged.
        """
        given = [key for key in ("max_gap", "max_gap_between") if key in self.data]
        if not given:
            return None
        if len(given) == 1:
            lacks = "max_gap_between" if given == ["max_gap"] else "max_gap"
            raise self.document.error(
                f"`{given[0]}` needs `{lacks}` beside it",
                (*self.path, given[0]),
                "For instance `max_gap_between: accent` and `max_gap: 10 points`.",
                key=True,
            )
        if self.aggregate in OF_THESE_CALLS:
            raise self.document.error(
                f"`{self.aggregate}` grows with the number of calls, so levels of different size "
                "cannot be compared by it",
                (*self.path, "aggregate"),
                "Use mean, rate or a percentile.",
            )
        where = self.data.get("where")
        fixed = {self.data.get("by"), *(where if isinstance(where, dict) else ())}
        if (between := self.data["max_gap_between"]) in fixed:
            raise self.document.error(
                f"`by` or `where` leaves one {between} to each judgement, and a gap needs two",
                (*self.path, "max_gap_between"),
                "Leave it out there, or judge the gap between another key.",
            )
        written = self.data["max_gap"]
        assert isinstance(written, int | float | str)  # the schema says so
        found = self.limit("max_gap")
        if found is None or found < 0:
            raise self._no_quantity("max_gap", written)
        return found

    @property
    def _unit(self) -> Unit:
        return unit_of(self.aggregate, self.spec.unit)

    def _refuse_bare(self, key: Limit, written: float | str) -> None:
        """A share without its unit: 5 would be five times everything, and nothing ever breaks it.

        Whether 0.5 is half of it or half of a percent only its author knows.
        """
        if self._unit != "ratio":
            return
        try:
            number = float(written)
        except ValueError:
            return
        if number == 0 or not math.isfinite(number):
            return
        shown = number * 100 if abs(number) < 1 or (key == "min" and number == 1) else number
        raise self.document.error(
            f"`{key}: {written}` has no unit, and {self.spec.name} is a share",
            (*self.path, key),
            _HOW_SHARES[key].format(f"{shown:g}"),
        )

    def _refuse_idle(
        self, key: Limit, written: float | str, *, idle: bool, hopeless: bool = False
    ) -> None:
        """A limit of shares that nothing can break, or nothing can keep."""
        if not (idle or hopeless) or self._unit != "ratio" or not is_bounded(self.spec):
            return
        raise self.document.error(
            f"`{key}: {written}` can never be {'broken' if idle else 'kept'}: {self.spec.name} "
            "goes from 0% to 100%",
            (*self.path, key),
            _HOW_BOUNDED.get(key, "Allow less than all of it."),
        )

    def _no_quantity(self, key: str, written: float | str) -> GateFileError:
        of = self.spec.name
        if self._unit != self.spec.unit:
            of = f"the {self.aggregate} of {of}"
        what = f"`{key}: {written}` is not a quantity of {of}"
        return self.document.error(what, (*self.path, key), quantity.HOW[self._unit])
