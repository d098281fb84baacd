"""Normal form and alignment of words."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.words import align, similarity, words_of

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


def test_similarity() -> None:
    assert similarity((), ()) == 1.0
    assert similarity(("a",), ()) == 0.0
    assert similarity(("a", "b", "c", "d"), ("a", "b", "x", "d")) == 0.75
