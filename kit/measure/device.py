"""CUDA runs on their GPU: its assignment to containers, and proof that it did the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kit.engine.protocol import RunRequest
from kit.host.gpu.probe import GpuReader
from kit.plan.model import IDENTITY
from kit.records.record import Record
from kit.study.model import CUDA, Variant

CACHE_VOLUME = "kit-cuda-cache"
"""Volume with the kernels compiled for this GPU; kept, so that they are compiled once."""
CACHE_PATH = "/cuda-cache"
CACHE_ENV: Mapping[str, str] = {
    "CUDA_CACHE_PATH": CACHE_PATH,
    # 4 GiB: TensorFlow's kernels outgrow the driver's usual size.
    "CUDA_CACHE_MAXSIZE": str(2**32),
}


@dataclass(frozen=True)
class GpuAssignment:
    """The GPU that all CUDA runs of a session use.

    ``request`` is the name by which the engine gives it to a container. ``first_start_s``
    (seconds) extends the time limit of identity runs, which come first and may have to compile
    kernels.
    """

    probe: GpuReader
    uuid: str
    request: str
    first_start_s: float

    def added_to(self, request: RunRequest, *, first: bool) -> RunRequest:
        """Return a container request with the GPU and a volume for CUDA's compiled kernels.

        ``first``: it is an identity run, whose time limit is extended by ``first_start_s``.
        """
        return replace(
            request,
            gpu=self.request,
            env={**request.env, **CACHE_ENV},
            volumes={CACHE_VOLUME: CACHE_PATH},
            timeout_s=request.timeout_s + (self.first_start_s if first else 0.0),
        )


def device_mismatch(variant: Variant, record: Record) -> str | None:
    """Return why the record does not prove work on its variant's device; None if it does.

    TensorFlow falls back to the CPU silently. Every record has the weights' device and the
    GPU memory held; only records of identity runs have the placement of ops.
    """
    device = record.device
    on_gpu = device.ops.get("GPU", 0)
    if variant != CUDA:
        if device.kind == "gpu" or on_gpu:
            return "a CPU arm did its work on a GPU"
        return None
    if device.kind != "gpu":
        return f"a CUDA arm did its work on the {device.kind.upper()}, not on the GPU"
    if record.kind == IDENTITY and not on_gpu:
        placed = ", ".join(f"{count} on {kind}" for kind, count in sorted(device.ops.items()))
        return f"no op of a CUDA arm was placed on the GPU ({placed or 'none was counted'})"
    if not device.peak_bytes:
        return "a CUDA arm held no GPU memory"
    return None
