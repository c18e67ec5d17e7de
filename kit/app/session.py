"""A new session: the request for it, the command line that repeats it, its header, its folder."""

from __future__ import annotations

import hashlib
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import kit
from kit.app.runtime import Runtime
from kit.errors import InputError
from kit.files.write import write_tree
from kit.host.facts import host_facts
from kit.images.build.arms import BuildOptions, Images
from kit.images.build.binding import NUGET_SOURCE
from kit.plan.make import plan_sha256
from kit.plan.model import ALTERNATING, COMPARE, SIZE, Design, Plan, Until
from kit.plan.resources import ResourceRequest
from kit.plan.shard import Shard
from kit.records.gpu import GpuCheck
from kit.records.images import Component
from kit.records.session import Header
from kit.results import SBOMS
from kit.results.opened import save_snapshot
from kit.results.runlog import RunLog
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
    options: BuildOptions
    gpu: bool = False
    gpu_device: str = ""
    design: Design = ALTERNATING
    blocks: int | None = None
    until: Until = SIZE
    study: str = ""
    """Folder of the study as the user named it; empty: the shipped one."""
    shard: Shard | None = None
    """Part of the plan to run; None: all of it."""


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


def new_header(
    runtime: Runtime,
    plan: Plan,
    images: Images,
    command: str,
    gpu: GpuCheck | None = None,
    shard: Shard | None = None,
    sboms: Mapping[str, bytes] = MappingProxyType({}),
) -> Header:
    """Return the header of a session that begins now; ``command`` repeats it.

    ``shard`` is the part of the plan to run, None for all of it; ``sboms`` are the bills of
    materials by file name.
    """
    now = runtime.now()
    return Header(
        session_id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        kit_version=kit.__version__,
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        command=command,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        images=images.arms,
        fidelity=tuple(_with_gpu(row, gpu) for row in images.fidelity),
        host=host_facts(runtime.engine.info()),
        gpu=gpu,
        shard=shard,
        executable=images.executable is not None and plan.purpose == COMPARE,
        sboms={name: hashlib.sha256(content).hexdigest() for name, content in sboms.items()},
    )


def begin(
    runtime: Runtime,
    study: Study,
    header: Header,
    folder: Path,
    sboms: Mapping[str, bytes] = MappingProxyType({}),
) -> RunLog:
    """Lock a new session's folder, write bills of materials and study into it; return its log.

    Raises InputError if there is a session in the folder, HostError if it cannot be written.
    """
    runtime.lock_results(folder)
    write_tree(folder, {f"{SBOMS}/{name}": content for name, content in sboms.items()})
    save_snapshot(study, folder)
    return RunLog.create(folder, header)


def _with_gpu(row: Component, gpu: GpuCheck | None) -> Component:
    """Return the row, with the name of the GPU that takes part if it is the hardware row."""
    if row.name != "hardware" or gpu is None or gpu.gpu is None or gpu.problems:
        return row
    return replace(row, got=f"{row.got} and {gpu.gpu.name}")
