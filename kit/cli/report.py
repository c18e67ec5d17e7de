"""``kit report``: judge a finished session again, without an engine."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.outcome import OutcomeOptions, check_options, conclude, outcome_options
from kit.cli.values import FOLDER


@click.command()
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
