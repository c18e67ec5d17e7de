"""``kit appendix``: the artifact-evaluation appendix of a session."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import FOLDER


@click.command()
@click.argument("folder", type=FOLDER)
def appendix(folder: Path) -> None:
    """Write an artifact-evaluation appendix for the session in FOLDER, into FOLDER.

    It is filled from the study and from what this session cost, as markdown and as a
    LaTeX document. What only the authors know is marked TO FILL IN.
    """
    from kit.cli.outcome import warn_stale_signature
    from kit.files.write import write_below
    from kit.host.locks import writing
    from kit.report.appendix import render
    from kit.report.build import build_report
    from kit.results.folder import add_sums, remove_unfinished
    from kit.results.opened import open_session

    with writing(folder):
        opened = open_session(folder)
        made = render(opened.session, build_report(opened.session, opened.study))
        remove_unfinished(folder)
        write_below(folder, made)
        add_sums(folder, made)
    warn_stale_signature(folder)
    for name in made:
        click.echo(f"{folder / name}")
