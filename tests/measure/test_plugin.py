"""A team's own metrics: taken if they are whole, refused with a reason if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from lkgate.errors import ConfigError
from lkgate.measure import registry
from lkgate.measure.metric import Metric, spec
from lkgate.measure.plugin import gather
from lkgate.measure.registry import METRICS, measure
from lkgate.measure.sample import measured
from lkgate.measure.session import Session, session_of
from lkgate.model.measurement import Sample
from tests.measure.builders import Step, bundle, play


def thanks(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        yield measured(float("thank" in (turn.text or "").lower()), turn, turn.span)


THANKS = Metric(
    spec(
        "acme_thanks", "count", "higher", "turn", "sum", "llm", ("session",),
        "Agent turns that thank the caller.",
    ),
    thanks,
)  # fmt: skip
AGAIN = replace(THANKS, spec=replace(THANKS.spec, name="acme_again"))


@dataclass(frozen=True)
class FakePoint:
    """An entry point of a package that is not installed."""

    name: str
    offers: object = None
    fails: Exception | None = None

    @property
    def value(self) -> str:
        return f"acme:{self.name}"

    def load(self) -> object:
        if self.fails is not None:
            raise self.fails
        return self.offers


def test_one_and_several() -> None:
    found = gather([FakePoint("b", [AGAIN]), FakePoint("a", THANKS)], METRICS)
    assert found == {"acme_thanks": THANKS, "acme_again": AGAIN}


def changed(**fields: object) -> Metric:
    return replace(THANKS, spec=replace(THANKS.spec, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (
            [FakePoint("a", fails=ImportError("no module named 'acme'"))],
            "the plugin `a = acme:a` of lkgate.metrics: it cannot be loaded: "
            "ImportError: no module named 'acme'\n  Mend it, or uninstall its package.",
        ),
        (
            [FakePoint("a", 5)],
            "the plugin `a = acme:a` of lkgate.metrics: it offers 5, which is no Metric and no "
            "list of them\n  See docs/metrics.md for how a team's own metric is written.",
        ),
        (
            [FakePoint("a", [THANKS, "x"])],
            "which is no Metric and no list of them",
        ),
        (
            [FakePoint("a", THANKS), FakePoint("b", THANKS)],
            "the plugin `b = acme:b` of lkgate.metrics: its metric `acme_thanks` has the name of "
            "one of those of the plugin `a = acme:a` of lkgate.metrics",
        ),
        (
            [FakePoint("a", changed(name="response_latency"))],
            "its metric `response_latency` has the name of one of lkgate's own\n"
            "  Give it another name",
        ),
        ([FakePoint("a", changed(name="Acme thanks"))], "the name 'Acme thanks' is not one of"),
        ([FakePoint("a", changed(unit="hours"))], "the unit of acme_thanks is 'hours', not one of"),
        ([FakePoint("a", changed(direction="up"))], "the direction of acme_thanks is 'up', not"),
        ([FakePoint("a", changed(scope="word"))], "the scope of acme_thanks is 'word', not"),
        ([FakePoint("a", changed(summary="p95"))], "the summary of acme_thanks is 'p95', not"),
        ([FakePoint("a", changed(layer="legal"))], "the layer of acme_thanks is 'legal', not"),
        ([FakePoint("a", changed(version=0))], "the version of acme_thanks is 0, not 1 or more"),
        ([FakePoint("a", changed(doc=""))], "acme_thanks has no definition"),
        ([FakePoint("a", changed(evidence=()))], "acme_thanks names no evidence"),
        ([FakePoint("a", changed(evidence=("tape",)))], "'tape' is no evidence"),
        ([FakePoint("a", changed(evidence=("baseline",)))], "'baseline' is no evidence"),
    ],
)
def test_what_is_refused(points: list[FakePoint], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gather(points, METRICS)
    assert said in str(caught.value)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts metrics where those of installed packages are."""

    def put(*metrics: Metric) -> None:
        monkeypatch.setattr(
            registry, "installed", lambda taken: gather([FakePoint("a", metrics)], taken)
        )
        registry.metrics.cache_clear()

    yield put
    monkeypatch.undo()
    registry.metrics.cache_clear()


def test_it_is_measured_with_the_others(installed: Callable[..., None]) -> None:
    installed(THANKS)
    assert set(registry.metrics()) == {*METRICS, "acme_thanks"}
    session = session_of(play([Step("Bye.", "Thank you.")]), None)
    assert registry.measure_all(session)["acme_thanks"].value == 1
    assert registry.measure_all(session_of(bundle(), None))["acme_thanks"].missing


def test_one_that_fails_takes_no_other_with_it(installed: Callable[..., None]) -> None:
    def fail(session: Session) -> Iterator[Sample]:
        raise KeyError("turn")

    def endless(session: Session) -> Iterator[Sample]:
        yield measured(float("inf"), None, session.whole)

    installed(replace(THANKS, samples=fail), replace(AGAIN, samples=endless))
    found = registry.measure_all(session_of(play([Step("Bye.", "Thank you.")]), None))
    failed = found["acme_thanks"]
    assert (failed.value, failed.missing) == (None, True)
    assert failed.reason == "it failed: KeyError: 'turn'"
    assert found["acme_again"].reason == "the value is inf"
    assert found["response_latency"].value == 1_200_000


def test_a_bug_of_lkgates_own_is_a_bug() -> None:
    def fail(session: Session) -> Iterator[Sample]:
        raise KeyError("turn")

    broken = replace(METRICS["tool_calls"], samples=fail)
    with pytest.raises(KeyError):
        measure(session_of(play([Step("Bye.", "Bye.")]), None), broken)
