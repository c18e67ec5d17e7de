"""``kit diff``: two results folders, claim by claim."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.report.diff import Difference
    from kit.report.model import ReportModel

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("first", type=_FOLDER)
@click.argument("second", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare the sessions in FIRST and SECOND: what they were measured with, then each claim.

    Both are judged from their logs; that they differ is an answer, not an error.
    """
    from kit.report.diff import compare, document

    found = compare(_model(first), _model(second))
    if as_json:
        click.echo(document(found), nl=False)
    else:
        _print(found)


def _model(folder: Path) -> ReportModel:
    from kit.measure.runlog import read_session
    from kit.report.model import build_report
    from kit.study.kept import study_for

    session = read_session(folder)
    return build_report(session, study_for(folder, session.header.plan.study_sha256))


def _print(found: Difference) -> None:
    from kit.report.text import plain

    click.echo("Measured with:" if found.settings else "Measured with the same.")
    for row in found.settings:
        click.echo(f"  {plain(row.what, 40)}")
        click.echo(f"    first:  {plain(row.first, 68)}")
        click.echo(f"    second: {plain(row.second, 68)}")
    click.echo("Claims:")
    for pair in found.claims:
        click.echo(f"  {plain(f'{pair.claim} {pair.variant}', 40).strip()}: {pair.says}")
        for name, word, gain, bounds in zip(
            ("first: ", "second:"), pair.words, pair.gains, pair.intervals, strict=True
        ):
            shown = "" if gain is None else f", gain {gain:+.1f} %"
            if bounds is not None:
                shown += f" [{bounds.low:+.1f}, {bounds.high:+.1f}]"
            click.echo(f"    {name} {word}{shown}")
