"""A draft of labels: what the agent heard and did, not reviewed, and readable whatever it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.bundle import Journal, close_journal, decode_labels, draft_labels, read, write_draft
from lkgate.errors import BundleError
from lkgate.measure import turns_of
from lkgate.model.label import ExpectedTool
from tests.measure.builders import bundle, handoff, said, span, tool


def test_what_was_heard_and_done() -> None:
    session = bundle(
        caller=[span(1, 2.25), span(5, 6)],
        agent=[span(3, 4), span(7, 8)],
        events=[
            (2.5, *said("user", 'Say "hi": # now')),
            (2.6, *tool("book", {"day": "no", "n": [1, {"x": None}]}, call_id="1")),
            (2.7, *tool("mail", {}, is_error=True, call_id="2")),
            (2.8, *handoff("nurse")),
            (8.1, *said("assistant", "Bye.")),
        ],
    )
    assert draft_labels(turns_of(session), "en") == (
        "# A draft of what the agent heard and did. Listen, correct it, set reviewed to true,\n"
        "# then take it into the bundle: lkgate seal\n"
        "reviewed: false\n"
        "# What the caller truly said; words that the agent did not hear are marked.\n"
        "caller:\n"
        '- "Say \\"hi\\": # now"  # 0:01.0-0:02.2\n'
        '- "???"  # 0:05.0-0:06.0: nothing was heard\n'
        "# What a right agent calls, in order; leave out arguments that do not matter.\n"
        "tools:\n"
        '- name: "book"  # 0:02.6\n'
        "  arguments:\n"
        '    "day": "no"\n'
        '    "n": [1, {"x": null}]\n'
        '- name: "mail"  # 0:02.7: it failed\n'
        "  arguments: {}\n"
        "# How the call ended, in your own words: booked, informed, escalated.\n"
        "outcome: null\n"
        "handoffs:\n"
        '- "nurse"\n'
        "# Anything that calls of a kind have in common: accent, route, noise, codec, persona.\n"
        "cohort:\n"
        '  language: "en"\n'
    )
    labels = decode_labels(draft_labels(turns_of(session), "en").encode(), "x")
    assert not labels.reviewed
    assert labels.caller == ('Say "hi": # now', "???")
    assert labels.tools == (
        ExpectedTool("book", {"day": "no", "n": [1, {"x": None}]}),
        ExpectedTool("mail", {}),
    )
    assert labels.handoffs == ("nurse",)


@given(
    words=st.text(min_size=1, max_size=30).filter(lambda text: text.strip()),
    key=st.text(min_size=1, max_size=8),
    value=st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=20),
)
def test_any_words_are_read_back(words: str, key: str, value: str | int | None) -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[(2.5, *said("user", words)), (2.6, *tool("t", {key: value}, call_id="1"))],
    )
    labels = decode_labels(draft_labels(turns_of(session), None).encode(), "x")
    assert labels.caller == (words,)
    assert labels.tools == (ExpectedTool("t", {key: value}),)


def test_what_is_too_long_for_a_person_is_cut() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[
            (2.5, *said("user", "a" * 9_000_000)),
            (2.6, *tool("book", {"note": "x" * 20_000, "day": "no"}, call_id="1")),
            (2.7, *tool("mail", {"to": "x" * 20_000}, call_id="2")),
        ],
    )
    text = draft_labels(turns_of(session), None)
    assert "  # 0:01.0-0:02.0: cut, 9,000,000 characters were heard\n" in text
    assert '  arguments:  # without 1 that are too long\n    "day": "no"\n' in text
    assert "  arguments: {}  # without 1 that are too long\n" in text
    labels = decode_labels(text.encode(), "x")
    assert labels.caller == ("a" * 10_000,)
    assert labels.tools == (ExpectedTool("book", {"day": "no"}), ExpectedTool("mail", {}))


def test_more_than_labels_may_hold() -> None:
    turns = turns_of(bundle(caller=[span(1, 2)], events=[(2.5, *said("user", "a" * 9_999))]))
    with pytest.raises(BundleError) as caught:
        draft_labels(turns * 110, None)
    assert str(caught.value) == (
        "a draft of its labels would be larger than 1048576 bytes\n"
        "  Write its labels.yaml by hand, and take it in with `lkgate seal`."
    )


def test_nothing_happened() -> None:
    labels = decode_labels(draft_labels((), None).encode(), "x")
    assert (labels.caller, labels.tools, labels.handoffs, labels.cohort) == ((), (), (), {})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    journal = Journal.create(
        tmp_path / "open",
        header={"id": "a-call", "source": "record", "room": "clinic", "started_at_unix_us": 1},
    )
    journal.event(0, "connected", {"room": "clinic", "sid": "RM_1"})
    journal.finish(duration_us=1_000_000)
    close_journal(tmp_path / "open", tmp_path / "a-call")
    return tmp_path / "a-call"


def test_it_is_sealed_and_takes_no_other_labels_place(recording: Path) -> None:
    before = read(recording).manifest.digest
    made = write_draft(recording, draft_labels((), None), replace=False)
    assert made.labels == read(recording).labels
    assert read(recording).manifest.digest == before
    with pytest.raises(BundleError, match="has labels already"):
        write_draft(recording, draft_labels((), "en"), replace=False)
    write_draft(recording, draft_labels((), "en"), replace=True)
    labels = read(recording).labels
    assert labels is not None
    assert labels.cohort == {"language": "en"}


def test_a_packed_bundle_takes_no_draft(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no directory"):
        write_draft(tmp_path / "call.lkb", "", replace=False)
