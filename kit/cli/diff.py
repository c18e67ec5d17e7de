"""``kit diff``: compare two results folders, claim by claim."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.values import FOLDER

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.report.model import ReportModel


@click.command()
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


def _model(folder: Path) -> ReportModel:
    from kit.report.build import build_report
    from kit.results.opened import open_session

    opened = open_session(folder)
    return build_report(opened.session, opened.study)
