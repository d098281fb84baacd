"""What ``labels.yaml`` may say, and what a person is told who wrote it wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.bundle import decode_labels
from lkgate.errors import BundleError
from lkgate.model.label import ExpectedTool, Labels

HEAD = "reviewed: false\ncaller: []\ntools: []\n"


def _refused(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(BundleError) as caught:
        decode_labels(data, "labels.yaml")
    return str(caught.value)


def test_the_least() -> None:
    assert decode_labels(HEAD.encode(), "x") == Labels(
        reviewed=False, caller=(), tools=(), outcome=None, cohort={}
    )


def test_all_of_it() -> None:
    text = """\
# A comment.
reviewed: true
caller:
  - I'd like to book.
  - "No: tomorrow."
tools:
  - name: book
    arguments: {at: 12:30, code: 0123, day: 2026-11-20, n: 3, x: 1.5, ok: yes, no: null, t: true}
outcome: null
cohort: {language: no, noise: off}
"""
    assert decode_labels(text.encode(), "x") == Labels(
        reviewed=True,
        caller=("I'd like to book.", "No: tomorrow."),
        tools=(
            ExpectedTool(
                "book",
                {
                    "at": "12:30",
                    "code": "0123",
                    "day": "2026-11-20",
                    "n": 3,
                    "x": 1.5,
                    "ok": "yes",
                    "no": None,
                    "t": True,
                },
            ),
        ),
        outcome=None,
        cohort={"language": "no", "noise": "off"},
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "labels.yaml: is empty"),
        (
            "reviewed: [",
            "labels.yaml:1:12: this is not YAML: while parsing a flow node, "
            "expected the node content,",
        ),
        (
            HEAD + "reviewed: true\n",
            "labels.yaml:4:1: the key `reviewed` stands here twice\n"
            "  It is on line 1 already; keep one of them.",
        ),
        (
            HEAD + "cohorts: {}\n",
            "labels.yaml:4:1: 'cohorts' is no key of it\n  Did you mean 'cohort'?",
        ),
        (
            HEAD + "zzz: {}\n",
            "labels.yaml:4:1: 'zzz' is no key of it\n"
            "  Known keys: reviewed, caller, tools, outcome, cohort.",
        ),
        (
            "reviewed: maybe\ncaller: []\ntools: []\n",
            "labels.yaml:1:1: reviewed: 'maybe' is not of type 'boolean'\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (
            "reviewed: true\ncaller:\n- a\n-  12\ntools: []\n",
            "labels.yaml:4:4: caller[1]: 12 is not of type 'string'\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (
            "reviewed: true\ncaller: []\ntools:\n- name: x\n",
            "labels.yaml:4:3: tools[0]: 'arguments' is a required property\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (HEAD + "1: x\n", "labels.yaml:4:1: a key must be text\n  Put it in quotes."),
        (HEAD + "? [a]\n: x\n", "labels.yaml:4:3: a key must be text\n  Put it in quotes."),
        (
            "reviewed: &a true\ncaller: *a\ntools: []\n",
            "labels.yaml:2:9: the alias `*a` is not allowed here\n  Write out what it stands for.",
        ),
        (
            HEAD + "outcome: !!python/name:os.system x\n",
            "labels.yaml:4:10: the tag tag:yaml.org,2002:python/name:os.system is not allowed here",
        ),
        (
            HEAD + "outcome: !!int x\n",
            "labels.yaml:4:10: the tag tag:yaml.org,2002:int is not allowed here",
        ),
        (HEAD + "---\n", "labels.yaml:4:1: a second document begins here\n  Keep one of the two."),
        ("- a\n", "labels.yaml:1:1: ['a'] is not of type 'object'"),
        ("[" * 5000, "labels.yaml: this is nested too deeply"),
        (b"\xff\xfe\xfa", "labels.yaml: is not UTF-8"),
        (b" " * ((1 << 20) + 1), "labels.yaml: larger than 1048576 bytes"),
    ],
)
def test_what_is_wrong_and_where(text: str | bytes, said: str) -> None:
    assert _refused(text).startswith(said)


@given(st.text("ab:-[]{}&*!'\"#\n ,?|>%@`\t1", max_size=60))
def test_any_text_is_labels_or_an_error(text: str) -> None:
    try:
        decode_labels(text.encode(), "x")
    except BundleError as error:
        assert error.where is not None
        assert error.where.startswith("x")


@given(st.binary(max_size=60))
def test_any_bytes_are_labels_or_an_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        decode_labels(data, "x")
