"""Whether a call failed what evaluates calls: the labels, and the judges of the gate."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.goal import not_done, untold
from lkgate.measure.judged import JUDGEMENT
from lkgate.measure.sample import absent, measured
from lkgate.measure.session import Session
from lkgate.model.measurement import Sample


def eval_failed(session: Session) -> Iterator[Sample]:
    wrong, first = not_done(session)
    asked = [e.data for e in session.of_kind(JUDGEMENT) if e.data.get("applies") is not False]
    verdicts = {field.text(data, "judge"): field.text(data, "verdict") for data in asked}
    wrong += [f"the judge {name} failed it" for name, said in verdicts.items() if said == "fail"]
    silent = [name for name, said in verdicts.items() if said not in ("pass", "fail")]
    unheard = untold(session)
    if unheard and not wrong:
        yield unheard[0]
        return
    if silent and not wrong:
        yield absent(None, session.whole, f"the judge {silent[0]} said nothing")
        return
    span = first.span if first is not None else session.whole
    yield measured(float(bool(wrong)), first, span, "; ".join(wrong) or None)
