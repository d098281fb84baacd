"""The builds as programs of their own, apart from lkgate and from the models."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import fields

import pytest
from intake.session import turn_handling
from intake.settings import Settings

from tests.demo.conftest import CLINIC

WITHOUT_MODELS = """
import runpy, sys

ABSENT = {"moonshine_voice", "hibari", "onnxruntime", "tokenizers", "lkgate"}


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[2])
found = runpy.run_path(sys.argv[1], run_name="program")
from intake.plugins.hibari_tts import HibariTTS
from intake.plugins.moonshine_stt import MoonshineSTT
HibariTTS(), MoonshineSTT()
print(type(found["server"]).__name__)
"""


@pytest.mark.parametrize("build", ["v1", "v2", "v3"])
def test_a_build_loads_without_lkgate_and_without_models(build: str) -> None:
    program = str(CLINIC / f"agent_{build}.py")
    done = subprocess.run(
        [sys.executable, "-I", "-c", WITHOUT_MODELS, program, str(CLINIC)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    assert (done.stdout, done.returncode) == ("AgentServer\n", 0), done.stderr


def settings_of(build: str) -> Settings:
    settings = importlib.import_module(f"agent_{build}").SETTINGS
    assert isinstance(settings, Settings)
    return settings


def changes(build: str) -> dict[str, object]:
    old, new = settings_of("v1"), settings_of(build)
    return {
        field.name: getattr(new, field.name)
        for field in fields(Settings)
        if getattr(new, field.name) != getattr(old, field.name)
    }


def test_v2_rewords_and_answers_sooner() -> None:
    changed = changes("v2")
    assert sorted(changed) == ["endpointing_s", "greeting", "phrases"]
    assert changed["endpointing_s"] == 0.7


def test_v3_has_three_faults_and_no_other_change() -> None:
    assert changes("v3") == {
        "endpointing_s": 1.4,
        "interruptible": False,
        "opening_hours": False,
    }


def test_turn_handling_follows_the_settings() -> None:
    handling = turn_handling(settings_of("v3"))
    assert handling["endpointing"]["min_delay"] == 1.4
    assert handling["interruption"]["enabled"] is False
