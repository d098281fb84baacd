"""The files for production name options and variables that there are."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from lkgate.cli.record import command
from lkgate.record.hook import TIMEOUT_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy" / "recorder"


def options(words: list[str]) -> dict[str, Any]:
    """As the command line takes them; raises what a user would be told."""
    return command.make_context("record", words).params


def test_systemd() -> None:
    lines = (DEPLOY / "lkgate-recorder.service").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    program, name, *words = shlex.split(settings["ExecStart"])
    assert (Path(program).name, name) == ("lkgate", "record")
    out = options(words)["out"]
    assert out == Path("/var/lib") / settings["StateDirectory"] / "calls"
    assert int(settings["TimeoutStopSec"]) > TIMEOUT_SECONDS


def test_kubernetes() -> None:
    claim, service, deployment = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    found = options(["--out", "/calls", *container["args"]])
    port = container["ports"][0]
    assert found["webhook_listen"] == ("0.0.0.0", port["containerPort"])
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert pod["terminationGracePeriodSeconds"] > TIMEOUT_SECONDS
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert container["volumeMounts"][0]["mountPath"] == str(found["out"])
    # Two recorders cannot write into one directory.
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_docker() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    said = dict(line.split(" ", 1) for line in lines if line and line[0] not in "# ")
    program, name, *words = yaml.safe_load(said["ENTRYPOINT"])
    assert (program, name) == ("lkgate", "record")
    assert options([*words, "--watch", "x"])["out"] == Path(said["VOLUME"])
    assert said["STOPSIGNAL"] == "SIGTERM" and said["USER"] != "root"
