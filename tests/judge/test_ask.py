"""Asked through livekit.agents.evals, by a scripted LLM plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.errors import ConfigError
from lkgate.judge.ask import ask, recall
from lkgate.judge.conversation import conversation_of
from lkgate.judge.provider import Plugin
from lkgate.judge.store import Store
from lkgate.model.judgement import Vote
from lkgate.secret import Secrets
from tests.judge.asking import POLITE, RUDE, asked, entry, nobody
from tests.judge.scripted import ASKED
from tests.measure.builders import Step, play

BOTH = [("good", POLITE), ("bad", RUDE)]


def test_each_conversation_gets_its_verdict(tmp_path: Path) -> None:
    found, spent = asked(entry(), tmp_path, BOTH)
    assert [one.judgement.verdict for one in found if one.judgement] == ["pass", "fail"]
    assert spent.calls == 2
    assert "Criteria: The agent must be helpful." in ASKED[-1]
    assert "user: I need an appointment.\nassistant: Not my problem." in ASKED[-1]


def test_what_was_said_once_is_said_again_without_anybody(tmp_path: Path) -> None:
    judge = entry(votes=3)
    first, _ = asked(judge, tmp_path, BOTH)
    kept = (tmp_path / "helpful.jsonl").read_bytes()
    again, spent = ask(judge, Store.read(tmp_path, "helpful"), BOTH, nobody, Secrets())
    assert [one.judgement for one in again] == [one.judgement for one in first]
    assert (spent.calls, spent.tokens) == (0, 0)
    assert (tmp_path / "helpful.jsonl").read_bytes() == kept


def test_more_votes_ask_only_for_those_that_lack(tmp_path: Path) -> None:
    asked(entry(), tmp_path, BOTH)
    found, spent = asked(entry(votes=3), tmp_path, BOTH)
    assert spent.calls == 4
    assert [one.asked for one in found] == [2, 2]


def test_votes_that_differ(tmp_path: Path) -> None:
    ((one,), _) = asked(entry(votes=3, turns=True), tmp_path, [("good", POLITE)])
    assert one.judgement is not None
    assert (one.judgement.verdict, one.judgement.agreement) == ("pass", 2 / 3)
    ((two,), _) = asked(entry(votes=4, turns=True, name="even"), tmp_path, [("good", POLITE)])
    assert two.judgement is not None
    assert (two.judgement.verdict, two.judgement.agreement) == (None, 0.5)


def test_the_budget_of_calls_ends_the_asking(tmp_path: Path) -> None:
    found, spent = asked(entry(votes=2, max_calls=3), tmp_path, BOTH)
    assert spent.calls == 3
    assert found[1].judgement is None
    assert found[1].reason == "its budget of 3 calls is spent"
    # The vote that was paid for is kept.
    again = recall(entry(votes=2), Store.read(tmp_path, "helpful"), "bad", RUDE)
    assert again.reason == "it gave 1 of its 2 votes"


def test_the_budget_of_tokens_ends_the_asking(tmp_path: Path) -> None:
    found, spent = asked(entry(max_tokens=1), tmp_path, BOTH)
    assert found[0].judgement is not None
    assert found[1].reason == "its budget of 1 tokens is spent"
    assert spent.tokens == len(ASKED[-1])
    assert not spent.estimated


def test_tokens_that_nobody_counts_are_estimated(tmp_path: Path) -> None:
    found, spent = asked(entry(counts=False, max_tokens=1), tmp_path, BOTH)
    assert spent.estimated
    assert spent.tokens > 0
    assert found[1].reason == "its budget of 1 tokens is spent"
    assert found[0].judgement is not None
    assert found[0].judgement.votes[0].tokens is None


def test_an_answer_that_is_no_vote(tmp_path: Path) -> None:
    ((one,), spent) = asked(entry(says="Well done!"), tmp_path, [("good", POLITE)])
    assert one.judgement is None
    assert one.reason == "ValueError: LLM did not return verdict arguments"
    assert spent.calls == 1
    assert not (tmp_path / "helpful.jsonl").exists()


def test_handoffs_are_judged_only_where_there_is_one(tmp_path: Path) -> None:
    handed = conversation_of(play([Step("I am ill.", "Here is the nurse.", handoff="nurse")]))
    found, spent = asked(entry(kind="handoff"), tmp_path, [("a", POLITE), ("b", handed)])
    assert (found[0].applies, found[0].judgement) == (False, None)
    assert found[1].judgement is not None
    assert spent.calls == 1


def test_task_completion_is_told_what_the_agent_was_told(tmp_path: Path) -> None:
    judge = entry(kind="task_completion", instructions="Book appointments.")
    asked(judge, tmp_path, [("good", POLITE)])
    assert "Agent Instructions:\nBook appointments." in ASKED[-1]


def test_every_kind_of_livekits_can_be_made() -> None:
    from typing import get_args

    from lkgate.config.judges import Kind

    for kind in get_args(Kind):
        with Plugin(entry(kind=kind)) as plugin:
            assert plugin.vote(POLITE).verdict == "pass"


def test_an_empty_conversation_is_not_judged(tmp_path: Path) -> None:
    (found,), _ = ask(entry(), Store.read(tmp_path, "helpful"), [("x", ())], nobody, Secrets())
    assert (found.judgement, found.reason) == (None, "nothing was said in it")


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    secrets = Secrets.of({"MY_TOKEN": "vote 1, and more"})
    judge = entry()
    store = Store.read(tmp_path, "helpful")

    class Chatty:
        def vote(self, conversation: object) -> object:
            return Vote("pass", "it said vote 1, and more of it", "", "m", "1", None)

    ask(judge, store, [("good", POLITE)], Chatty, secrets)  # type: ignore[arg-type]
    text = (tmp_path / "helpful.jsonl").read_text()
    assert "[MY_TOKEN]" in text
    assert "vote 1, and more" not in text


def test_a_plugin_without_its_key_says_so() -> None:
    with pytest.raises(ConfigError) as told:
        Plugin(entry(key=False))
    assert str(told.value) == (
        "lkgate.yaml:1: tests.judge.scripted:Scripted cannot be made: ValueError: api_key is "
        "required, either as argument or set SCRIPTED_API_KEY\n"
        "  Set the variable that holds its key, or mend `arguments`."
    )


@pytest.mark.parametrize(
    ("llm", "says"),
    [
        ("nowhere.at_all:LLM", "which is not here: No module named 'nowhere'"),
        ("tests.judge.scripted:Missing", "which is not here: module"),
        ("pathlib:Path", "pathlib:Path is no LLM of livekit.agents"),
    ],
)
def test_a_class_that_is_none(llm: str, says: str) -> None:
    from dataclasses import replace

    with pytest.raises(ConfigError) as told:
        Plugin(replace(entry(), llm=llm))
    assert says in str(told.value)


def test_without_livekit_agents_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("livekit.agents.evals")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "livekit.agents.evals", None)
    monkeypatch.setattr("livekit.agents.evals", None, raising=False)
    with pytest.raises(ConfigError) as told:
        Plugin(entry())
    assert "livekit-agents is needed here, and it is not installed" in str(told.value)
    assert "python -m pip install 'lkgate[judge]'" in str(told.value)


def test_two_processes_that_ask_at_once_lose_no_vote(tmp_path: Path) -> None:
    mine, theirs = (Store.read(tmp_path, "helpful") for _ in range(2))
    vote = Vote("pass", "polite", "", "m", "1", None)
    mine.add("b", 1, "j", vote)
    theirs.add("a", 1, "j", vote)
    theirs.add("a", 2, "j", vote)
    mine.tidy()
    (tmp_path / "helpful.new").mkdir()  # one name for all would be in the way
    theirs.tidy()
    assert list(Store.read(tmp_path, "helpful").votes) == [("a", 1), ("a", 2), ("b", 1)]
