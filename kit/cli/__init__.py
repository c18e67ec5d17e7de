"""The command line: a thin layer over the pipeline.

Only this package prints and sets exit codes. Commands import heavy modules when they run, so
that ``kit --help`` is fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

import kit
from kit.cli import process
from kit.cli.ablate import ablate
from kit.cli.github import commands_stopped
from kit.cli.images import build, bundle, verify_image
from kit.cli.judging import appendix, diff, judge, report
from kit.cli.lock import lock
from kit.cli.machine import clean, doctor, setup
from kit.cli.new_study import new_study
from kit.cli.process import stop_within
from kit.cli.reproduce import reproduce
from kit.cli.shards import matrix, merge
from kit.cli.verify import sign, verify
from kit.environment import settle, variables
from kit.errors import ERRORS, EXIT_INTERRUPTED, EXIT_OK, ImageError, InputError, KitError

INTERRUPT_LIMIT_S = 9
OLD_NAMES = {"explain": "ablate", "gather": "merge"}
"""New names of commands by their old ones, which work for one release."""
_SHOWN_LINES = 20
"""Lines of a failed build that are printed; all are in the log of builds."""
_MESSAGE_LIMIT = 4000
# Raised for a group without a command; click before 8.2 prints its help without an exception.
_HELP_WANTED = getattr(click.exceptions, "NoArgsIsHelpError", ())


def _exit_codes() -> str:
    lines = [f"{EXIT_OK}  done", *(f"{e.exit_code}  {e.meaning}" for e in ERRORS)]
    return (
        "\b\nExit codes:\n"
        + "\n".join(f"  {line}" for line in lines)
        + (f"\n  {EXIT_INTERRUPTED}  interrupted; the session can be resumed")
    )


class _Commands(click.Group):
    """Group of commands that also accepts their names of the first edition."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name; warn if the name is an old one."""
        name = OLD_NAMES.get(cmd_name, cmd_name)
        if name != cmd_name:
            click.echo(f"kit {cmd_name} is `kit {name}` now; the old name goes", err=True)
        return super().get_command(ctx, name)


_FIRST = """\
kit checks, claim by claim, whether a published benchmark holds.

  kit doctor                     what this machine lacks, with remedies
  kit reproduce --budget quick   measure the shipped study in minutes, and write a report
  kit new-study FOLDER           a small study to start from

kit --help lists all commands."""


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_exit_codes(),
)
@click.version_option(kit.__version__, prog_name="kit")
@click.pass_context
def cli(context: click.Context) -> None:
    """Check, claim by claim, whether a published benchmark holds, in pinned containers.

    \b
    Begin with:
      kit doctor     what this machine lacks, with remedies
      kit reproduce  measure the shipped study and write a report
    """
    if context.invoked_subcommand is not None:
        return
    if sys.stdout.isatty():
        click.echo(_FIRST)
    else:
        click.echo(context.get_help(), err=True)
        context.exit(InputError.exit_code)


COMMANDS = (
    reproduce, ablate, judge, report, verify, sign, diff, appendix, new_study, matrix, merge,
    build, verify_image, bundle, setup, doctor, lock, clean,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the ``kit`` program and exit with its code."""
    output = process.install(debug=bool(variables().get("KIT_DEBUG")))
    code = run(sys.argv[1:])
    try:
        process.finish(output)
    except KitError as error:
        _complain(error.problem, error.remedy)
        code = code or error.exit_code
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line; print errors and return the exit code.

    With KIT_DEBUG, raises errors that are not the kit's or click's.
    """
    stop_within(INTERRUPT_LIMIT_S)
    settle()
    with commands_stopped(variables()):
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        answer = cli.main(arguments, prog_name="kit", standalone_mode=False)
    except KitError as error:
        _show_output(error)
        _complain(error.problem, error.remedy)
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, _HELP_WANTED):
            error.show()
        else:
            _complain(*_usage(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except Exception as error:
        if variables().get("KIT_DEBUG"):
            raise
        _complain(
            f"unexpected failure: {type(error).__name__}: {error}",
            "repeat with KIT_DEBUG=1 and report what it prints",
        )
        return KitError.exit_code
    return answer if isinstance(answer, int) else EXIT_OK


def _usage(error: click.ClickException) -> tuple[str, str]:
    """Return what is wrong in the command line, and the help command as its remedy."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context is not None else "kit"
    if isinstance(error, click.NoSuchOption) and context is not None and error.possibilities:
        shown = _shown(error.possibilities, context)
        error = click.NoSuchOption(error.option_name, error.message, shown, context)
    return f"{command}: {error.format_message()}", f"see `{command} --help`"


def _shown(names: Sequence[str], context: click.Context) -> list[str]:
    """Return those of the options that are not hidden: an old name is nothing to suggest."""
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    hidden = {name for each in options if each.hidden for name in each.opts}
    return [name for name in names if name not in hidden]


def _show_output(error: BaseException) -> None:
    """Print the output of the builder whose failure caused the error, if any."""
    from kit.report.text import plain

    cause: BaseException | None = error
    while cause is not None and not getattr(cause, "output", ()):
        cause = cause.__cause__
    if isinstance(cause, ImageError):
        for line in cause.output[-_SHOWN_LINES:]:
            click.echo(f"  | {plain(line, _MESSAGE_LIMIT)}", err=True)


def _complain(problem: str, remedy: str) -> None:
    from kit.report.text import plain

    # A message may quote a container or a file: terminals must not interpret its bytes.
    text, advice = plain(problem, _MESSAGE_LIMIT), plain(remedy, _MESSAGE_LIMIT)
    click.echo(f"kit: {text}\n     remedy: {advice}", err=True)
