"""The program's entry: the group of commands, and where what they raise ends."""

from __future__ import annotations

import importlib
import io
import os
import sys
from contextlib import redirect_stderr, suppress
from pathlib import Path

import click

from lkgate import __version__
from lkgate.cli.exits import Exit
from lkgate.cli.failure import PipeError, tell
from lkgate.cli.joblog import in_a_job
from lkgate.cli.streams import keep_streams
from lkgate.cli.unjudged import refused

# Of the program; no command has an option of this name.
_OWN = ("--debug", "--quiet", "-q")
# Commands with `--report`.
_REPORTING = ("replay", "merge")

# name -> (module, one line of help). Modules load when their command runs: `--help` stays fast.
COMMANDS = {
    "demo": ("lkgate.cli.demo", "See a pass and a failure on recorded calls to a demo agent."),
    "doctor": (
        "lkgate.cli.doctor",
        "Say whether lkgate can work here, and how to mend what is not.",
    ),
    "init": ("lkgate.cli.init", "Make an agent's repository ready for lkgate."),
    "replay": ("lkgate.cli.replay", "Replay recordings into a build, diff, and gate."),
    "merge": ("lkgate.cli.merge", "Judge the results of `replay --shard` as one run."),
    "power": ("lkgate.cli.power", "Say what the recordings can detect by a gate."),
    "record": ("lkgate.cli.record", "Record a live LiveKit room as a bundle."),
    "import": ("lkgate.cli.import_", "Make a bundle of a call that something else recorded."),
    "derive": ("lkgate.cli.derive", "Make a cassette of what was heard of a call."),
    "list": ("lkgate.cli.list_", "List the recordings and what each one has."),
    "show": ("lkgate.cli.show", "Print who said what when in a bundle."),
    "open": ("lkgate.cli.open_", "Serve the last HTML report and its audio to a browser."),
    "export": ("lkgate.cli.export", "Write a bundle as OpenTelemetry spans."),
    "metrics": ("lkgate.cli.metrics", "List what can be measured, and what it means."),
    "label": ("lkgate.cli.label", "Draft a recording's labels for a person to correct."),
    "judge": ("lkgate.cli.judge", "Ask language models about calls, and calibrate them."),
    "check": ("lkgate.cli.check", "Verify every digest of a bundle."),
    "diff": ("lkgate.cli.diff", "Say what differs from one bundle to another."),
    "accept": ("lkgate.cli.accept", "Make the last replay of a build the baseline."),
    "promote": ("lkgate.cli.promote", "Turn a call from production into a test case."),
    "seal": ("lkgate.cli.seal", "Take edited labels as a bundle's content."),
    "comment": ("lkgate.cli.comment", "Put a report on a pull request, in place of the last one."),
    "config": ("lkgate.cli.config", "Print the settings that hold, and where each came from."),
    "completion": ("lkgate.cli.completion", "Print what makes a shell complete lkgate."),
    "recover": ("lkgate.cli.recover", "Close a recording that was cut off."),
    "pack": ("lkgate.cli.pack", "Pack a bundle into one .lkb file."),
    "unpack": ("lkgate.cli.unpack", "Unpack an .lkb file into a directory."),
}


class _LazyGroup(click.Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _program_first(args))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would end the process with 1, which means that a gate failed.
            raise PipeError from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[name][0])
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            ctx.fail(
                f"No such command '{name}'." + (f" Did you mean '{close[0]}'?" if close else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="lkgate")
@click.option(
    "--verbose",
    is_flag=True,
    help="Say on stderr what is done, and how long it takes. (A command's own --verbose makes its "
    "report longer.)",
)
@click.option("--debug", is_flag=True, help="Print tracebacks, and what the builds print.")
@click.option("--quiet", "-q", is_flag=True, help="Nothing on stderr but errors.")
@click.pass_context
def cli(ctx: click.Context, verbose: bool, debug: bool, quiet: bool) -> None:
    """Release gate for LiveKit voice agents.

    Records real calls, replays them into the next build in virtual time, and fails on what got
    worse. Exit codes: 0 pass, 1 a gate failed, 2 usage or a wrong file, 3 no verdict,
    4 a replay could not complete, 70 a bug in lkgate, 130 interrupted.
    """
    ctx.obj = {"debug": debug, "verbose": verbose}
    if quiet:
        # Errors are told when this is over: see `_run`.
        sink = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the context closes it
        silent = ctx.with_resource(sink)
        ctx.with_resource(redirect_stderr(silent))


def _program_first(words: list[str]) -> list[str]:
    """The program's own options may stand behind the command, where people add them."""
    end = words.index("--") if "--" in words else len(words)
    own = [word for word in words[:end] if word in _OWN]
    return [*own, *(word for word in words[:end] if word not in _OWN), *words[end:]]


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        args: the words behind the program's name; ``None`` takes them from the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter is no reason to say nothing.
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if args is None else args
    keep_streams()
    # Also read here, for an error raised while click still parses.
    debug = "--debug" in words
    with in_a_job():
        code = _run(words, debug=debug)
    sys.exit(code)


def _run(words: list[str], *, debug: bool) -> int:
    try:
        code = cli.main(args=words, prog_name="lkgate", standalone_mode=False)
        return int(code or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as wrong:
        if isinstance(wrong, click.UsageError):
            with suppress(OSError):  # where this runs may be gone: the error itself is told
                _tell_reports(words, wrong)
        wrong.show()
        return Exit.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: named, never swallowed
        return tell(error, debug=debug)


def _tell_reports(words: list[str], wrong: click.UsageError) -> None:
    """What is no command at all may be meant for one that reports."""
    name = next((word for word in words if not word.startswith("-")), "")
    if name in _REPORTING or name not in COMMANDS:
        refused(words, wrong, wrong.ctx.command_path if wrong.ctx else f"lkgate {name}")


if __name__ == "__main__":
    main()
