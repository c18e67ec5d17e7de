"""``kit report``: judge a finished session again, without an engine."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def report(folder: Path) -> None:
    """Judge the session in FOLDER again and write its reports anew; no engine is needed."""
    from kit import pipeline
    from kit.cli.world import print_head
    from kit.measure.runlog import read_session
    from kit.study.kept import study_for

    study = study_for(folder, read_session(folder).header.plan.study_sha256)
    model = pipeline.report(folder, study)
    print_head(model, folder)
    pipeline.check_outcome(model, folder)
