"""The worker's process, with programs that are no agents."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path

import pytest

from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.record import Credentials
from lkgate.record.worker import SHIM, Worker, start

CREDENTIALS = Credentials("ws://localhost:1", "the-api-key", "the-secret")


def build(directory: Path, program: str, *args: str, **env: str) -> Build:
    file = directory / "agent.py"
    file.write_text(program)
    return Build("v1", Path(sys.executable), file, None, args, directory, env)


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def registered(worker: Worker, seconds: float = 20) -> str | None:
    return await worker.registered(int(seconds * 1e6), asyncio.Event())


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            '{"message": "registered worker", "level": "INFO", "agent_name": "clinic \\"A\\""}',
            'clinic "A"',
        ),
        ('INFO livekit.agents registered worker {"agent_name": "clinic", "id": "AW_1"}', "clinic"),
        ("INFO livekit.agents registered worker", ""),
    ],
)
def test_name_is_read_from_the_log(tmp_path: Path, line: str, name: str) -> None:
    async def play() -> None:
        program = f"import sys, time\nprint({line!r}, file=sys.stderr)\ntime.sleep(60)\n"
        one = build(tmp_path, program)
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            assert await registered(worker) == name
        assert worker.exit_code == -15

    run(play())


def test_arguments_and_environment(tmp_path: Path) -> None:
    async def play() -> None:
        program = (
            "import os, sys\n"
            "print(sys.argv[1:])\n"
            "for name in ('LIVEKIT_URL', 'PYTHONPATH', 'LKGATE_CASSETTE_DIR', 'VOICE', 'HOME'):\n"
            "    print(name, os.environ.get(name))\n"
        )
        one = build(tmp_path, program, "--voice", "x", VOICE="ann", PYTHONPATH="/lib/own")
        environ = {"HOME": "/home/a", "VOICE": "bob", "PYTHONPATH": "/lib/shell"}
        async with start(one, CREDENTIALS, environ=environ, cassette_dir=Path("/c")) as worker:
            with pytest.raises(BuildError):
                await registered(worker)
            assert worker.tail.splitlines() == [
                "['--voice', 'x', 'start']",
                "LIVEKIT_URL ws://localhost:1",
                f"PYTHONPATH {SHIM}:/lib/own",
                "LKGATE_CASSETTE_DIR /c",
                "VOICE ann",
                "HOME /home/a",
            ]

    run(play())


def test_a_build_that_names_its_command_keeps_it(tmp_path: Path) -> None:
    async def play() -> None:
        one = build(tmp_path, "import sys\nprint(sys.argv[1:])\n", "dev", "--no-reload")
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            with pytest.raises(BuildError):
                await registered(worker)
            assert worker.tail == "['dev', '--no-reload']"

    run(play())


def test_a_worker_that_ends_says_why_without_secrets(tmp_path: Path) -> None:
    async def play() -> None:
        trace = "Traceback\n  OSError: [Errno 98] address already in use"
        log = json.dumps({"level": "ERROR", "message": "worker failed", "exc_info": trace})
        program = (
            "import os, sys\n"
            f"print({log!r})\n"
            "print('key', os.environ['LIVEKIT_API_KEY'], os.environ['LIVEKIT_API_SECRET'])\n"
            "sys.exit(3)\n"
        )
        one = build(tmp_path, program)
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            with pytest.raises(BuildError) as caught:
                await registered(worker)
        assert str(caught.value) == (
            f"{tmp_path / 'agent.py'}: the worker of build 'v1' ended with exit code 3 before it "
            "was registered at the server\n"
            "ERROR worker failed: OSError: [Errno 98] address already in use\n"
            "key [LIVEKIT_API_KEY] [LIVEKIT_API_SECRET]\n"
            "  Another worker holds its HTTP port: end it, or give this one AgentServer(port=0)."
        )

    run(play())


def test_a_worker_that_is_never_registered(tmp_path: Path) -> None:
    async def play() -> None:
        one = build(tmp_path, "import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            with pytest.raises(BuildError, match=r"not registered at the server within 0\.5 s"):
                await registered(worker, 0.5)

    run(play())


def test_stop_while_waiting(tmp_path: Path) -> None:
    async def play() -> None:
        stop = asyncio.Event()
        one = build(tmp_path, "import time\ntime.sleep(60)\n")
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            stop.set()
            assert await worker.registered(60_000_000, stop) is None

    run(play())


def test_any_amount_of_output_is_read_and_only_its_end_kept(tmp_path: Path) -> None:
    async def play() -> None:
        program = (
            "for _ in range(40):\n    print('x' * 1_000_000)\n"
            "print('y' * 20_000_000, end='')\nprint('\\nlast')\n"
        )
        one = build(tmp_path, program)
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            with pytest.raises(BuildError):
                await registered(worker)
            assert worker.tail.endswith("last")
            assert len(worker.tail) < 100_000

    run(play())


def test_children_that_outlive_the_worker_are_ended(tmp_path: Path) -> None:
    async def play() -> None:
        program = (
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
            "print(child.pid, flush=True)\n"
            "print('registered worker', flush=True)\n"
            "time.sleep(99)\n"
        )
        one = build(tmp_path, program)
        async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path) as worker:
            await registered(worker)
            child = int(worker.tail.splitlines()[0])
        for _ in range(100):
            state = Path(f"/proc/{child}/stat")
            if not state.exists() or " Z " in state.read_text():
                return
            await asyncio.sleep(0.05)
        pytest.fail("the child still runs")

    run(play())


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    async def play() -> None:
        one = Build("v1", tmp_path / "python", tmp_path / "a.py", None, (), tmp_path, {})
        with pytest.raises(BuildError) as caught:
            async with start(one, CREDENTIALS, environ={}, cassette_dir=tmp_path):
                pass
        assert str(caught.value) == (
            f"{tmp_path / 'python'}: cannot start the worker of build 'v1': "
            "No such file or directory\n"
            "  Check what starts it, and its cwd, under [tool.lkgate.builds]."
        )

    run(play())


@pytest.mark.parametrize(
    ("line", "declared", "name", "worker_id"),
    [
        # LiveKit's for Node, as pino writes it.
        (
            '{"level":30,"id":"AW_ab12","agentName":"clinic","agentNameIsEnv":false,'
            '"msg":"registered worker"}',
            None,
            "clinic",
            "AW_ab12",
        ),
        (
            '{"message": "registered worker", "agent_name": "clinic", "id": "AW_cd34"}',
            "other",
            "clinic",
            "AW_cd34",
        ),
        # Some other program says no more than it must.
        ("registered worker", "clinic", "clinic", None),
    ],
)
def test_a_command_in_any_language(
    tmp_path: Path, line: str, declared: str | None, name: str, worker_id: str | None
) -> None:
    async def play() -> None:
        one = Build(
            "node", Path("/nowhere"), None, None, (), tmp_path, {},
            command=("sh", "-c", f"echo '{line}'; sleep 60"), agent_name=declared,
        )  # fmt: skip
        async with start(one, CREDENTIALS, environ={}, cassette_dir=None) as worker:
            assert await registered(worker) == name
            assert worker.id == worker_id

    run(play())


def test_without_a_cassette_the_program_sees_nothing_of_lkgate(tmp_path: Path) -> None:
    async def play() -> None:
        program = "import os\nprint(sorted(n for n in os.environ if 'PATH' in n or 'LKG' in n))\n"
        one = build(tmp_path, program)
        environ = {"PATH": "/bin"}
        async with start(one, CREDENTIALS, environ=environ, cassette_dir=None) as worker:
            with pytest.raises(BuildError):
                await registered(worker)
            assert worker.tail == "['PATH']"

    run(play())


def test_nothing_is_started_of_a_deployed_agent(tmp_path: Path) -> None:
    async def play() -> None:
        one = Build("prod", Path("/p"), None, None, (), tmp_path, {}, url="wss://a.example")
        with pytest.raises(BuildError, match="is deployed: there is no worker of it to start"):
            async with start(one, CREDENTIALS, environ={}, cassette_dir=None):
                pass

    run(play())
