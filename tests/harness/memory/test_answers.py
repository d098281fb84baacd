"""Answers of a pure function, kept in a file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lkgate.harness.memory.answers import Answers, _check


def ask(file: Path, question: bytes, answer: float, *, of: str = "1") -> tuple[float, bool]:
    """The answer, and whether it was computed."""
    computed: list[float] = []

    def compute() -> float:
        computed.append(answer)
        return answer

    return Answers(file, of=of).to(question, compute), bool(computed)


def test_asked_once_a_question_and_a_version(tmp_path: Path) -> None:
    file = tmp_path / "turns"
    assert ask(file, b"a", 0.1) == (0.1, True)
    assert ask(file, b"a", 0.9) == (0.1, False)
    assert ask(file, b"b", 0.2) == (0.2, True)
    assert ask(file, b"a", 0.3, of="2") == (0.3, True)


@given(st.floats(allow_nan=False))
def test_a_number_comes_back_bit_for_bit(number: float) -> None:
    assert float.fromhex(number.hex()).hex() == number.hex()


def test_a_line_that_was_cut_or_altered_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "turns"
    ask(file, b"a", 0.1)
    line = file.read_text()
    for spoiled in (line[:-3], line.replace("p-4", "p-3"), "\xff" + line, "no\n", "1 2 3\n"):
        file.write_text(spoiled)
        assert ask(file, b"a", 0.5) == (0.5, True)


def test_a_file_that_grew_too_large_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "turns"
    key, value = "k" * 32, (0.5).hex()
    line = f"{key} {value} {_check(key, value)}\n"
    file.write_text(line * ((1 << 20) // len(line) + 1))
    ask(file, b"a", 0.1)
    assert len(file.read_text().splitlines()) == 1
    assert ask(file, b"a", 0.9) == (0.1, False)


def test_without_a_place_to_keep_it_every_question_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "turns"
    assert ask(file, b"a", 0.1) == (0.1, True)
    assert ask(file, b"a", 0.2) == (0.2, True)
