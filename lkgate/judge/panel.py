"""The judges of a project, as a gate hears them: what was recorded, and nobody is asked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from lkgate.config import Config, JudgeEntry
from lkgate.errors import ConfigError
from lkgate.judge.ask import Judged, recall
from lkgate.judge.calibrate import read
from lkgate.judge.conversation import conversation_of
from lkgate.judge.store import Store
from lkgate.measure.judged import JUDGEMENT, PREFIX
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event, Json
from lkgate.model.gate import Gate
from lkgate.model.judgement import Trust

_SHOWN = 200


def judges_named(gate: Gate) -> list[str]:
    """The judges that a gate's rules are about."""
    metrics = dict.fromkeys(rule.metric for rule in gate.rules)
    return [name.removeprefix(PREFIX) for name in metrics if name.startswith(PREFIX)]


@dataclass(slots=True)
class Panel:
    """What the judges of some settings have said. Files are read when a judge is first named."""

    config: Config
    _stores: dict[str, Store] = field(default_factory=dict)

    def judge(self, name: str) -> JudgeEntry:
        """A judge of the settings.

        Raises:
            ConfigError: there is none of that name.
        """
        if name in self.config.judges:
            return self.config.judges[name]
        known = ", ".join(sorted(self.config.judges))
        close = difflib.get_close_matches(name, self.config.judges, n=1)
        meant = f"Did you mean `{close[0]}`? " if close else ""
        raise ConfigError(
            f"there is no judge `{name}`",
            where=str(self.config.path) if self.config.path else None,
            next_step=f"{meant}There are: {known}."
            if known
            else f"Write one as [tool.lkgate.judges.{name}]: see docs/judges.md.",
        )

    def store(self, name: str) -> Store:
        """What a judge has said; raises as :meth:`judge` and ``Store.read``."""
        self.judge(name)
        if name not in self._stores:
            self._stores[name] = Store.read(self.config.judgements, name)
        return self._stores[name]

    def trust(self, names: Iterable[str]) -> dict[str, Trust]:
        """How those that were calibrated were; raises as :meth:`store`."""
        found = {
            name: read(self.config.judgements, self.judge(name), self.store(name)) for name in names
        }
        return {name: trust for name, trust in found.items() if trust is not None}

    def trusting(self, gate: Gate) -> Gate:
        """A gate that knows its judges; raises as :meth:`store`."""
        names = judges_named(gate)
        return replace(gate, trust=self.trust(names)) if names else gate

    def heard(self, bundle: Bundle, names: Collection[str]) -> Bundle:
        """A bundle with what judges said of it, as events in memory, and nothing of its own."""
        if not names and not bundle.of_kind(JUDGEMENT):
            return bundle
        conversation = conversation_of(bundle)
        kept = [event for event in bundle.events if event.kind != JUDGEMENT]
        last = max((event.seq for event in kept), default=-1)
        said = [
            Event(
                bundle.manifest.duration_us,
                last + at,
                JUDGEMENT,
                _data(name, recall(self.judge(name), self.store(name), "", conversation)),
            )
            for at, name in enumerate(names, 1)
        ]
        return replace(bundle, events=(*kept, *said))


def _data(name: str, judged: Judged) -> dict[str, Json]:
    found = judged.judgement
    if found is None:
        note = judged.reason or ""
        if judged.applies:
            note = f"the judge {name}: {note} (`lkgate judge ask`)"
        return {"judge": name, "verdict": None, "applies": judged.applies, "note": note}
    return {"judge": name, "verdict": found.verdict, "applies": True, "note": note_of(name, judged)}


def note_of(name: str, judged: Judged) -> str:
    """A judgement in one line: the votes, and the reasoning of one that the verdict rests on."""
    found = judged.judgement
    assert found is not None  # only judgements are told
    tally = ", ".join(
        f"{found.count(verdict)} {verdict}"
        for verdict in ("pass", "fail", "maybe")
        if found.count(verdict)
    )
    said = next(
        (vote for vote in found.votes if vote.verdict == found.verdict), found.votes[0]
    ).reasoning
    words = " ".join(said.split())
    short = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 3]}..."
    if found.verdict is None:
        return f"the judge {name} is undecided ({tally}): {short}"
    return f"{name} says {found.verdict} ({tally}): {short}"
