"""The request of a user to `kit reproduce`, and the command line that repeats it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from kit.errors import InputError
from kit.images.build.arms import Options
from kit.images.build.binding import NUGET_SOURCE
from kit.plan.model import ALTERNATING, SIZE, Design, Until
from kit.plan.resources import ResourceRequest
from kit.plan.shard import Shard
from kit.study.model import Study


@dataclass(frozen=True)
class Request:
    """The options of a `kit reproduce` command. ``seed`` None: the kit draws one and records it.

    ``gpu`` requests the CUDA arms too, on ``gpu_device`` (index or UUID; "": any).
    """

    budget: str
    arms: tuple[str, ...]
    seed: int | None
    requested: ResourceRequest
    out: Path
    options: Options
    gpu: bool = False
    gpu_device: str = ""
    design: Design = ALTERNATING
    blocks: int | None = None
    until: Until = SIZE
    study: str = ""
    """Folder of the study as the user named it; empty: the shipped one."""
    shard: Shard | None = None
    """Part of the plan to run; None: all of it."""
    allow_busy_host: bool = False
    """Measure although the machine is busy with something else."""


def check_shard(request: Request) -> None:
    """Raise InputError for a shard without a seed: other machines could not make its plan."""
    if request.shard is not None and request.seed is None:
        raise InputError(
            "--shard: all shards must make one plan, and without --seed each draws its own",
            "give every shard the same --seed",
        )


def check_out(request: Request, study: Study) -> None:
    """Raise InputError for results in the study's own folder, whose files name the study."""
    if study.folder is not None and request.out.resolve().is_relative_to(study.folder.resolve()):
        raise InputError(
            f"--out: {request.out} is in the study's own folder {study.folder}; results there "
            "would be part of the study",
            "start the command elsewhere, or name a folder outside with --out",
        )


def repeating(request: Request, seed: int) -> str:
    """Return the ``kit reproduce`` command line that repeats a session of that request and seed."""
    words = ["kit reproduce", f"--budget {request.budget}", f"--seed {seed}"]
    if request.study:
        words.append(f"--study {shlex.quote(request.study)}")
    if request.design != ALTERNATING:
        words.append(f"--design {request.design}")
    if request.blocks is not None:
        words.append(f"--blocks {request.blocks}")
    if request.until != SIZE:
        words.append(f"--until {request.until}")
    if request.arms:
        words.append(f"--arms {','.join(request.arms)}")
    if request.gpu:
        words.append("--gpu")
    if request.gpu_device:
        words.append(f"--gpu-device {shlex.quote(request.gpu_device)}")
    if request.requested.cpus:
        words.append(f"--cpus {request.requested.cpus}")
    if request.requested.memory_bytes:
        words.append(f"--memory {request.requested.memory_bytes}")
    if request.options.nuget_source:
        setting = f"{NUGET_SOURCE}={request.options.nuget_source}"
        words.append(f"--set {shlex.quote(setting)}")
    words += [f"--mirror {mirror}" for mirror in request.options.mirrors]
    if request.options.strict:
        words.append("--strict")
    if request.shard is not None:
        words.append(f"--shard {request.shard}")
    return " ".join(words)
