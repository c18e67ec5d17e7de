"""The end of every command with verdicts: print them, report to CI, fail by rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli.options import OUTPUT, option
from kit.cli.values import RULES

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.judge.rules import FailRule
    from kit.report.model import ReportModel
    from kit.study.model import Study


@dataclass(frozen=True)
class OutcomeOptions:
    """Options of the command line on the outcome: rules that fail it, and the output."""

    fail_on: tuple[FailRule, ...]
    quiet: bool
    as_json: bool


_OPTIONS = (
    option(
        OUTPUT, "--fail-on", type=RULES, default=(), metavar="RULES",
        help="Exit with 7 on these verdicts: WORD, CLAIM=WORD or CLAIM!=WORD, separated by "
        "commas, e.g. OPPOSITE,C5!=REPRODUCED.",
    ),
    option(OUTPUT, "--quiet", is_flag=True, help="Print only where the report is."),
    option(OUTPUT, "--json", "as_json", is_flag=True, help="Print results.json instead."),
)  # fmt: skip


def outcome_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options on the outcome to a command, which gets them as ``outcome``."""

    @wraps(command)
    def typed(*, fail_on: tuple[FailRule, ...], quiet: bool, as_json: bool, **others: Any) -> Any:
        return command(outcome=OutcomeOptions(fail_on, quiet, as_json), **others)

    for add in reversed(_OPTIONS):
        typed = add(typed)
    return typed


def check_options(outcome: OutcomeOptions, study: Study) -> None:
    """Raise InputError if a rule of --fail-on names a claim that the study does not make."""
    from kit.judge.rules import refuse_unknown_claims

    refuse_unknown_claims(outcome.fail_on, study)


def warn_stale_signature(folder: Path) -> None:
    """Warn on standard error if the folder's signature does not match its SHA256SUMS.

    The kit keeps the signature: only its owner may replace or remove it.
    """
    from kit.records.command import shown
    from kit.results import SIGNATURE
    from kit.verify.sums import signature_matches

    if not signature_matches(folder):
        click.echo(
            f"{folder / SIGNATURE} no longer matches the files, which changed after signing. "
            f"Run `{shown('sign', folder, '--key', 'KEY')}` to sign them again.",
            err=True,
        )


def conclude(model: ReportModel, folder: Path, outcome: OutcomeOptions) -> None:
    """Print the verdicts, and write the step's summary and annotations.

    Raises as ``pipeline.check_outcome``, and VerdictError if a rule of --fail-on applies.
    """
    from kit.app import pipeline
    from kit.cli.github import annotate, summarise
    from kit.cli.runtime import print_head
    from kit.environment import variables
    from kit.errors import VerdictError
    from kit.judge.rules import failing_verdicts
    from kit.report import results_json
    from kit.results import REPORT

    if outcome.as_json:
        click.echo(results_json.dumps(model), nl=False)
    elif outcome.quiet:
        click.echo(folder / REPORT)
    else:
        print_head(model, folder)
    warn_stale_signature(folder)
    if not model.header.shard:  # the verdicts on a part of the blocks would only mislead
        summarise(model, variables())
        annotate(model, variables())
    pipeline.check_outcome(model, folder)
    reasons = failing_verdicts(outcome.fail_on, model.judged)
    if reasons:
        raise VerdictError(
            f"--fail-on: {', '.join(reasons)}", f"see {folder / REPORT} for what was found"
        )
