"""``kit judge``: print the verdicts of a log, without writing any file."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import FOLDER


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead.")
def judge(folder: Path, as_json: bool) -> None:
    """Judge the session in FOLDER from its log alone and print the verdicts.

    Nothing is written and no engine is needed; `kit report` writes the reports too.
    """
    from rich.console import Console

    from kit.report import results_json
    from kit.report.build import build_report
    from kit.report.sections.top import show
    from kit.results.opened import open_session

    opened = open_session(folder)
    model = build_report(opened.session, opened.study)
    if as_json:
        click.echo(results_json.dumps(model), nl=False)
    else:
        show(model, Console())
