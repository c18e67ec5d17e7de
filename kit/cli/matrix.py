"""``kit matrix``: print the jobs of a workflow as JSON."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import FOLDER, LABELS


@click.command()
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
    from kit.plan.shard import matrix as rows
    from kit.study.load import load_study, shipped_study

    study = shipped_study() if study_folder is None else load_study(study_folder)
    click.echo(rows(study, runners, gpu_runners, shards, blocks))
