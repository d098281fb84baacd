"""Who has called before, by the recordings of a set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lkgate.measure.repeat import WINDOW_US, caller_of, histories
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.history import Before, History
from tests.measure.builders import bundle, labels, span, us
from tests.measure.measuring import measured

DAY_US = us(24 * 3600)


def call(began_us: int | None, *, number: str | None = None, label: str | None = None) -> Bundle:
    attributes: dict[str, Json] = {} if number is None else {"sip.phoneNumber": number}
    made = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[(0.1, "participant_connected", {"identity": "caller-1", "attributes": attributes})],
        labels=labels(cohort={} if label is None else {"caller": label}),
        source="record",
    )
    return replace(made, manifest=replace(made.manifest, started_at_unix_us=began_us))


def test_caller_is_whom_the_labels_name_else_the_number_else_the_identity() -> None:
    assert caller_of(call(0, number="+441234", label="Anna")) == "Anna"
    assert caller_of(call(0, number="+441234")) == "+441234"
    assert caller_of(call(0, number="")) == "caller-1"
    # an import has a track, and nobody who came
    assert caller_of(bundle(caller=[span(1, 2)], source="import")) is None


def test_calls_of_one_caller_follow_each_other_whatever_the_order_they_are_read_in() -> None:
    found = histories(
        {
            "third": call(9 * DAY_US, number="1"),
            "other": call(5 * DAY_US, number="2"),
            "first": call(0, number="1"),
            "second": call(DAY_US, number="1"),
        }
    )
    assert found == {
        "first": History(None),
        "other": History(None),
        "second": History(Before("first", DAY_US)),
        "third": History(Before("second", 8 * DAY_US)),
    }


@pytest.mark.parametrize(
    ("before", "value", "note"),
    [
        (None, 0, None),
        (Before("monday", us(90)), 1, "the caller of monday called again, 1.5 minutes after it"),
        (Before("monday", us(30)), 1, "the caller of monday called again, 30 seconds after it"),
        (
            Before("monday", us(2 * 3600)),
            1,
            "the caller of monday called again, 2.0 hours after it",
        ),
        (Before("monday", WINDOW_US), 1, "the caller of monday called again, 7.0 days after it"),
        (
            Before("monday", WINDOW_US + 1),
            0,
            "the caller of monday called again, 7.0 days after it",
        ),
    ],
)
def test_call_within_seven_days_is_a_repeat(
    before: Before | None, value: int, note: str | None
) -> None:
    found = measured("repeat_call", call(0), history=History(before))
    assert (found.value, found.samples[0].note) == (value, note)


def test_call_of_which_caller_or_date_is_unknown_is_no_evidence_and_nobodys_past() -> None:
    undated, unknown = call(None, number="1"), bundle(caller=[span(1, 2)], source="import")
    found = histories({"undated": undated, "unknown": unknown, "known": call(DAY_US, number="1")})
    assert found["known"] == History(None)
    for name, session, why in (
        ("undated", undated, "nobody knows when it was recorded"),
        ("unknown", unknown, "nothing tells who the caller is: no label, number or name"),
    ):
        got = measured("repeat_call", session, history=found[name])
        assert (got.value, got.missing, got.reason) == (None, True, why)
