"""What every command that ends with verdicts does last: print them, tell CI, fail by rule."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.report.model import ReportModel
    from kit.study.model import Study

_OPTIONS = (
    click.option(
        "--fail-on", default="", metavar="RULES",
        help="Exit with 7 on these verdicts: WORD, CLAIM=WORD or CLAIM!=WORD, separated by "
        "commas, e.g. OPPOSITE,C5!=REPRODUCED.",
    ),
    click.option("--quiet", is_flag=True, help="Print only where the report is."),
    click.option("--json", "as_json", is_flag=True, help="Print results.json instead."),
)  # fmt: skip


def outcome_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; they reach it as keywords."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_options(wishes: Mapping[str, Any], study: Study) -> None:
    """Refuse rules that are none, or on no claim of the study, before anything is done.

    Raises InputError.
    """
    from kit.judge.rules import parse_rules, refuse_strangers

    refuse_strangers(parse_rules(wishes["fail_on"]), study)


def warn_unfit(folder: Path) -> None:
    """Say that new sums are not those that were signed, where that is so.

    The signature stays: only who signed can say what becomes of it.
    """
    from kit.results.folder import SIGNATURE
    from kit.verify.signature import fits

    if not fits(folder):
        click.echo(
            f"{folder / SIGNATURE} does not fit the files any more: they are not those that were "
            f"signed. `kit sign {folder} --key KEY` signs these.",
            err=True,
        )


def conclude(model: ReportModel, folder: Path, wishes: Mapping[str, Any]) -> None:
    """Print the verdicts, write the step's summary and annotations, raise what there is."""
    from kit import pipeline
    from kit.cli.github import annotate, summarise
    from kit.cli.world import print_head
    from kit.errors import VerdictError
    from kit.judge.rules import fired, parse_rules
    from kit.report import results_json
    from kit.report.files import REPORT

    if wishes["as_json"]:
        click.echo(results_json.dumps(model), nl=False)
    elif wishes["quiet"]:
        click.echo(folder / REPORT)
    else:
        print_head(model, folder)
    warn_unfit(folder)
    if not model.header.shard:  # the verdicts on a part of the blocks would only mislead
        summarise(model, os.environ)
        annotate(model, os.environ)
    pipeline.check_outcome(model, folder)
    said = fired(parse_rules(wishes["fail_on"]), model.judged)
    if said:
        raise VerdictError(
            f"--fail-on: {', '.join(said)}", f"see {folder / REPORT} for what was found"
        )
