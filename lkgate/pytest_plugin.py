"""The pytest plugin: a team's own tests assert on a replay of a recorded call.

.. code-block:: python

    from lkgate.pytest_plugin import LkgateCall


    def test_it_books_what_was_asked_for(lkgate_call: LkgateCall) -> None:
        replay = lkgate_call("book", against="v2")
        assert [tool.name for tool in replay.tools] == ["book_appointment"]

pytest loads this module wherever lkgate is installed: it imports nothing until a test asks.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import pytest

if TYPE_CHECKING:
    from lkgate.config import Config
    from lkgate.model.bundle import Bundle
    from lkgate.model.measurement import Measurement
    from lkgate.model.turn import ToolCall, Turn

__all__ = ["CallReplay", "LkgateCall"]


@dataclass(frozen=True, slots=True)
class CallReplay:
    """A recorded call, replayed into a build.

    Attributes:
        call: name of the recording.
        path: where the replay's bundle lies, among the test run's temporary files.
        bundle: the replay; ``recording``: what it was made from.
        turns: who had the floor, in order.
        tools: every tool call of the session, in order.
        measurements: by metric (docs/metrics.md); times are microseconds, and a value that could
            not be measured is ``None``, with a reason.
    """

    call: str
    path: Path
    recording: Bundle
    bundle: Bundle
    turns: tuple[Turn, ...]
    tools: tuple[ToolCall, ...]
    measurements: Mapping[str, Measurement]


class LkgateCall(Protocol):
    """The type of the fixture ``lkgate_call``."""

    def __call__(
        self, call: str, *, against: str, pacing: Literal["anchored", "absolute"] | None = None
    ) -> CallReplay:
        """Replay ``call`` into the build ``against``, once a test run: the same gives the same.

        Args:
            call: a recording's name below the settings' ``recordings``, or a bundle's path.
            against: a build's name, or the path of a program.
            pacing: when the caller speaks; the settings' if ``None``.

        Raises:
            LkgateError: there is no such call or build, or the call could not be replayed.
        """


@pytest.fixture(scope="session")
def lkgate_call(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> LkgateCall:
    """Replays recorded calls into builds, as the settings at pytest's root directory say."""
    done: dict[tuple[str, str, str | None], CallReplay] = {}
    settings: list[Config] = []

    def replayed(
        call: str, *, against: str, pacing: Literal["anchored", "absolute"] | None = None
    ) -> CallReplay:
        key = (call, against, pacing)
        if key not in done:
            if not settings:
                settings.append(_settings(pytestconfig.rootpath))
            # Not the project's `.lkgate`: runs of pytest at the same time would share it.
            state = tmp_path_factory.mktemp("lkgate")
            done[key] = _replay(settings[0], state, call, against, pacing)
        return done[key]

    return replayed


def _settings(root: Path) -> Config:
    from lkgate.config import load_config

    return load_config(
        root, environ=os.environ, warn=lambda text: warnings.warn(text, stacklevel=2)
    )


def _replay(
    config: Config,
    state: Path,
    call: str,
    against: str,
    pacing: Literal["anchored", "absolute"] | None,
) -> CallReplay:
    from lkgate.builds import resolve
    from lkgate.errors import ReplayError
    from lkgate.measure import measure, turns_of
    from lkgate.replay.recordings import find_recording, read_recordings
    from lkgate.replay.run import ReplayOptions, replay

    build = resolve(against, config)
    recordings = read_recordings([find_recording(config.recordings, call)])
    options = ReplayOptions.of(config)
    options = replace(options, state=state, pacing=pacing or options.pacing, workers=1)
    (one,) = replay(recordings, build, options, lambda _: None).calls
    bundle, failure = one.outcome.bundle, one.outcome.failure
    if bundle is None or one.path is None:
        assert failure is not None  # an outcome has a bundle or a failure
        raise ReplayError(
            f"{call} into {build.name}: {failure.message}",
            where=failure.where,
            next_step=failure.next_step,
        )
    turns = turns_of(bundle)
    recording = one.recording.bundle
    return CallReplay(
        call=one.recording.call,
        path=one.path,
        recording=recording,
        bundle=bundle,
        turns=turns,
        tools=tuple(tool for turn in turns for tool in turn.tools),
        measurements=measure(bundle, turns, recording.labels),
    )
