"""``kit verify``: does everything in a results folder follow from its log?"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def verify(folder: Path) -> None:
    """Check the results in FOLDER as an outsider, without an engine.

    Sums of all files, the chain of the run log, the plan made anew from its seed, every
    record against its spec, and every report derived again. Words, integers and structure
    must be equal; other numbers may differ by 1e-9 of themselves, as another Python or SciPy
    rounds them, and plots where another matplotlib drew them: both are named. Whatever was
    changed is named; exit code 8.
    """
    from kit import verify as verifying
    from kit.errors import TamperedError
    from kit.report.text import plain
    from kit.results.folder import EXPLAINING

    findings = verifying.verify(folder, EXPLAINING)
    for found in findings:
        word = "WRONG" if found.wrong else "ok"
        click.echo(f"{word:5}  {found.what}" + ("" if found.wrong else f": {found.good}"))
        for line in found.wrong:
            click.echo(f"       {plain(line)}")
    wrong = [found.what for found in findings if found.wrong]
    if wrong:
        raise TamperedError(
            f"{folder}: {', '.join(wrong)}: not as the session wrote it",
            "take the folder as it was written; `kit report` makes reports anew from the log",
        )
