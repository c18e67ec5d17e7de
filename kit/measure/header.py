"""The header of a session: the facts known before its first run."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import kit
from kit.engine.protocol import EngineInfo
from kit.host.facts import host_facts
from kit.images.build.arms import Images
from kit.plan.make import plan_sha256
from kit.plan.model import COMPARE, Plan
from kit.plan.shard import Shard
from kit.records.gpu import GpuCheck
from kit.records.images import Component
from kit.records.session import Header


def new_header(
    now: datetime,
    engine: EngineInfo,
    plan: Plan,
    images: Images,
    command: str,
    gpu: GpuCheck | None,
    shard: Shard | None = None,
    sboms: Mapping[str, bytes] = MappingProxyType({}),
) -> Header:
    """Return the header of a session that begins now; ``command`` repeats it.

    ``shard`` is the part of the plan to run, None for all of it; ``sboms`` are the bills of
    materials by file name.
    """
    return Header(
        session_id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        kit_version=kit.__version__,
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        command=command,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        images=images.arms,
        fidelity=tuple(_with_gpu(row, gpu) for row in images.fidelity),
        host=host_facts(engine),
        gpu=gpu,
        shard=shard,
        executable=images.executable is not None and plan.purpose == COMPARE,
        sboms={name: hashlib.sha256(content).hexdigest() for name, content in sboms.items()},
    )


def _with_gpu(row: Component, gpu: GpuCheck | None) -> Component:
    """Return the row, with the name of the GPU that takes part if it is the hardware row."""
    if row.name != "hardware" or gpu is None or gpu.gpu is None or gpu.problems:
        return row
    return replace(row, got=f"{row.got} and {gpu.gpu.name}")
