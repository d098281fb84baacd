"""What a judge said, one line a vote: text that belongs beside the recordings, in git.

Lines are sorted by what was asked, so that two branches that asked about other conversations merge
without a conflict. A vote that two branches both asked for stands there twice: the first counts.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from lkgate.bundle.canonical import compact, parse
from lkgate.errors import ConfigError
from lkgate.model.event import Json
from lkgate.model.judgement import Ballot, Judgement, Vote


@dataclass(slots=True)
class Store:
    """The votes of one judge.

    Attributes:
        path: the file; it need not be there.
        votes: by key and number, from 1.
        judges: of each key, the identity of the judge that was asked.
    """

    path: Path
    votes: dict[tuple[str, int], Vote] = field(default_factory=dict)
    judges: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path, judge: str) -> Store:
        """What is known of a judge.

        Raises:
            ConfigError: the file cannot be read, or a line of it is no vote.
        """
        store = cls(directory / f"{judge}.jsonl")
        try:
            lines = store.path.read_bytes().splitlines()
        except FileNotFoundError:
            return store
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                key, at, identity, vote = _decode(parse(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigError(
                    f"this line is no vote of a judge: {error}",
                    where=f"{store.path}:{number}",
                    next_step="Restore the file, or delete the line: the judge is asked again.",
                ) from error
            store.votes.setdefault((key, at), vote)
            store.judges[key] = identity
        return store

    def judgement(self, key: str, votes: int) -> Judgement | None:
        """So many votes on one conversation; ``None`` if fewer were ever asked for."""
        found = [self.votes.get((key, number)) for number in range(1, votes + 1)]
        known = tuple(vote for vote in found if vote is not None)
        return Judgement(known) if len(known) == votes else None

    def lacking(self, key: str, votes: int) -> list[int]:
        """Numbers of the votes that were not asked for yet."""
        return [number for number in range(1, votes + 1) if (key, number) not in self.votes]

    def criteria(self, identity: str) -> set[str]:
        """What a judge was told to judge by, over everything that it was asked."""
        return {
            vote.criteria for (key, _), vote in self.votes.items() if self.judges[key] == identity
        }

    def models(self, identity: str) -> set[str]:
        """Who answered for a judge, as ``provider/model``: a plugin's default may change."""
        return {vote.model for (key, _), vote in self.votes.items() if self.judges[key] == identity}

    def add(self, key: str, number: int, identity: str, vote: Vote) -> None:
        """Keep a vote, on disk too, so that nothing that was paid for is lost."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = compact(_encode(key, number, identity, vote))
        with _alone(self.path.parent), self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self.votes[key, number] = vote
        self.judges[key] = identity

    def tidy(self) -> None:
        """Sort the lines of the file, those too that another process added to it meanwhile."""
        if not self.votes:
            return
        with _alone(self.path.parent):
            now = Store.read(self.path.parent, self.path.stem)
            lines = [
                compact(_encode(key, number, now.judges[key], vote))
                for (key, number), vote in sorted(now.votes.items(), key=lambda entry: entry[0])
            ]
            new = self.path.with_suffix(f".{os.getpid()}.new")
            new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            new.replace(self.path)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """No other process changes the votes meanwhile, where the file system can tell them."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _encode(key: str, number: int, identity: str, vote: Vote) -> dict[str, Json]:
    return {
        "key": key,
        "vote": number,
        "judge": identity,
        "verdict": vote.verdict,
        "reasoning": vote.reasoning,
        "criteria": vote.criteria,
        "model": vote.model,
        "agents": vote.agents,
        "tokens": vote.tokens,
    }


def _decode(value: Json) -> tuple[str, int, str, Vote]:
    if not isinstance(value, dict):
        raise TypeError("it is no object")
    number, tokens = value["vote"], value["tokens"]
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"its number is {number!r}")
    if tokens is not None and not isinstance(tokens, int):
        raise ValueError(f"its tokens are {tokens!r}")
    verdict = next((one for one in get_args(Ballot) if one == value["verdict"]), None)
    if verdict is None:
        raise ValueError(f"its verdict is {value['verdict']!r}")
    vote = Vote(
        verdict=verdict,
        reasoning=_text(value, "reasoning"),
        criteria=_text(value, "criteria"),
        model=_text(value, "model"),
        agents=_text(value, "agents"),
        tokens=tokens,
    )
    return _text(value, "key"), number, _text(value, "judge"), vote


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise TypeError(f"its {name} is {text!r}")
    return text
