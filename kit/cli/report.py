"""``kit report``: judge a finished session again, without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kit.cli.outcome import check_options, conclude, outcome_options
from kit.cli.paths import FOLDER


@click.command()
@click.argument("folder", type=FOLDER)
@outcome_options
def report(folder: Path, **values: Any) -> None:
    """Judge the session in FOLDER again and write its reports anew; no engine is needed."""
    from kit.app import pipeline
    from kit.host.locks import writing
    from kit.results.runlog import read_session
    from kit.results.snapshot import study_for

    study = study_for(folder, read_session(folder).header.plan.study_sha256)
    check_options(values, study)
    with writing(folder):
        model = pipeline.report(folder, study)
    conclude(model, folder, values)
