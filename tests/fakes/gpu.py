"""Made-up GPUs, and a probe that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kit.host.gpu.probe import ProbeError
from kit.records.gpu import DetectedGpus, Gpu, GpuIssue

NO_DRIVER = GpuIssue("no NVIDIA driver is here (NVML: NVML Shared Library Not Found)", "install it")


def make_gpu(**changes: Any) -> Gpu:
    """A Turing GPU at rest, for which TensorFlow has kernels; ``changes`` are fields of Gpu."""
    gpu = Gpu(
        index=0,
        name="Tesla T4",
        uuid="GPU-aaaa",
        driver="535.161.08",
        compute_capability=(7, 5),
        memory_total_bytes=15_800_000_000,
        memory_free_bytes=15_000_000_000,
        sm_mhz=1590,
        memory_mhz=5001,
        temperature_c=45,
        power_w=27.5,
        utilisation_percent=0,
        throttle=(),
        processes=(),
    )
    return replace(gpu, **changes)


T4 = make_gpu()
H100 = make_gpu(
    name="NVIDIA H100 80GB HBM3",
    uuid="GPU-bbbb",
    compute_capability=(9, 0),
    memory_total_bytes=85_000_000_000,
    memory_free_bytes=84_000_000_000,
    sm_mhz=1980,
)
OLD_DRIVER = make_gpu(driver="440.33.01")


@dataclass
class FakeProbe:
    """Shows ``gpus``, or says what is ``missing``.

    A watch gives ``readings`` in turn, the last one again and again; an error among
    them is raised. Without any it gives the GPU as it is.
    """

    gpus: tuple[Gpu, ...] = ()
    missing: GpuIssue | None = None
    readings: Sequence[Gpu | Exception] = ()
    opened: list[str] = field(default_factory=list)
    open_now: int = 0

    def look(self) -> DetectedGpus:
        return DetectedGpus(self.gpus, self.missing)

    @contextmanager
    def watch(self, uuid: str) -> Iterator[Callable[[], Gpu]]:
        self.opened.append(uuid)
        gpu = next((gpu for gpu in self.gpus if gpu.uuid == uuid), None)
        if gpu is None:
            raise ProbeError("NVML: Not Found")
        left = list(self.readings) or [gpu]

        def read() -> Gpu:
            reading = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(reading, Exception):
                raise reading
            return reading

        self.open_now += 1
        try:
            yield read
        finally:
            self.open_now -= 1
