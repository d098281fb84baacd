"""Gate files: what they say, and what is told about the wrong ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate import document
from lkgate.errors import GateFileError
from lkgate.gate import quantity
from lkgate.gate.aggregate import carried_by
from lkgate.gate.load import load, parse
from lkgate.gate.metrics import SPECS
from lkgate.measure.sample import rank
from lkgate.model.check import Margin
from lkgate.model.event import Json
from lkgate.model.gate import Rule
from lkgate.model.measurement import Unit

HEAD = "version: 1\nrules:\n"
RULE = "  - {id: a, metric: tool_errors, aggregate: sum, max: 0}\n"


def only(text: str) -> Rule:
    (rule,) = parse(HEAD + text, "gate.yaml").rules
    return rule


def wrong(text: str) -> str:
    with pytest.raises(GateFileError) as error:
        parse(text, "gate.yaml")
    return str(error.value)


def test_every_key() -> None:
    gate = parse(
        "version: 1\n"
        "name: mine\n"
        "calls: [book, move]\n"
        "confidence: 99%\n"
        "family: benjamini-hochberg\n"
        "undecided: pass_with_warning\n"
        "rules:\n"
        "  - id: errors\n"
        "    metric: tool_errors\n"
        "    aggregate: sum\n"
        "    max: 0\n"
        "  - id: slow\n"
        "    metric: response_latency\n"
        "    aggregate: p95\n"
        "    max: 1.5 s\n"
        "    min: 100ms\n"
        "    max_increase: {absolute: 250 ms, relative: 25%}\n"
        "    max_decrease: 30 %\n"
        "    where: {noise: no, accent: scottish}\n"
        "    min_n: 20\n"
        "    severity: warning\n"
        "    message: slow\n"
        "    turns: all\n"
        "    by: language\n"
        "    confidence: 90 %\n"
        "    about: calls_to_come\n"
        "    covered_by: [errors]\n"
        "  - id: alike\n"
        "    metric: task_completed\n"
        "    aggregate: mean\n"
        "    max_gap_between: accent\n"
        "    max_gap: 10 points\n",
        "gates/mine.yaml",
    )
    assert (gate.name, gate.path) == ("mine", "gates/mine.yaml")
    assert gate.calls == ("book", "move")
    assert gate.confidence == 0.99
    assert (gate.family, gate.undecided) == ("benjamini-hochberg", "pass_with_warning")
    assert gate.call_lines == {"book": 3, "move": 3}
    assert [rule.line for rule in gate.rules] == [8, 12, 28]
    assert gate.rules[0] == Rule("errors", "tool_errors", "sum", max=0.0)
    assert gate.rules[1] == Rule(
        id="slow",
        metric="response_latency",
        aggregate="p95",
        max=1_500_000.0,
        min=100_000.0,
        max_increase=Margin(250_000.0, 0.25),
        max_decrease=Margin(None, 0.30),
        where={"noise": "no", "accent": "scottish"},
        min_n=20,
        severity="warning",
        message="slow",
        turns="all",
        covered_by=("errors",),
        by="language",
        confidence=0.9,
        about="calls_to_come",
    )
    assert gate.rules[2] == Rule(
        "alike", "task_completed", "mean", max_gap=0.1, max_gap_between="accent"
    )


def test_name_of_the_file_is_the_gates() -> None:
    assert parse(HEAD + RULE, "gates/night.yaml").name == "night"


@pytest.mark.parametrize(
    "word", ["no", "on", "yes", "off", "n", "1:30", "2024-01-01", "0x1F", "1_000"]
)
def test_words_stay_words(word: str) -> None:
    rule = only(
        f"  - {{id: a, metric: tool_errors, aggregate: sum, max: 0, where: {{noise: {word}}}}}"
    )
    assert rule.where == {"noise": word}


MESSAGES = [
    (
        HEAD + "  - {id: a, metric: respnse_latency, aggregate: p95, max: 1 s}\n",
        "gate.yaml:3:21: there is no metric `respnse_latency`\n  Did you mean `response_latency`?",
    ),
    (
        HEAD + "  - {id: a, metric: tool_errors, agregate: sum, max: 0}\n",
        "gate.yaml:3:34: `agregate` is not a key of this format\n  Did you mean `aggregate`?",
    ),
    (
        HEAD + RULE.replace("max:", "mx: 1, max:"),
        "gate.yaml:3:50: `mx` is not a key of this format\n  Did you mean `max`?",
    ),
    (
        HEAD + RULE.replace("sum", "meen"),
        "gate.yaml:3:45: `meen` is not a value of `aggregate`\n  Did you mean `mean`?",
    ),
    (
        HEAD + RULE.replace("sum", "best"),
        "gate.yaml:3:45: `best` is not a value of `aggregate`\n"
        "  It can be: p50, p90, p95, p99, max, mean, sum, count, rate.",
    ),
    (
        HEAD + RULE.replace(", max: 0", ""),
        "gate.yaml:3:5: the rule `a` has no limit, so it judges nothing\n"
        "  Give it one of: max, min, max_increase, max_decrease, max_gap.",
    ),
    (
        HEAD + RULE + RULE,
        "gate.yaml:4:10: the id `a` is taken",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, max: 1"),
        "gate.yaml:3:58: the key `max` stands here twice\n"
        "  It is on line 3 already; keep one of them.",
    ),
    (
        HEAD + "  - {id: a, metric: response_latency, aggregate: p95, max: 3}\n",
        "gate.yaml:3:60: `max: 3` is not a quantity of response_latency\n"
        "  Write a time with its unit, for instance 250 ms or 1.5 s.",
    ),
    (
        HEAD + "  - {id: a, metric: response_latency, aggregate: p95, max_increase: -3 ms}\n",
        "gate.yaml:3:69: `max_increase: -3 ms` is not a quantity of response_latency\n"
        "  Write a time with its unit, for instance 250 ms or 1.5 s.",
    ),
    (
        HEAD + "  - {id: a, metric: response_latency, aggregate: rate, max: 3 s}\n",
        "gate.yaml:3:50: `rate` says nothing about response_latency, which is not a share of "
        "anything\n  Use a percentile, max or mean.",
    ),
    (
        HEAD + "  - {id: a, metric: divergence, aggregate: sum, max_increase: 0}\n",
        "gate.yaml:3:49: divergence compares with the baseline already, so `max_increase` says "
        "nothing\n  Give it a `max` instead.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, severity: warning"),
        "gate.yaml:3:3: no rule has the severity error, so this gate can never fail\n"
        "  Make at least one rule an error.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, covered_by: [b]"),
        "gate.yaml:3:71: `b` is no error rule that stands before this one\n"
        "  A cause must be judged first.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, where: {age: 70}"),
        'gate.yaml:3:71: `age` must be a text\n  Write it in quotes: "70".',
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, where: {vip: true}"),
        'gate.yaml:3:71: `vip` must be a text\n  Write it in quotes: "true".',
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, where: {vip: }"),
        "gate.yaml:3:70: `vip` must be a text",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, min_n: 0"),
        "gate.yaml:3:65: `min_n`: 0 is less than the minimum of 1",
    ),
    (
        HEAD + "  - {id: a, metric: response_latency, aggregate: p99, max: 1 s, min_n: 50}\n",
        "gate.yaml:3:65: a p99 needs 100 samples, and `min_n: 50` would take fewer\n"
        "  Of fewer samples the p99 is the largest: use max, or leave min_n out.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, about: calls_to_come"),
        "gate.yaml:3:58: `sum` belongs to the calls that it was taken of, so it says nothing "
        "about calls to come\n  Use mean, rate or a percentile.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, max_gap: 5 points}\n",
        "gate.yaml:3:54: `max_gap` needs `max_gap_between` beside it\n"
        "  For instance `max_gap_between: accent` and `max_gap: 10 points`.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, max_gap: 5 points, "
        "max_gap_between: accent, by: accent}\n",
        "gate.yaml:3:90: `by` or `where` leaves one accent to each judgement, and a gap needs "
        "two\n  Leave it out there, or judge the gap between another key.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, max_gap: 5 points, "
        "max_gap_between: accent, where: {accent: irish}}\n",
        "gate.yaml:3:90: `by` or `where` leaves one accent to each judgement, and a gap needs "
        "two\n  Leave it out there, or judge the gap between another key.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max_gap: 1, max_gap_between: accent"),
        "gate.yaml:3:45: `sum` grows with the number of calls, so levels of different size cannot "
        "be compared by it\n  Use mean, rate or a percentile.",
    ),
    (
        HEAD
        + "  - {id: a, metric: tool_errors, aggregate: mean, max_gap: -1, max_gap_between: x}\n",
        "gate.yaml:3:60: `max_gap: -1` is not a quantity of tool_errors\n  Write a plain number.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, max_decrease: 5}\n",
        "gate.yaml:3:68: `max_decrease: 5` has no unit, and task_completed is a share\n"
        "  Write 5 points, or 5% for a part of what the baseline had.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, min: 1}\n",
        "gate.yaml:3:59: `min: 1` has no unit, and task_completed is a share\n"
        "  Write 100%.",
    ),
    (
        HEAD + "  - {id: a, metric: word_error_rate, aggregate: rate, max: 0.05}\n",
        "gate.yaml:3:60: `max: 0.05` has no unit, and word_error_rate is a share\n  Write 5%.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: mean, max_gap: 10, "
        "max_gap_between: accent}\n",
        "gate.yaml:3:63: `max_gap: 10` has no unit, and task_completed is a share\n"
        "  Write 10 points.",
    ),
    (
        HEAD + "  - {id: a, metric: packet_loss, aggregate: p50, max: 100%}\n",
        "gate.yaml:3:55: `max: 100%` can never be broken: packet_loss goes from 0% to 100%\n"
        "  Write one from 0% to below 100%.",
    ),
    (
        HEAD + "  - {id: a, metric: task_completed, aggregate: rate, min: 120%}\n",
        "gate.yaml:3:59: `min: 120%` can never be kept: task_completed goes from 0% to 100%\n"
        "  Write one from above 0% to 100%.",
    ),
    (
        HEAD + "  - {id: a, metric: response_latency, aggregate: count, max: 1 s}\n",
        "gate.yaml:3:62: `max: 1 s` is not a quantity of the count of response_latency\n"
        "  Write a plain number.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: 0, confidence: 70%"),
        "gate.yaml:3:70: `confidence: 70%` is not between 80% and 100%\n"
        "  95% is usual. Nothing that is taken from a sample is sure to 100%.",
    ),
    (
        HEAD + RULE + "confidence: 100%\n",
        "gate.yaml:4:13: `confidence: 100%` is not between 80% and 100%\n"
        "  95% is usual. Nothing that is taken from a sample is sure to 100%.",
    ),
    (
        HEAD + RULE + "confidence: high\n",
        "gate.yaml:4:13: `confidence: high` is not between 80% and 100%\n"
        "  95% is usual. Nothing that is taken from a sample is sure to 100%.",
    ),
    (
        HEAD + RULE + "family: bonferroni\n",
        "gate.yaml:4:9: `bonferroni` is not a value of `family`\n"
        "  It can be: holm, benjamini-hochberg, none.",
    ),
    (
        HEAD + RULE + "undecided: pass\n",
        "gate.yaml:4:12: `pass` is not a value of `undecided`\n"
        "  It can be: no_verdict, fail, pass_with_warning.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: yes"),
        "gate.yaml:3:55: `max: yes` is not a quantity of tool_errors\n  Write a plain number.",
    ),
    (
        HEAD + RULE.replace("max: 0", "max: true"),
        "gate.yaml:3:55: `max` must be a number or a text",
    ),
    (
        HEAD + RULE.replace("id: a", "id: A b"),
        "gate.yaml:3:10: `id` must match ^[a-z0-9][a-z0-9-]*$",
    ),
    (
        "version: 2\nrules:\n" + RULE,
        "gate.yaml:1:10: `version` is 2, this lkgate knows 1\n"
        "  Update lkgate, or write the version it knows.",
    ),
    (
        "rules: []\nversion: 1\n",
        "gate.yaml:1:8: `rules` is empty\n  Name at least one, or leave it out.",
    ),
    ("", "gate.yaml: the file is empty\n  Begin with `version: 1` and `rules:`."),
    ("version: 1\n", "gate.yaml:1:1: the file has no `rules`"),
    (
        "version: 1\nrule:\n" + RULE,
        "gate.yaml:2:1: `rule` is not a key of this format\n  Did you mean `rules`?",
    ),
    (
        HEAD + "  - {id: a, metric: tool_errors, max: 0}\n",
        "gate.yaml:3:5: this rule has no `aggregate`",
    ),
    ("- a\n", "gate.yaml:1:1: this must be a mapping"),
    (
        "a: [1\nb: 2\n",
        "gate.yaml:2:2: this is not YAML: while parsing a flow sequence, expected ',' or ']', "
        "but got ':'\n  It began on line 1.",
    ),
    (
        "a: &x 1\nb: *x\n",
        "gate.yaml:2:4: the alias `*x` is not allowed here\n  Write out what it stands for.",
    ),
    (
        HEAD + RULE + "calls: [book, move, book]\n",
        "gate.yaml:4:21: `book` stands in `calls` twice",
    ),
    (
        HEAD + RULE + "calls: []\n",
        "gate.yaml:4:8: `calls` is empty\n  Name at least one, or leave it out.",
    ),
    (
        HEAD + RULE + "calls: [12]\n",
        'gate.yaml:4:9: this must be a text\n  Write it in quotes: "12".',
    ),
    (
        "a: !!python/name:os.system x\n",
        "gate.yaml:1:4: the tag tag:yaml.org,2002:python/name:os.system is not allowed here",
    ),
    ("? [a]\n: b\n", "gate.yaml:1:3: a key must be text\n  Put it in quotes."),
    ("a: 1\n---\nb: 2\n", "gate.yaml:2:1: a second document begins here\n  Keep one of the two."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MESSAGES, ids=[m for _, m in MESSAGES])
def test_message(text: str, message: str) -> None:
    assert wrong(text) == message


def test_hostile_files_are_refused() -> None:
    assert wrong("[" * 5000) == "gate.yaml: this is nested too deeply"
    assert "is not a quantity" in wrong(HEAD + RULE.replace("max: 0", "max: " + "9" * 5000))
    assert "is not a quantity" in wrong(HEAD + RULE.replace("max: 0", "max: .nan"))
    assert "is not a quantity" in wrong(HEAD + RULE.replace("max: 0", "max: .inf"))
    assert "is not a quantity" in wrong(HEAD + RULE.replace("max: 0", "max: 1e999"))


def test_unreadable_files(tmp_path: Path) -> None:
    def told(path: Path) -> str:
        with pytest.raises(GateFileError) as error:
            load(path)
        return str(error.value).replace(str(tmp_path), "")

    assert told(tmp_path / "none.yaml") == (
        "/none.yaml: the gate file cannot be read: No such file or directory\n"
        "  Name a gate file with --gate, or under `gates` in [tool.lkgate]."
    )
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert told(binary) == "/binary.yaml: the gate file is not UTF-8"
    large = tmp_path / "large.yaml"
    large.write_bytes(b" " * 1_000_001)
    assert told(large) == "/large.yaml: the gate file is larger than 1 MB"
    mark = tmp_path / "mark.yaml"
    mark.write_bytes(b"\xef\xbb\xbf" + (HEAD + RULE).encode())
    assert load(mark).rules[0].id == "a"


@pytest.mark.parametrize(
    "limit",
    [
        "min: 0",
        "max: -5%",
        "max_decrease: 100 points",
        "max_decrease: 100%",
        "max_decrease: {absolute: 500 points, relative: 5%}",
        "max_decrease: {absolute: 0.1, relative: 5%}",
        "max_increase: 100 points",
        "max_gap: 100 points, max_gap_between: accent",
    ],
)
def test_a_limit_of_shares_that_judges_nothing_is_refused(limit: str) -> None:
    told = wrong(HEAD + f"  - {{id: a, metric: packet_loss, aggregate: rate, {limit}}}")
    assert "can never be" in told or "has no unit" in told


def test_limits_of_shares_that_judge_something() -> None:
    rule = "  - {{id: a, metric: {}, aggregate: {}, {}}}"
    for limit in ("max: 0", "max_increase: 0", "max_decrease: 99 points", "max_increase: 100%"):
        assert only(rule.format("packet_loss", "rate", limit)).metric == "packet_loss"
    # More words can be heard than were said.
    assert only(rule.format("word_error_rate", "rate", "max: 150%")).max == 1.5
    # A sum of shares is no share.
    assert only(rule.format("task_completed", "sum", "min: 9")).min == 9.0


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_metric_can_be_ruled(name: str) -> None:
    limit = {"us": "1 s", "ratio": "5%"}.get(SPECS[name].unit, "0")
    rule = only(f"  - {{id: a, metric: {name}, aggregate: max, max: {limit}}}")
    assert rule.metric == name


def test_every_gate_in_the_documentation_loads() -> None:
    root = Path(__file__).parents[2]
    found = 0
    for page in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            if "metric:" in block:
                found += 1
                # A block of rules that only advise is no whole gate.
                rules = HEAD + RULE.lstrip() + dedent(block)
                parse(block if "rules:" in block else rules, page.name)
    assert found >= 7


def test_count_of_samples_has_no_unit() -> None:
    rule = only("  - {id: a, metric: response_latency, aggregate: count, min: 20}")
    assert rule.min == 20


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("250 ms", "us", 250_000.0),
        ("1.5s", "us", 1_500_000.0),
        ("2 min", "us", 120_000_000.0),
        ("5%", "ratio", 0.05),
        ("2 points", "ratio", 0.02),
        (0.05, "ratio", 0.05),
        (3, "count", 3.0),
        ("3 words", "words", 3.0),
    ],
)
def test_limits(written: float | str, unit: Unit, value: float) -> None:
    assert quantity.limit(written, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("5", "us"),
        (5, "us"),
        ("5%", "us"),
        ("5 ms", "ratio"),
        ("3 ms", "count"),
        ("x", "count"),
        ("", "us"),
        ("9" * 21, "count"),
    ],
)
def test_no_limits(written: float | str, unit: Unit) -> None:
    with pytest.raises(ValueError):
        quantity.limit(written, unit)


def test_margins() -> None:
    assert quantity.margin("25%", "us") == Margin(None, 0.25)
    assert quantity.margin("25%", "ratio") == Margin(None, 0.25)
    assert quantity.margin("2 points", "ratio") == Margin(0.02, None)
    assert quantity.margin(0.02, "ratio") == Margin(0.02, None)
    assert quantity.margin({"absolute": "1 s", "relative": "10%"}, "us") == Margin(1e6, 0.1)
    for written in ("-1 ms", "-5%"):
        with pytest.raises(ValueError):
            quantity.margin(written, "us")


plain = st.text("ab :#-'\"[]{}&*!|>%@,?\n0123456789.~", max_size=40)


@given(text=plain)
def test_any_text_is_parsed_or_refused_with_its_place(text: str) -> None:
    try:
        parse(text, "gate.yaml")
    except GateFileError as error:
        assert (error.where or "").startswith("gate.yaml")


@given(
    value=st.recursive(
        st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc yn", max_size=5) | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3)
        ),
    )
)
def test_json_is_read_as_json(value: Json) -> None:
    assert document.parse(json.dumps(value), "x", GateFileError).value == value


def test_a_percentile_is_not_the_largest_sample() -> None:
    assert [carried_by(one) for one in ("p50", "p90", "p95", "p99", "max", "mean")] == [
        *(2, 10, 20, 100),
        *(1, 1),
    ]
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        needs = carried_by(name)  # type: ignore[arg-type]
        values = [float(n) for n in range(needs)]
        assert rank(values, share) < max(values)
        assert rank(values[:-1], share) == max(values[:-1])
