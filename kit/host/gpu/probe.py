"""Reading of this machine's GPUs through NVIDIA's management library (NVML)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol, TypeVar

from kit.engine.failures import one_line
from kit.records.gpu import Found, Gpu, GpuIssue, Process, named

T = TypeVar("T")
INSTALL_LIBRARY = "pip install nvidia-ml-py (the kit's optional extra `gpu`)"
INSTALL_DRIVER = "install NVIDIA's driver, or run this on a machine with an NVIDIA GPU"


class ProbeError(Exception):
    """An error for a failed reading; its text is the reason, on one line."""


class Probe(Protocol):
    """An interface to the machine's GPUs."""

    def look(self) -> Found:
        """Return every GPU now, or the missing part. Never raises."""
        ...

    def watch(self, uuid: str) -> AbstractContextManager[Callable[[], Gpu]]:
        """Open one GPU; give a function that reads it cheaply. Both raise ProbeError."""
        ...


class NvmlProbe:
    """The GPUs as read by NVML through nvidia-ml-py, which need not be installed."""

    def look(self) -> Found:
        """Return every GPU now, or the missing part."""
        try:
            import pynvml
        except ImportError:
            what = "the Python package nvidia-ml-py is not installed, so no GPU can be looked at"
            return Found(missing=GpuIssue(what, INSTALL_LIBRARY))
        try:
            with _nvml(pynvml):
                count = pynvml.nvmlDeviceGetCount()
                handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
                gpus = tuple(_read(pynvml, handle) for handle in handles)
        except pynvml.NVMLError as error:
            return Found(missing=_missing(pynvml, error))
        if not gpus:
            what = "NVIDIA's driver is here, and it sees no GPU"
            return Found(missing=GpuIssue(what, INSTALL_DRIVER))
        return Found(gpus)

    @contextmanager
    def watch(self, uuid: str) -> Iterator[Callable[[], Gpu]]:
        """Yield a function that reads the GPU of that UUID; see ``Probe``."""
        try:
            import pynvml
        except ImportError as error:
            raise ProbeError("nvidia-ml-py is not installed") from error
        with _probe_errors(pynvml), _nvml(pynvml):
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)

            def read() -> Gpu:
                with _probe_errors(pynvml):
                    return _read(pynvml, handle)

            yield read


@contextmanager
def _nvml(nvml: Any) -> Iterator[None]:
    nvml.nvmlInit()
    try:
        yield
    finally:
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


@contextmanager
def _probe_errors(nvml: Any) -> Iterator[None]:
    try:
        yield
    except nvml.NVMLError as error:
        raise ProbeError(f"NVML: {one_line(error)}") from error


def _missing(nvml: Any, error: Exception) -> GpuIssue:
    """Return the issue for an NVML error: a missing driver, or a driver that does not answer.

    The latter includes an updated driver that does not match its library, and a lack of
    permission; NVML's own message tells which.
    """
    absent = (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded)
    if isinstance(error, absent):
        return GpuIssue(f"no NVIDIA driver is here (NVML: {one_line(error)})", INSTALL_DRIVER)
    return GpuIssue(
        f"NVIDIA's driver does not answer (NVML: {one_line(error)})",
        "see whether `nvidia-smi` works; after a driver update restart the machine",
    )


def _read(nvml: Any, handle: Any) -> Gpu:
    """Return one GPU now; values that its model does not report are None. Raises NVMLError."""
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
    power = _try(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    load = _try(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    bits = _try(nvml, lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))
    processes = _try(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or ()
    return Gpu(
        index=int(nvml.nvmlDeviceGetIndex(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        driver=_text(nvml.nvmlSystemGetDriverVersion()),
        compute_capability=(int(major), int(minor)),
        memory_total_bytes=int(memory.total),
        memory_free_bytes=int(memory.free),
        sm_mhz=_try(nvml, lambda: int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM))),
        memory_mhz=_try(
            nvml, lambda: int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM))
        ),
        temperature_c=_try(
            nvml, lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        ),
        power_w=None if power is None else power / 1000,  # NVML gives milliwatts
        utilisation_percent=None if load is None else int(load.gpu),
        throttle=() if bits is None else named(int(bits)),
        processes=tuple(Process(int(p.pid), p.usedGpuMemory) for p in processes),
    )


def _try(nvml: Any, ask: Callable[[], T]) -> T | None:
    """Return the answer; None where this GPU or this driver does not support the call."""
    try:
        return ask()
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_Unknown):
        return None


def _text(value: str | bytes) -> str:
    """Return the text on one line; older releases of the library return bytes."""
    return one_line(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
