"""Whether a call failed what evaluates it."""

from __future__ import annotations

import pytest

from lkgate.model.event import Json
from tests.measure.builders import bundle, labels, said, span, tool
from tests.measure.measuring import measured


def judgement(judge: str, verdict: str | None, *, applies: bool = True) -> dict[str, Json]:
    return {"judge": judge, "verdict": verdict, "applies": applies, "note": None}


@pytest.mark.parametrize(
    ("called", "judged", "value", "why"),
    [
        ("book", [], 0.0, None),
        ("book", [judgement("kind", "pass")], 0.0, None),
        ("pay", [], 1.0, "book was not called"),
        ("book", [judgement("kind", "pass"), judgement("true", "fail")], 1.0, "the judge true"),
        ("book", [judgement("kind", None, applies=False)], 0.0, None),
        ("book", [judgement("kind", None)], None, "the judge kind said nothing"),
        # it failed whatever the judge would have said
        ("pay", [judgement("kind", None)], 1.0, "book was not called"),
    ],
)
def test_labels_and_judges_can_fail_a_call(
    called: str, judged: list[dict[str, Json]], value: float | None, why: str | None
) -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(4, 5)],
        events=[
            (2.5, *said("user", "Book it.")),
            (3.0, *tool(called)),
            (5.1, *said("assistant", "Done.")),
            *((60.0, "lkgate.judgement", one) for one in judged),
        ],
    )
    found = measured("eval_failed", session, labels("Book it.", tools=[("book", {})]))
    sample = found.samples[0]
    assert found.value == value
    assert (why is None) == (sample.note is None and sample.reason is None)
    assert (why or "") in (sample.note or sample.reason or "")
