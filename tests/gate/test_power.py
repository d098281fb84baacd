"""``lkgate power``: rule by rule, what the recordings can show; and what a gate does with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.gate.load import load
from lkgate.gate.power import Power, power
from lkgate.measure.session import Session, session_of
from lkgate.report.power import render
from tests.gate.calls import CALLS, truth
from tests.gate.suites import gate
from tests.measure.builders import V1, Step, labels, play
from tests.power.__main__ import run
from tests.power.suites import NOISES, demo_gate, recorded, strict_gate, tally

LATENCY = "metric: response_latency, aggregate: mean"


def sessions(times: int = 3) -> list[tuple[str, Session]]:
    """The eight calls of the tests, so many times, half of them of another accent."""
    made = []
    for n in range(times):
        for at, (name, steps) in enumerate(CALLS.items()):
            told = truth(steps)
            accent = "scottish" if at % 2 else "american"
            spoken = labels(
                *told.caller,
                tools=[(one.name, one.arguments) for one in told.tools],
                cohort={"accent": accent},
            )
            made.append((f"{name}-{n}", session_of(play(steps, V1), spoken)))
    return made


def only(rule: str, times: int = 3, **head: str) -> Power:
    lines = "".join(f"{key}: {value}\n" for key, value in head.items())
    (found,) = power(gate(rule, head=lines), sessions(times))
    return found


def text(*rules: str) -> list[str]:
    calls = sessions()
    made = gate(*rules)
    return render(made, power(made, calls), recordings=len(calls)).plain.splitlines()


def test_a_rise_in_the_words_of_the_question() -> None:
    lines = text(f"{LATENCY}, max_increase: 50 ms")
    assert lines[:3] == [
        "What 24 recordings can show by gate.yaml",
        "",
        "About calls to come",
    ]
    found = only(f"{LATENCY}, max_increase: 50 ms")
    assert found.found is not None
    assert found.smaller is not None
    assert found.found > 50_000
    assert lines[3] == (
        f"  r0: with 24 calls a rise of mean of response_latency by {found.found / 1000:.0f} ms "
        f"would be found 90 % of the time; for {found.smaller / 1000:.0f} ms record about "
        f"{found.needed}"
    )
    assert lines[4].startswith("      50 ms allowed; with nothing but other timings ")


def test_more_calls_and_fewer_rules_find_more() -> None:
    rule = f"{LATENCY}, max_increase: 50 ms"
    few, many = only(rule, times=1).found, only(rule, times=4).found
    assert few is not None
    assert many is not None
    assert many < few
    among = power(gate(*[rule] * 6), sessions(1))[0].found
    assert among is not None
    assert among > few
    alone = power(gate(*[rule] * 6, head="family: none\n"), sessions(1))[0].found
    assert alone == few
    sure = only(f"{rule}, confidence: 99%", times=1).found
    assert sure is not None
    assert sure > few


def test_facts_about_these_calls() -> None:
    found = only("metric: barge_ins_ignored, aggregate: sum, max: 0")
    assert (found.exact, found.calls, found.needed) == (True, 24, 45)
    assert found.found == pytest.approx(1 - 0.1 ** (1 / 24))
    lines = text(
        "metric: barge_ins_ignored, aggregate: sum, max: 0",
        "metric: tool_errors, aggregate: sum, max_increase: 0",
    )
    assert lines[2:] == [
        "Exact, about these recordings alone",
        "  r0, r1: a fault that hits 9 % of calls would be in one of these 24 90 % of the time; "
        "for 5 % record about 45",
    ]


def test_shares_of_calls_and_rates() -> None:
    done = only("metric: task_completed, aggregate: mean, max_decrease: 5 points")
    assert done.found is not None
    assert done.smaller is not None
    assert 0.15 < done.found < 0.45
    assert done.smaller == pytest.approx(0.05 + (done.found - 0.05) / 2)
    assert done.needed in (48, 72, 96, 120, 144)
    limit = only("metric: task_completed, aggregate: mean, min: 90%, about: calls_to_come")
    assert limit.found is not None
    assert limit.found > 0.1
    words = only("metric: word_error_rate, aggregate: rate, max_increase: 2 points")
    # Every word was heard: other timings change nothing, and any rise beyond the margin shows.
    assert words.found == pytest.approx(0.02)
    assert (words.held, words.needed) == (1.0, None)
    assert only(f"{LATENCY}, max: 2 s, about: calls_to_come").found is not None
    assert only(f"{LATENCY}, max_increase: 10%").found is not None
    fall = only("metric: talk_over_ratio, aggregate: mean, max_decrease: 1 points")
    assert fall.found is not None


def test_passes_are_those_of_the_gate() -> None:
    """Calls that show no rare fault do not exclude one, and it is not said that they would."""
    rule = "metric: talk_over_ratio, aggregate: mean, max_increase: {}"
    strict, wide = only(rule.format("1 points")), only(rule.format("60 points"))
    assert strict.held is not None
    assert wide.held is not None
    assert strict.held < 0.05
    assert wide.held > 0.9


def test_cohorts_and_gaps() -> None:
    found = power(gate(f"{LATENCY}, max_increase: 50 ms, by: accent"), sessions())
    assert [(one.rule.label, one.calls) for one in found] == [
        ("r0 [accent american]", 12),
        ("r0 [accent scottish]", 12),
    ]
    gap = "max_gap_between: accent, max_gap"
    for rule in (
        f"{LATENCY}, {gap}: 100 ms",
        f"metric: task_completed, aggregate: mean, {gap}: 5%",
    ):
        one = only(rule)
        assert one.found is not None
        assert one.found > one.allowed > 0
    line = text(f"metric: task_completed, aggregate: mean, {gap}: 5 points")[3]
    assert "points in mean of task_completed between levels of accent would be found" in line


def test_what_cannot_be_said_is_not_said() -> None:
    def told(rule: str, calls: list[tuple[str, Session]]) -> str | None:
        (found,) = power(gate(rule), calls)
        assert found.found is None
        return found.reason

    rule = f"{LATENCY}, max_increase: 50 ms"
    one = sessions(1)[:1]
    assert told(rule, one) == "a single recording can tell"
    assert told(rule, []) == "no recording is of this slice"
    assert told(f"{rule}, where: {{accent: welsh}}", one) == "no recording is of this slice"
    gap = f"{LATENCY}, max_gap_between: accent, max_gap: 100 ms"
    assert told(gap, one) == "a gap needs two levels of accent"
    assert told(gap, sessions(1)[:2]) == "a level of accent has too few calls to tell"
    compares = "metric: diverged_turns, aggregate: mean, max: 5%, about: calls_to_come"
    assert told(compares, sessions(1)) == "it compares with the baseline: only a replay can tell"
    asks = (
        "metric: 'judge:polite', aggregate: mean, min: 80%, about: calls_to_come, "
        "severity: error, min_agreement: 60%"
    )
    assert told(asks, sessions(1)) == "a judge is asked about replays: only a replay can tell"
    short = [("a", session_of(play([Step("One.", "Two.")], V1), labels("One.")))]
    none = "metric: barge_in_yield, aggregate: mean, max_increase: 1 s"
    assert told(none, short * 2) == "no recording can tell: nothing to measure in this call"
    few = "metric: task_completed, aggregate: mean, max_decrease: 60 points"
    assert told(few, sessions(1)[:2]) == "not even a fault in every call would be shown"


def test_a_metric_of_the_gates_own_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("def turns(session):\n    return len(session.turns)\n", encoding="utf-8")
    made = tmp_path / "gate.yaml"
    made.write_text(
        "version: 1\nrules:\n  - {id: turns, metric: 'python:own.py:turns', aggregate: mean, "
        "max_increase: 1, about: calls_to_come}\n",
        encoding="utf-8",
    )
    (found,) = power(load(made), sessions(1))
    assert (found.reason, found.calls) == (None, 8)
    assert found.found is not None
    assert found.found > 1


def test_a_build_against_itself_fails_seldom_and_a_later_one_nearly_always() -> None:
    """A few of the suites of ``python -m tests.power``, whose tables are in docs/statistics.md."""
    patterns = recorded()
    same = run(patterns, demo_gate(), 20, NOISES[2], 20)
    assert tally(same)["fail"] <= 2
    later = run(patterns, demo_gate(), 20, NOISES[2], 20, later_us=150_000)
    assert tally(later)["fail"] >= 17


@pytest.mark.soak
def test_error_rates_as_promised() -> None:
    patterns = recorded()
    for noise in NOISES:
        assert tally(run(patterns, demo_gate(), 20, noise, 200))["fail"] <= 10
        later = run(patterns, demo_gate(), 20, noise, 200, later_us=150_000)
        assert tally(later)["fail"] >= 180
    wrong = tally(run(patterns, strict_gate("holm"), 20, NOISES[1], 1000))["fail"]
    assert wrong <= 50
