"""A table of prices: the team's own, with its date."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.config.prices import parse_prices, read_prices
from lkgate.errors import ConfigError
from lkgate.model.price import Price, PriceTable

HEAD = "version: 1\ndate: 2026-11-20\ncurrency: EUR\n"


def test_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        f"{HEAD}models:\n"
        "  acme/large: {input_tokens: 2.5, cached_input_tokens: 0.5, output_tokens: 10}\n"
        "  voice: {characters: 15, audio_minutes: 0.01}\n"
    )
    assert read_prices(path) == PriceTable(
        "2026-11-20",
        "EUR",
        {
            "acme/large": Price(2.5, 0.5, 10.0),
            "voice": Price(characters=15.0, audio_minutes=0.01),
        },
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "prices.yaml:1:1: None is not of type 'object'"),
        (HEAD, "prices.yaml:1:1: 'models' is a required property"),
        ("version: 1\ncurrency: EUR\nmodels: {}\n", "'date' is a required property"),
        (HEAD.replace("20", "today", 1) + "models: {}\n", "`today26-11-20` is no date"),
        (HEAD.replace("11-20", "13-20") + "models: {}\n", "prices.yaml:2:7: `2026-13-20` is no"),
        (f"{HEAD}models: {{m: {{}}}}\n", "models.m:"),
        (f"{HEAD}models: {{m: {{input_tokens: -1}}}}\n", "models.m.input_tokens: -1 is less than"),
        (f"{HEAD}models: {{m: {{tokens: 1}}}}\n", "models.m: Additional properties"),
        (f"{HEAD}models: {{m: {{input_tokens: dear}}}}\n", "models.m.input_tokens: 'dear' is not"),
        (HEAD.replace("1", "2", 1) + "models: {}\n", "version: 1 was expected"),
        ("version: [", "this is not YAML"),
    ],
)
def test_what_is_wrong_and_where(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_prices(text, "prices.yaml")
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_prices(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_prices(tmp_path / "binary.yaml")
    (tmp_path / "large.yaml").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        read_prices(tmp_path / "large.yaml")
