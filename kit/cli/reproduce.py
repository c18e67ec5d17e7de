"""``kit reproduce``: build, measure, judge and report a study, or resume a session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.options import (
    GOING_ON,
    HOW_MUCH,
    MACHINE,
    OUTPUT,
    WHAT,
    ImageOptions,
    RenamedChoice,
    TopicCommand,
    build_options,
    measuring_options,
    option,
    was_given,
)
from kit.cli.outcome import OutcomeOptions, check_options, conclude, outcome_options
from kit.cli.values import ARMS, FOLDER, MAX_BLOCKS, MEMORY, NEW_FOLDER, SHARD
from kit.errors import InputError

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.app.session import Request
    from kit.images.build.arms import BuildOptions
    from kit.plan.model import Design, Until
    from kit.plan.shard import Shard


@click.command(cls=TopicCommand, short_help="Build images, run the study, judge, report.")
@option(
    WHAT,
    "--study",
    "study_folder",
    type=FOLDER,
    metavar="DIR",
    help="The study in this folder (see `kit new-study`) instead of the shipped one.",
)
@option(WHAT, "--arms", type=ARMS, default=(), metavar="A,B", help="Only these arms.")
@option(
    WHAT,
    "--gpu",
    is_flag=True,
    help="Run the CUDA arms too. Where they cannot be tested here, the rest is done, the report "
    "says what is missing, and the command ends with exit code 3.",
)
@option(
    WHAT,
    "--gpu-device",
    default="",
    metavar="INDEX|UUID",
    help="The GPU for --gpu, all runs on the same; left out: the one with most memory free.",
)
@option(
    HOW_MUCH,
    "--budget",
    default="quick",
    show_default=True,
    metavar="TIER|MINUTES",
    help="The most to measure: quick, standard, full, or minutes such as 20m.",
)
@option(
    HOW_MUCH,
    "--design",
    default="alternating",
    show_default=True,
    type=RenamedChoice(["alternating", "duet", "auto"], {"sequential": "alternating"}),
    metavar="DESIGN",
    help="Blocks of one run at a time (alternating), or of pairs at the same time on halves of "
    "the CPUs (duet), or what a pilot of both shows to decide sooner (auto).",
)
@option(
    HOW_MUCH,
    "--blocks",
    type=click.IntRange(1, MAX_BLOCKS),
    metavar="N",
    help="Exactly so many blocks, judged once at the end.",
)
@option(
    HOW_MUCH,
    "--until",
    default="size",
    show_default=True,
    type=click.Choice(["size", "direction"]),
    metavar="AIM",
    help="End with direction and size of the claim settled (size), or its direction.",
)
@option(
    HOW_MUCH,
    "--shard",
    type=SHARD,
    metavar="I/N",
    help="Only the I-th of N parts of the blocks, for `kit merge`; needs --seed.",
)
@option(
    HOW_MUCH,
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help="Order of the runs; drawn when left out.",
)
@option(
    MACHINE,
    "--cpus",
    type=click.IntRange(1),
    metavar="N",
    help="CPUs of every run.",
)
@option(MACHINE, "--memory", type=MEMORY, metavar="SIZE", help="Memory of every run, e.g. 8g.")
@measuring_options
@option(
    OUTPUT,
    "--out",
    type=NEW_FOLDER,
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Where results folders are made.",
)
@outcome_options
@option(
    GOING_ON,
    "--resume",
    type=FOLDER,
    metavar="DIR",
    help="Go on with an interrupted session, by its own plan.",
)
def reproduce(
    study_folder: Path | None,
    arms: tuple[str, ...],
    gpu: bool,
    gpu_device: str,
    budget: str,
    design: Design,
    blocks: int | None,
    until: Until,
    shard: Shard | None,
    seed: int | None,
    cpus: int | None,
    memory: int | None,
    images: ImageOptions,
    out: Path,
    outcome: OutcomeOptions,
    resume: Path | None,
) -> None:
    """Build the images, run the study in containers, write the report."""
    from kit.app.session import Request
    from kit.plan.resources import ResourceRequest

    options = build_options(images)
    if resume is not None:
        _refuse_with_resume()
        _go_on(resume, options, images, outcome)
        return
    if gpu_device and not gpu:
        raise InputError("--gpu-device: no GPU was asked for", "add --gpu")
    request = Request(
        budget=budget,
        arms=arms,
        seed=seed,
        requested=ResourceRequest(cpus or 0, memory or 0),
        out=out,
        options=options,
        gpu=gpu,
        gpu_device=gpu_device,
        design=design,
        blocks=blocks,
        until=until,
        study=str(study_folder or ""),
        shard=shard,
    )
    _begin(request, study_folder, images, outcome)


def _begin(
    request: Request, study_folder: Path | None, images: ImageOptions, outcome: OutcomeOptions
) -> None:
    from kit.app import pipeline
    from kit.cli.runtime import open_runtime
    from kit.results.opened import open_session
    from kit.study.load import load_study, shipped_study

    study = shipped_study() if study_folder is None else load_study(study_folder)
    check_options(outcome, study)
    pipeline.check_request(study, request)
    with open_runtime(images) as runtime:
        opened = open_session(pipeline.reproduce(runtime, study, request))
        model = pipeline.report(opened)
    conclude(model, opened.folder, outcome)


def _go_on(
    folder: Path,
    options: BuildOptions,
    images: ImageOptions,
    outcome: OutcomeOptions,
) -> None:
    from kit.app import pipeline
    from kit.cli.runtime import open_runtime
    from kit.results.opened import open_begun

    opened = open_begun(folder)
    opened.session.must_compare()
    check_options(outcome, opened.study)
    with open_runtime(images) as runtime:
        opened = pipeline.resume(runtime, opened, options)
        model = pipeline.report(opened)
    conclude(model, opened.folder, outcome)


_OF_A_PLAN = (
    "budget", "design", "blocks", "until", "shard", "study_folder", "arms", "gpu", "gpu_device",
    "seed", "cpus", "memory", "out",
)  # fmt: skip


def _refuse_with_resume() -> None:
    """Raise InputError for an option that would change the plan of a resumed session."""
    for parameter in reproduce.params:
        if parameter.name in _OF_A_PLAN and was_given(parameter.name):
            given = parameter.opts[0]
            raise InputError(
                f"{given}: cannot be given with --resume, which follows the recorded plan",
                f"leave out {given}, or start a new session",
            )
