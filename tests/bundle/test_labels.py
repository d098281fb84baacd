"""What ``labels.yaml`` may say, and what a person is told who wrote it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.bundle import decode_labels
from lkgate.errors import BundleError
from lkgate.model.label import ArgumentRule, Entity, ExpectedTool, Labels, Step

RECORDINGS = Path(__file__).parents[2] / "recordings"
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


def test_what_a_right_agent_does() -> None:
    text = """\
reviewed: true
caller:
  - Hello.
  - text: I am Ann Lee, and I want two.
    entities:
      - {kind: name, text: Ann Lee}
      - {kind: amount, text: Two}
tools:
  - name: book
    arguments: {who: Ann Lee, slot: {at: 14:30, n: 2}}
    rules:
      who: text
      slot.at: {rule: date}
      slot.n: {rule: number, tolerance: 0.5}
    changes: true
    after: [look_up]
handoffs: [nurse]
required:
  - says: This call is recorded
  - tool: look_up
  - handoff: nurse
forbidden:
  tools: [pay]
  phrases: [I guarantee]
confirmations: [ja]
cohort: {accent: scottish, snr: 12}
"""
    assert decode_labels(text.encode(), "x") == Labels(
        reviewed=True,
        caller=("Hello.", "I am Ann Lee, and I want two."),
        tools=(
            ExpectedTool(
                "book",
                {"who": "Ann Lee", "slot": {"at": "14:30", "n": 2}},
                rules={
                    "who": ArgumentRule("text"),
                    "slot.at": ArgumentRule("date"),
                    "slot.n": ArgumentRule("number", tolerance=0.5),
                },
                changes=True,
                after=("look_up",),
            ),
        ),
        outcome=None,
        cohort={"accent": "scottish", "snr": "12"},
        entities=(Entity(1, "name", "Ann Lee"), Entity(1, "amount", "Two")),
        handoffs=("nurse",),
        required=(
            Step("says", "This call is recorded"),
            Step("tool", "look_up"),
            Step("handoff", "nurse"),
        ),
        forbidden_tools=("pay",),
        forbidden_phrases=("I guarantee",),
        confirmations=("ja",),
    )


def test_no_handoff_is_not_the_same_as_nothing_said_of_handoffs() -> None:
    assert decode_labels(HEAD.encode(), "x").handoffs is None
    assert decode_labels((HEAD + "handoffs: []\n").encode(), "x").handoffs == ()


@pytest.mark.parametrize(
    "path", sorted(RECORDINGS.glob("*/labels.yaml")), ids=lambda p: p.parent.name
)
def test_the_recordings_labels_are_read_as_ever(path: Path) -> None:
    found = decode_labels(path.read_bytes(), str(path))
    assert found.reviewed
    assert found.caller
    assert "language" in found.cohort
    assert (found.entities, found.required, found.handoffs) == ((), (), None)
    assert all(tool.rules == {} and not tool.changes for tool in found.tools)


TOOL = "reviewed: true\ncaller: []\ntools:\n- name: x\n  arguments: {a: {b: 1}}\n"


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
            "  Known keys: reviewed, caller, tools, outcome, handoffs, required, forbidden, "
            "confirmations, judges, cohort.",
        ),
        (
            "reviewed: maybe\ncaller: []\ntools: []\n",
            "labels.yaml:1:1: reviewed: 'maybe' is not of type 'boolean'\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (
            "reviewed: true\ncaller:\n- a\n-  12\ntools: []\n",
            "labels.yaml:4:4: caller[1]: 12 is not of type 'string', 'object'\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (
            "reviewed: true\ncaller: []\ntools:\n- name: x\n",
            "labels.yaml:4:3: tools[0]: 'arguments' is a required property\n"
            "  See lkgate/bundle/schema/labels.json for what labels.yaml may hold.",
        ),
        (
            TOOL + "  rules: {b: text}\n",
            "labels.yaml:6:11: tools[0].rules.b: x has no such argument here\n"
            "  A rule says how an argument of `arguments` is compared.",
        ),
        (TOOL + "  rules: {a.c: text}\n", "labels.yaml:6:11: tools[0].rules.a.c: x has no such"),
        (TOOL + "  rules: {a.b: about}\n", "labels.yaml:6:11: tools[0].rules.a.b: 'about' does"),
        (
            TOOL + "  rules: {a.b: {rule: number, tolerance: -1}}\n",
            "labels.yaml:6:31: tools[0].rules.a.b.tolerance: -1 is less than the minimum of 0",
        ),
        (
            TOOL + "  rules: {a.b: {rule: schema}}\n",
            "labels.yaml:6:11: tools[0].rules.a.b: 'schema' is a required property",
        ),
        (
            TOOL + "  rules: {a.b: {rule: schema, schema: {type: strnig}}}\n",
            "labels.yaml:6:31: tools[0].rules.a.b: no schema to go by: 'strnig' is not",
        ),
        (
            TOOL + "  rules: {a.b: {rule: schema, schema: {$ref: http://a.b/c}}}\n",
            "labels.yaml:6:31: tools[0].rules.a.b: no schema to go by: 'http://a.b/c' lea",
        ),
        (
            TOOL + "  rules: {a.b: {rule: schema, schema: {type: 'null'}}}\n",
            "labels.yaml:6:11: tools[0].rules.a.b: what `arguments` says is not valid by it",
        ),
        (TOOL + "  rules: {a.b: {tolerance: 1}}\n", "labels.yaml:6:11: tools[0].rules.a.b: 'rule'"),
        (
            "reviewed: true\ncaller:\n- text: I am Ann.\n"
            "  entities: [{kind: name, text: Bob}]\ntools: []\n",
            "labels.yaml:3:3: caller[0]: 'Bob' does not stand in the utterance\n"
            "  Write an entity as it was said.",
        ),
        (HEAD + "required: [{says: a, tool: b}]\n", "labels.yaml:4:12: required[0]: {'says': 'a',"),
        (HEAD + "required: [{sys: a}]\n", "labels.yaml:4:13: 'sys' is no key of it\n"),
        (HEAD + "forbidden: {tool: [a]}\n", "labels.yaml:4:13: 'tool' is no key of it\n"),
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
