"""What is hidden of the environment's secrets, and what is not."""

from __future__ import annotations

import pytest

from lkgate.secret import Secrets

KEY = "sk-0123456789"


def hide(text: str, **environ: str) -> str:
    return Secrets.of(environ).hide(text)


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "AZURE_SPEECH_KEY",
        "APIKEY",
        "openai_api_key",
        "CLIENT_SECRET",
        "SECRET_OF_MINE",
        "HF_TOKEN",
        "TOKENS",
        "DB_PASSWORD",
        "PGPASSWORD",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "OPENAI_API_KEY_2",
        "OPENAI_KEY_PROD",
        "REDIS_PASS",
        "GH_PAT",
        "PRIVATE_KEY_PEM",
        "DATABASE_URL",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert hide(f"a {KEY}.", **{name: KEY}) == f"a [{name}]."


@pytest.mark.parametrize(
    "name", ["HOME", "LIVEKIT_URL", "TOKENIZERS_PARALLELISM", "KEYBOARD", "MONKEY", "KEY_FILE"]
)
def test_names_of_other_things(name: str) -> None:
    assert hide(f"a {KEY}.", **{name: KEY}) == f"a {KEY}."


def test_short_values_are_words() -> None:
    assert hide("a secret", LIVEKIT_API_SECRET="secret") == "a secret"
    assert hide("a", LIVEKIT_API_SECRET="") == "a"


def test_the_longer_of_two() -> None:
    assert hide(f"{KEY}-b {KEY}", A_KEY=KEY, B_KEY=f"{KEY}-b") == "[B_KEY] [A_KEY]"


def test_a_value_as_others_write_it() -> None:
    value = 'ab"cd/ef\nthe second line'
    assert hide('{"k": "ab\\"cd/ef\\nthe second line"}', A_KEY=value) == '{"k": "[A_KEY]"}'
    assert hide("?k=ab%22cd%2Fef%0Athe%20second%20line&", A_KEY=value) == "?k=[A_KEY]&"
    assert hide("> the second line", A_KEY=value) == "> [A_KEY]"


def test_a_value_that_was_cut() -> None:
    secrets = Secrets.of({"A_KEY": KEY})
    assert secrets.hide(f"{KEY[3:]} and {KEY[:9]}", cut=True) == "[A_KEY] and [A_KEY]"
    assert secrets.hide(KEY[:8], cut=True) == "[A_KEY]"
    assert secrets.hide(f"{KEY[6:]} and {KEY[:7]}", cut=True) == f"{KEY[6:]} and {KEY[:7]}"
    assert secrets.hide("", cut=True) == ""


def test_json() -> None:
    secrets = Secrets.of({"A_KEY": KEY})
    value = {"a": [f"x {KEY}", 1, None, True, {"b": (KEY, 1.5)}], KEY: {}}
    assert secrets.hide_in(value) == {
        "a": ["x [A_KEY]", 1, None, True, {"b": ["[A_KEY]", 1.5]}],
        "[A_KEY]": {},
    }
    assert Secrets().hide_in(value) is value


def test_they_are_not_shown_themselves() -> None:
    assert KEY not in repr(Secrets.of({"A_KEY": KEY}))
