"""The end of every command with verdicts: print them, report to CI, fail by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli.topics import OUTPUT, option

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.report.model import ReportModel
    from kit.study.model import Study

_OPTIONS = (
    option(
        OUTPUT, "--fail-on", default="", metavar="RULES",
        help="Exit with 7 on these verdicts: WORD, CLAIM=WORD or CLAIM!=WORD, separated by "
        "commas, e.g. OPPOSITE,C5!=REPRODUCED.",
    ),
    option(OUTPUT, "--quiet", is_flag=True, help="Print only where the report is."),
    option(OUTPUT, "--json", "as_json", is_flag=True, help="Print results.json instead."),
)  # fmt: skip


def outcome_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; they reach it as keywords."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command


def check_options(values: Mapping[str, Any], study: Study) -> None:
    """Raise InputError for invalid rules and for rules on unknown claims."""
    from kit.judge.rules import parse_rules, refuse_strangers

    refuse_strangers(parse_rules(values["fail_on"]), study)


def warn_unfit(folder: Path) -> None:
    """Warn if the signature does not match the sums.

    The signature stays: only its owner decides what becomes of it.
    """
    from kit.records.command import shown
    from kit.results.names import SIGNATURE
    from kit.verify.signature import fits

    if not fits(folder):
        click.echo(
            f"{folder / SIGNATURE} no longer matches the files, which changed after signing. "
            f"Run `{shown('sign', folder, '--key', 'KEY')}` to sign them again.",
            err=True,
        )


def conclude(model: ReportModel, folder: Path, values: Mapping[str, Any]) -> None:
    """Print the verdicts, write the step's summary and annotations, raise what failed."""
    from kit.app import pipeline
    from kit.cli.github import annotate, summarise
    from kit.cli.runtime import print_head
    from kit.environment import variables
    from kit.errors import VerdictError
    from kit.judge.rules import fired, parse_rules
    from kit.report import results_json
    from kit.results.names import REPORT

    if values["as_json"]:
        click.echo(results_json.dumps(model), nl=False)
    elif values["quiet"]:
        click.echo(folder / REPORT)
    else:
        print_head(model, folder)
    warn_unfit(folder)
    if not model.header.shard:  # the verdicts on a part of the blocks would only mislead
        summarise(model, variables())
        annotate(model, variables())
    pipeline.check_outcome(model, folder)
    said = fired(parse_rules(values["fail_on"]), model.judged)
    if said:
        raise VerdictError(
            f"--fail-on: {', '.join(said)}", f"see {folder / REPORT} for what was found"
        )
