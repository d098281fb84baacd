"""Normal form and alignment of words."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.words import MOST, Step, TooLongError, align, errors, similarity, words_of

words = st.lists(st.sampled_from("abcd"), max_size=7).map(tuple)


def test_normal_form() -> None:
    assert words_of("Well-known: it\u2019s 3 o'clock, 'now'!") == (
        "well",
        "known",
        "it's",
        "3",
        "o'clock",
        "now",
    )
    assert words_of("Caf\u00e9 \uff21\uff22") == ("caf\u00e9", "ab")
    assert words_of(" ... ") == ()
    assert words_of("\u0939\u093f\u0928\u094d\u0926\u0940, \u0915\u093e") == (
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u0915\u093e",
    )


@cache
def distance(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """The textbook's recursion."""
    if not a or not b:
        return len(a) + len(b)
    same = distance(a[1:], b[1:]) + (a[0] != b[0])
    return min(same, distance(a[1:], b) + 1, distance(a, b[1:]) + 1)


@given(a=words, b=words)
def test_alignment_is_cheapest_and_complete(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    steps = align(a, b)
    assert sum(name != "equal" for name, _, _ in steps) == distance(a, b)
    assert [i for _, i, _ in steps if i is not None] == list(range(len(a)))
    assert [j for _, _, j in steps if j is not None] == list(range(len(b)))
    for name, i, j in steps:
        if i is not None and j is not None:
            assert (a[i] == b[j]) == (name == "equal")
    assert errors(a, b) == distance(a, b)


@given(a=words, b=words)
def test_of_equally_cheap_alignments_it_is_always_the_same(
    a: tuple[str, ...], b: tuple[str, ...]
) -> None:
    """From the end: a substitution or match, else a deletion, else an insertion."""
    wanted: list[Step] = []
    i, j = len(a), len(b)
    while i or j:
        here = distance(a[:i], b[:j])
        same = i > 0 and j > 0 and a[i - 1] == b[j - 1]
        if i and j and here == distance(a[: i - 1], b[: j - 1]) + (not same):
            i, j = i - 1, j - 1
            wanted.insert(0, ("equal" if same else "substitute", i, j))
        elif i and here == distance(a[: i - 1], b[:j]) + 1:
            i -= 1
            wanted.insert(0, ("delete", i, None))
        else:
            j -= 1
            wanted.insert(0, ("insert", None, j))
    # A common head is aligned with itself, whatever else would be as cheap.
    if not a or not b or a[0] != b[0]:
        assert align(a, b) == tuple(wanted)


def test_longer_than_can_be_aligned() -> None:
    left, right = ("a",) * (MOST + 1), ("b",) * MOST
    for compare in (align, errors, similarity):
        with pytest.raises(TooLongError) as refused:
            compare(left, right)
        assert str(refused.value) == (
            "too long to be aligned word by word: 20,001 words against 20,000, "
            "at most 20,000 against 20,000"
        )
    # Only what differs counts.
    assert errors((*left, "x", *left), (*left, "y", *left)) == 1


def test_similarity() -> None:
    assert similarity((), ()) == 1.0
    assert similarity(("a",), ()) == 0.0
    assert similarity(("a", "b", "c", "d"), ("a", "b", "x", "d")) == 0.75
