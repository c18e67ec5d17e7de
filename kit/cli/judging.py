"""Commands that judge sessions again from their logs, without an engine.

``kit judge`` prints verdicts, ``kit report`` writes reports, ``kit diff`` compares two sessions,
``kit appendix`` fills an artifact-evaluation appendix.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.outcome import (
    OutcomeOptions,
    check_options,
    conclude,
    outcome_options,
    warn_stale_signature,
)
from kit.cli.values import FOLDER

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.report.model import ReportModel


@click.command(short_help="Print the verdicts of a session from its log.")
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead.")
def judge(folder: Path, as_json: bool) -> None:
    """Judge the session in FOLDER from its log alone and print the verdicts.

    Nothing is written and no engine is needed; `kit report` writes the reports too.
    """
    from rich.console import Console

    from kit.report import results_json
    from kit.report.sections.top import show

    model = _model(folder)
    if as_json:
        click.echo(results_json.dumps(model), nl=False)
    else:
        show(model, Console())


@click.command(short_help="Judge a session again and write its reports.")
@click.argument("folder", type=FOLDER)
@outcome_options
def report(folder: Path, outcome: OutcomeOptions) -> None:
    """Judge the session in FOLDER again and write its reports; no engine is needed."""
    from kit.app import pipeline
    from kit.host.locks import writing
    from kit.results.opened import open_session

    opened = open_session(folder)
    check_options(outcome, opened.study)
    with writing(folder):
        model = pipeline.report(opened.again())
    conclude(model, folder, outcome)


@click.command(short_help="Compare two sessions: settings, then claim by claim.")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare the sessions in FIRST and SECOND: what they were measured with, then each claim.

    Both are judged from their logs; that they differ is an answer, not an error.
    """
    from kit.report.diff import compare, document, shown

    found = compare(_model(first), _model(second))
    click.echo(document(found) if as_json else shown(found), nl=False)


@click.command(short_help="Write an artifact-evaluation appendix for a session.")
@click.argument("folder", type=FOLDER)
def appendix(folder: Path) -> None:
    """Write an artifact-evaluation appendix for the session in FOLDER, into FOLDER.

    It is filled from the study and from what this session cost, as markdown and as a
    LaTeX document. What only the authors know is marked TO FILL IN.
    """
    from kit.files.write import write_tree
    from kit.host.locks import writing
    from kit.report.appendix import render
    from kit.report.build import build_report
    from kit.results.folder import add_sums, remove_unfinished
    from kit.results.opened import open_session

    with writing(folder):
        opened = open_session(folder)
        made = render(opened.session, build_report(opened.session, opened.study))
        remove_unfinished(folder)
        write_tree(folder, made)
        add_sums(folder, made)
    warn_stale_signature(folder)
    for name in made:
        click.echo(f"{folder / name}")


def _model(folder: Path) -> ReportModel:
    from kit.report.build import build_report
    from kit.results.opened import open_session

    opened = open_session(folder)
    return build_report(opened.session, opened.study)
