"""Output for a step of GitHub Actions: its summary, and one annotation per claim.

The runner's environment variables show whether the kit runs in a workflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.errors import InputError
from kit.files.plain import open_named

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.judge.executable import ExecutableVerdict
    from kit.judge.training import TrainingVerdict
    from kit.judge.words import Word
    from kit.report.model import ReportModel

_LIMIT = 500
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
# Every process draws a random token, so that no program's output can contain it.
_TOKEN = f"kit-{os.urandom(16).hex()}"
_STOP = f"::stop-commands::{_TOKEN}"
_RESUME = f"::{_TOKEN}::"
# Levels by verdict; all other verdicts are notices.
_LEVELS: Mapping[Word, str] = {
    "OPPOSITE": "error",
    "EQUIVALENT": "warning",
    "INCONCLUSIVE": "warning",
}


@contextmanager
def commands_stopped(environment: Mapping[str, str]) -> Iterator[None]:
    """Disable GitHub workflow commands in the context, so that program output cannot give any.

    Does nothing outside a GitHub workflow; ``environment`` holds the environment variables.
    """
    if not _in_workflow(environment):
        yield
        return
    click.echo(_STOP, err=True)
    try:
        yield
    finally:
        click.echo(_RESUME, err=True)


def summarise(model: ReportModel, environment: Mapping[str, str]) -> None:
    """Append the short report to the step summary, the file that GITHUB_STEP_SUMMARY names.

    Does nothing without that variable; only warns if the file cannot be written.
    """
    from kit.report.export import ci

    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with os.fdopen(open_named(Path(path), _APPEND), "ab") as stream:
            stream.write(ci.render_summary(model, ci.LIMIT_BYTES - stream.tell()))
    except (OSError, InputError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        # Only a warning: the report is written, and its verdicts determine the exit code.
        click.echo(
            f"kit: GITHUB_STEP_SUMMARY: {path} cannot be written ({reason})\n"
            "     remedy: let it name a file in a folder that can be written",
            err=True,
        )


def annotate(model: ReportModel, environment: Mapping[str, str]) -> None:
    """Print a GitHub annotation per verdict on standard error, which the runner reads too.

    Does nothing outside a GitHub workflow.
    """
    if _in_workflow(environment):
        for line in (_RESUME, *workflow_commands(model), _STOP):
            click.echo(line, err=True)


def workflow_commands(model: ReportModel) -> tuple[str, ...]:
    """Return one GitHub workflow command per verdict, such as ``::notice title=...::...``.

    GitHub shows each as an annotation of the job.
    """
    others: tuple[TrainingVerdict | ExecutableVerdict, ...] = (
        *model.judged.training,
        *model.judged.executable,
    )
    return tuple(
        _command(v.claim.id, v.claim.statement, v.word, v.printed, model.reason_of(v))
        for v in (*model.verdicts, *others)
    )


def _in_workflow(environment: Mapping[str, str]) -> bool:
    return environment.get("GITHUB_ACTIONS") == "true"


def _command(claim: str, statement: str, word: Word, printed: str, rule: str) -> str:
    level = _LEVELS.get(word, "notice")
    return f"::{level} title={_property(f'{claim} {printed}')}::{_data(f'{statement}: {rule}')}"


def _data(text: str) -> str:
    """Return the text as the runner's toolkit escapes it ("Workflow commands", escapeData)."""
    from kit.report.text import plain

    return plain(text, _LIMIT).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
