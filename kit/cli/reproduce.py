"""``kit reproduce``: the whole way, from nothing to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli.options import build_options, given, image_options
from kit.cli.outcome import check_options, conclude, outcome_options
from kit.errors import InputError

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.images.build import Options
    from kit.request import Request


@click.command()
@image_options
@click.option(
    "--budget",
    default="quick",
    show_default=True,
    metavar="TIER|MINUTES",
    help="How much to measure: quick, standard, full, or minutes such as 20m.",
)
@click.option(
    "--design",
    default="sequential",
    show_default=True,
    type=click.Choice(["sequential", "duet", "auto"]),
    help="Blocks of one run at a time, or of pairs at the same time on halves of the CPUs, or "
    "what a pilot of both shows to decide sooner.",
)
@click.option(
    "--blocks", type=click.IntRange(1), help="So many blocks, without a pilot that plans them."
)
@click.option(
    "--study",
    "study_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The study in this folder (see `kit new-study`) instead of the shipped one.",
)
@click.option(
    "--shard",
    default="",
    metavar="I/N",
    help="Only the I-th of N parts of the blocks, for `kit gather`; needs --seed.",
)
@outcome_options
@click.option("--noisy", is_flag=True, help="Measure though the machine is busy.")
@click.option("--arms", default="", metavar="A,B", help="Only these arms.")
@click.option(
    "--gpu",
    is_flag=True,
    help="Run the CUDA arms too. Where they cannot be tested here, the rest is done, the report "
    "says what is missing, and the command ends with exit code 3.",
)
@click.option(
    "--gpu-device",
    default="",
    metavar="INDEX|UUID",
    help="The GPU for --gpu, all runs on the same; left out: the one with most memory free.",
)
@click.option("--seed", type=click.IntRange(0), help="Order of the runs; drawn when left out.")
@click.option("--cpus", type=click.IntRange(1), default=None, help="CPUs of every run.")
@click.option("--memory", default="", metavar="SIZE", help="Memory of every run, e.g. 8g.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Where results folders are made.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Go on with an interrupted session.",
)
def reproduce(resume: Path | None, **wishes: Any) -> None:
    """Build the images, run the study in containers, write the report."""
    from kit import pipeline
    from kit.cli.world import open_world
    from kit.measure.runlog import read_session
    from kit.pins.load import shipped_pins
    from kit.study.kept import study_for
    from kit.study.load import load_study, shipped_study

    pins = shipped_pins()
    options = build_options(wishes)
    if resume is None:
        named = wishes["study_folder"]
        study = shipped_study() if named is None else load_study(named)
        check_options(wishes, study)
        request = _request(wishes, options)
        pipeline.check_request(study, request)
        with open_world(wishes) as world:
            folder = pipeline.reproduce(world, study, pins, request)
            model = pipeline.report(folder, study)
    else:
        _refuse_with_resume()
        pipeline.refuse_unbegun(resume)
        session = read_session(resume)
        session.must_compare()
        study = study_for(resume, session.header.plan.study_sha256)
        check_options(wishes, study)
        with open_world(wishes) as world:
            folder = pipeline.resume(world, study, pins, resume, options, wishes["noisy"])
            model = pipeline.report(folder, study)
    conclude(model, folder, wishes)


def _request(wishes: dict[str, Any], options: Options) -> Request:
    from kit.plan.resources import Wish, parse_memory
    from kit.plan.shard import parse_shard
    from kit.request import Request

    if wishes["gpu_device"] and not wishes["gpu"]:
        raise InputError("--gpu-device: no GPU was asked for", "add --gpu")
    return Request(
        budget=wishes["budget"],
        arms=tuple(name.strip() for name in wishes["arms"].split(",") if name.strip()),
        seed=wishes["seed"],
        wish=Wish(
            cpus=wishes["cpus"] or 0,
            memory_bytes=parse_memory(wishes["memory"]) if wishes["memory"] else 0,
        ),
        out=wishes["out"],
        options=options,
        gpu=wishes["gpu"],
        gpu_device=wishes["gpu_device"],
        design=wishes["design"],
        blocks=wishes["blocks"],
        study=str(wishes["study_folder"] or ""),
        shard=parse_shard(wishes["shard"]) if wishes["shard"] else None,
        noisy=wishes["noisy"],
    )


_OF_A_PLAN = (
    "budget", "design", "blocks", "shard", "study_folder", "arms", "gpu", "gpu_device", "seed",
    "cpus", "memory", "out",
)  # fmt: skip


def _refuse_with_resume() -> None:
    """A resumed session has its own plan; options that would change it are an error."""
    for name in _OF_A_PLAN:
        if given(name):
            option = f"--{name.removesuffix('_folder').replace('_', '-')}"
            raise InputError(
                f"{option}: cannot be given with --resume, which follows the recorded plan",
                f"leave out {option}, or start a new session",
            )
