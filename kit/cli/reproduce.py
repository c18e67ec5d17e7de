"""``kit reproduce``: the whole way, from nothing to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli.options import FOLDER, NEW_FOLDER, build_options, image_options, was_given
from kit.cli.outcome import check_options, conclude, outcome_options
from kit.cli.topics import (
    GOING_ON,
    HOW_MUCH,
    MACHINE,
    OUTPUT,
    WHAT,
    TopicCommand,
    option,
)
from kit.errors import InputError
from kit.plan.model import MOST_BLOCKS

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.app.request import Request
    from kit.images.build.arms import Options


@click.command(cls=TopicCommand)
@option(
    WHAT,
    "--study",
    "study_folder",
    type=FOLDER,
    metavar="DIR",
    help="The study in this folder (see `kit new-study`) instead of the shipped one.",
)
@option(WHAT, "--arms", default="", metavar="A,B", help="Only these arms.")
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
    help="How much to measure: quick, standard, full, or minutes such as 20m.",
)
@option(
    HOW_MUCH,
    "--design",
    default="sequential",
    show_default=True,
    type=click.Choice(["sequential", "duet", "auto"]),
    metavar="DESIGN",
    help="Blocks of one run at a time (sequential), or of pairs at the same time on halves of "
    "the CPUs (duet), or what a pilot of both shows to decide sooner (auto).",
)
@option(
    HOW_MUCH,
    "--blocks",
    type=click.IntRange(1, MOST_BLOCKS),
    metavar="N",
    help="So many blocks, without a pilot that plans them.",
)
@option(
    HOW_MUCH,
    "--shard",
    default="",
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
    default=None,
    metavar="N",
    help="CPUs of every run.",
)
@option(MACHINE, "--memory", default="", metavar="SIZE", help="Memory of every run, e.g. 8g.")
@option(MACHINE, "--noisy", is_flag=True, help="Measure though the machine is busy.")
@image_options
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
def reproduce(resume: Path | None, **values: Any) -> None:
    """Build the images, run the study in containers, write the report."""
    from kit.app import pipeline
    from kit.cli.runtime import open_runtime
    from kit.pins.load import shipped_pins
    from kit.results.opened import open_begun, open_session
    from kit.study.load import load_study, shipped_study

    pins = shipped_pins()
    options = build_options(values)
    if resume is None:
        named = values["study_folder"]
        study = shipped_study() if named is None else load_study(named)
        check_options(values, study)
        request = _request(values, options)
        pipeline.check_request(study, request)
        with open_runtime(values) as runtime:
            opened = open_session(pipeline.reproduce(runtime, study, pins, request))
            model = pipeline.report(opened)
    else:
        _refuse_with_resume()
        opened = open_begun(resume)
        opened.session.must_compare()
        check_options(values, opened.study)
        with open_runtime(values) as runtime:
            opened = pipeline.resume(runtime, opened, pins, options, values["noisy"])
            model = pipeline.report(opened)
    conclude(model, opened.folder, values)


def _request(values: dict[str, Any], options: Options) -> Request:
    from kit.app.request import Request
    from kit.plan.resources import ResourceRequest, parse_memory
    from kit.plan.shard import parse_shard

    if values["gpu_device"] and not values["gpu"]:
        raise InputError("--gpu-device: no GPU was asked for", "add --gpu")
    return Request(
        budget=values["budget"],
        arms=tuple(name.strip() for name in values["arms"].split(",") if name.strip()),
        seed=values["seed"],
        requested=ResourceRequest(
            cpus=values["cpus"] or 0,
            memory_bytes=parse_memory(values["memory"]) if values["memory"] else 0,
        ),
        out=values["out"],
        options=options,
        gpu=values["gpu"],
        gpu_device=values["gpu_device"],
        design=values["design"],
        blocks=values["blocks"],
        study=str(values["study_folder"] or ""),
        shard=parse_shard(values["shard"]) if values["shard"] else None,
        noisy=values["noisy"],
    )


_OF_A_PLAN = (
    "budget", "design", "blocks", "shard", "study_folder", "arms", "gpu", "gpu_device", "seed",
    "cpus", "memory", "out",
)  # fmt: skip


def _refuse_with_resume() -> None:
    """A resumed session has its own plan; options that would change it are an error."""
    for name in _OF_A_PLAN:
        if was_given(name):
            wrong = f"--{name.removesuffix('_folder').replace('_', '-')}"
            raise InputError(
                f"{wrong}: cannot be given with --resume, which follows the recorded plan",
                f"leave out {wrong}, or start a new session",
            )
