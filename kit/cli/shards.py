"""Commands for one session on several machines: ``kit matrix`` and ``kit merge``."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.outcome import OutcomeOptions, check_options, conclude, outcome_options
from kit.cli.values import FOLDER, LABELS, NEW_FOLDER


@click.command(short_help="Print the matrix of runners and shards for a workflow.")
@click.option(
    "--runner",
    "runners",
    type=LABELS,
    multiple=True,
    metavar="LABEL",
    help="A runner for the CPU arms, by its label or as '[LABEL, LABEL]'; repeatable.",
)
@click.option(
    "--gpu-runner",
    "gpu_runners",
    type=LABELS,
    multiple=True,
    metavar="LABEL",
    help="A runner with a GPU: CPU and CUDA arms; as --runner.",
)
@click.option("--shards", type=click.IntRange(1), default=1, show_default=True)
@click.option("--blocks", type=click.IntRange(1), default=4, show_default=True)
@click.option(
    "--study",
    "study_folder",
    type=FOLDER,
    help="The study in this folder instead of the shipped one.",
)  # fmt: skip
def matrix(
    runners: tuple[tuple[str, ...], ...],
    gpu_runners: tuple[tuple[str, ...], ...],
    shards: int,
    blocks: int,
    study_folder: Path | None,
) -> None:
    """Print the matrix of runners, variants and block shards for GitHub Actions.

    Each row gives `kit reproduce --shard` its shard; rows of one group are merged.
    """
    from kit.plan.shard import github_matrix
    from kit.study.load import load_study, shipped_study

    study = shipped_study() if study_folder is None else load_study(study_folder)
    click.echo(github_matrix(study, runners, gpu_runners, shards, blocks))


@click.command(short_help="Combine the shards of one plan into one session.")
@click.argument("shards", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--out",
    type=NEW_FOLDER,
    default=Path("results"),
    show_default=True,
    help="Where the merged session's folder is made.",
)
@outcome_options
def merge(shards: tuple[Path, ...], out: Path, outcome: OutcomeOptions) -> None:
    """Put the SHARDS of one plan (see `kit reproduce --shard`) into one session and judge it.

    Shards of another plan, kit or image, twice the same one, or a missing one are refused
    by name.
    """
    from kit.app import pipeline
    from kit.results.opened import open_session

    opened = [open_session(shard) for shard in shards]
    check_options(outcome, opened[0].study)
    merged = pipeline.merge(opened, out)
    conclude(pipeline.report(merged), merged.folder, outcome)
