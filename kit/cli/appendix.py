"""``kit appendix``: the artifact-evaluation appendix of a session."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def appendix(folder: Path) -> None:
    """Write an artifact-evaluation appendix for the session in FOLDER, beside its report.

    It is filled from the study and from what this session cost, as markdown and as a
    LaTeX document. What only the authors know is marked TO FILL IN.
    """
    from kit.cli.outcome import warn_unfit
    from kit.files import write_below
    from kit.locks import writing
    from kit.measure.runlog import read_session
    from kit.report.appendix import render
    from kit.report.files import add_sums
    from kit.report.model import build_report
    from kit.study.kept import study_for

    with writing(folder):
        session = read_session(folder)
        study = study_for(folder, session.header.plan.study_sha256)
        made = render(session, build_report(session, study))
        write_below(folder, made)
        add_sums(folder, made)
    warn_unfit(folder)
    for name in made:
        click.echo(f"{folder / name}")
