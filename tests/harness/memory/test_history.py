"""A history never changes an answer, whatever lies in its file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.harness.memory.history import History

QUESTIONS = st.lists(st.binary(max_size=3), max_size=8)


class Sum:
    """Answers with the sum of all it was asked: a state, as simple as one can be."""

    def __init__(self) -> None:
        self.total = 0
        self.asked = 0

    def __call__(self, question: bytes) -> bytes:
        self.asked += 1
        self.total += sum(question) + 1
        return str(self.total).encode()


def ask(file: Path, questions: list[bytes], *, of: str = "sum 1") -> tuple[list[bytes], int]:
    """The answers, and how many were computed."""
    native = Sum()
    history = History(file, file.with_suffix(".asked"), of=of, redo=native)
    answers = []
    for question in questions:
        answer = history.known(question)
        if answer is None:
            answer = native(question)
            history.learn(question, answer)
        answers.append(answer)
    history.close()
    assert list(file.parent.iterdir()) == [file]
    return answers, native.asked


def right(questions: list[bytes]) -> list[bytes]:
    native = Sum()
    return [native(question) for question in questions]


@given(st.lists(QUESTIONS, max_size=4))
def test_whatever_was_asked_before_the_answers_are_right(runs: list[list[bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "sum"
        for questions in runs:
            assert ask(file, questions)[0] == right(questions)
        for questions in runs[-1:]:
            assert ask(file, questions) == (right(questions), 0)


@given(QUESTIONS, st.data())
def test_a_file_that_was_cut_or_altered_costs_time_alone(
    questions: list[bytes], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "sum"
        ask(file, questions)
        held = bytearray(file.read_bytes())
        if held:
            at = data.draw(st.integers(0, len(held) - 1))
            if data.draw(st.booleans()):
                del held[at:]
            else:
                held[at] ^= data.draw(st.integers(1, 255))
        file.write_bytes(held)
        assert ask(file, questions)[0] == right(questions)
        assert ask(file, questions) == (right(questions), 0)


def test_a_run_that_leaves_the_way_half_through_keeps_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "sum"
    ask(file, [b"a", b"b", b"c"])
    # All is asked again: what answers "d" must have heard what came before.
    assert ask(file, [b"a", b"b", b"d", b"e"]) == (right([b"a", b"b", b"d", b"e"]), 4)
    assert ask(file, [b"a", b"b", b"d", b"e"])[1] == 0


def test_a_shorter_run_forgets_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sum"
    ask(file, [b"a", b"b", b"c"])
    assert ask(file, [b"a"])[1] == 0
    assert ask(file, [b"a", b"b", b"c"])[1] == 0


def test_another_version_is_asked_anew(tmp_path: Path) -> None:
    file = tmp_path / "sum"
    ask(file, [b"a", b"b"])
    assert ask(file, [b"a", b"b"], of="sum 2")[1] == 2


def test_two_at_once_do_not_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sum"
    ask(file, [b"a"])
    first = History(file, tmp_path / "one", of="sum 1", redo=Sum())
    second = History(file, tmp_path / "two", of="sum 1", redo=Sum())
    assert first.known(b"a") == b"98"
    assert second.known(b"a") is None
    second.learn(b"a", b"98")
    first.close()
    assert ask(file, [b"a"])[1] == 0


@pytest.mark.parametrize("place", ["missing/sum", "."])
def test_where_there_can_be_no_file_all_is_computed(tmp_path: Path, place: str) -> None:
    native = Sum()
    history = History(tmp_path / place, tmp_path / "asked", of="sum 1", redo=native)
    assert history.known(b"a") is None
    history.learn(b"a", native(b"a"))
    history.close()
    assert list(tmp_path.iterdir()) == []
