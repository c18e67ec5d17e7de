"""The GPUs of the machine, read through NVML: once, or repeatedly during a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from statistics import fmean
from types import TracebackType
from typing import Any, Protocol, TypeVar

from kit.engine.connection import message_line
from kit.records.gpu import (
    IDLE,
    DetectedGpus,
    Gpu,
    GpuIssue,
    GpuProcess,
    GpuTelemetry,
    throttle_reasons,
)

T = TypeVar("T")
INSTALL_LIBRARY = "pip install nvidia-ml-py (the kit's optional extra `gpu`)"
INSTALL_DRIVER = "install NVIDIA's driver, or run this on a machine with an NVIDIA GPU"
INTERVAL_S = 1.0
_STOP_S = 5.0
"""Longest wait for a reading to end; less than the time that an interrupted session may take."""


class ProbeError(Exception):
    """An error for a failed reading; its text is the reason, on one line."""


class GpuReader(Protocol):
    """An interface to the machine's GPUs."""

    def look(self) -> DetectedGpus:
        """Return every GPU of the machine as it is now, or why there is none. Never raises."""
        ...

    def watch(self, uuid: str) -> AbstractContextManager[Callable[[], Gpu]]:
        """Open the GPU of that UUID; give a function that reads it. Both raise ProbeError."""
        ...


class NvmlProbe:
    """The GPUs as read by NVML through nvidia-ml-py, which need not be installed."""

    def look(self) -> DetectedGpus:
        """Return every GPU of the machine as it is now, or why there is none."""
        try:
            import pynvml
        except ImportError:
            what = "the Python package nvidia-ml-py is not installed, so no GPU can be looked at"
            return DetectedGpus(missing=GpuIssue(what, INSTALL_LIBRARY))
        try:
            with _nvml(pynvml):
                count = pynvml.nvmlDeviceGetCount()
                handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
                gpus = tuple(_read(pynvml, handle) for handle in handles)
        except pynvml.NVMLError as error:
            return DetectedGpus(missing=_missing(pynvml, error))
        if not gpus:
            what = "NVIDIA's driver is here, and it sees no GPU"
            return DetectedGpus(missing=GpuIssue(what, INSTALL_DRIVER))
        return DetectedGpus(gpus)

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


@dataclass
class Watch:
    """A context in which a thread reads the GPU repeatedly; ``telemetry`` summarises it.

    Failures of readings are recorded, not raised: a run must not fail because its
    telemetry did. The first reading is done when the context is entered, the last
    while it is left.
    """

    probe: GpuReader
    uuid: str
    interval_s: float = INTERVAL_S
    _readings: list[Gpu] = field(init=False, default_factory=list)
    _failures: list[str] = field(init=False, default_factory=list)
    _stop: threading.Event = field(init=False, default_factory=threading.Event)
    _begun: threading.Event = field(init=False, default_factory=threading.Event)
    _thread: threading.Thread | None = field(init=False, default=None)

    def __enter__(self) -> Watch:
        """Take the first reading and go on in a thread."""
        # A daemon: a hanging library call must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="kit-gpu-watch", daemon=True)
        self._thread.start()
        try:
            if not self._begun.wait(_STOP_S):
                self._fail(f"the first reading was not done within {_STOP_S:g} s")
        except BaseException:
            # Interrupted: __exit__ is not called, as the context was not entered.
            self._stop.set()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the last reading and end the thread, however the run ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                self._fail(f"the last reading was not done within {_STOP_S:g} s")

    def telemetry(self) -> GpuTelemetry:
        """Return the summary of all readings; call it after the context was left."""
        return telemetry_of(self.uuid, tuple(self._readings), tuple(self._failures))

    def _work(self) -> None:
        try:
            with self.probe.watch(self.uuid) as read:
                self._take(read)
                self._begun.set()
                while not self._stop.wait(self.interval_s):
                    self._take(read)
                self._take(read)
        except ProbeError as error:
            self._fail(str(error))
        except Exception as error:
            # Also for bugs of the library: no run is lost because of them.
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            self._begun.set()

    def _take(self, read: Callable[[], Gpu]) -> None:
        try:
            self._readings.append(read())
        except ProbeError as error:
            self._fail(str(error))

    def _fail(self, reason: str) -> None:
        if reason not in self._failures:
            self._failures.append(reason)


def telemetry_of(uuid: str, readings: Sequence[Gpu], failures: Sequence[str]) -> GpuTelemetry:
    """Return the summary of the readings of one GPU during a run, and of failures to read it."""
    busy = [gpu for gpu in readings if IDLE not in gpu.throttle]
    clocks = [gpu.sm_mhz for gpu in busy if gpu.sm_mhz is not None]
    temperatures = [gpu.temperature_c for gpu in readings if gpu.temperature_c is not None]
    powers = [gpu.power_w for gpu in readings if gpu.power_w is not None]
    return GpuTelemetry(
        uuid=uuid,
        name=readings[0].name if readings else "",
        driver=readings[0].driver if readings else "",
        readings=len(readings),
        sm_mhz_min=min(clocks, default=None),
        sm_mhz_max=max(clocks, default=None),
        temperature_max_c=max(temperatures, default=None),
        power_max_w=max(powers, default=None),
        power_mean_w=fmean(powers) if powers else None,
        memory_max_bytes=max(
            (gpu.memory_total_bytes - gpu.memory_free_bytes for gpu in readings), default=None
        ),
        throttle=tuple(dict.fromkeys(reason for gpu in readings for reason in gpu.throttle)),
        pids=tuple(sorted({process.pid for gpu in readings for process in gpu.processes})),
        failures=tuple(failures),
    )


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
        raise ProbeError(f"NVML: {message_line(error)}") from error


def _missing(nvml: Any, error: Exception) -> GpuIssue:
    """Return the issue for an NVML error: a missing driver, or a driver that does not answer.

    The latter includes an updated driver that does not match its library, and a lack of
    permission; NVML's own message tells which.
    """
    absent = (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded)
    if isinstance(error, absent):
        return GpuIssue(f"no NVIDIA driver is here (NVML: {message_line(error)})", INSTALL_DRIVER)
    return GpuIssue(
        f"NVIDIA's driver does not answer (NVML: {message_line(error)})",
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
        throttle=() if bits is None else throttle_reasons(int(bits)),
        processes=tuple(GpuProcess(int(p.pid), p.usedGpuMemory) for p in processes),
    )


def _try(nvml: Any, ask: Callable[[], T]) -> T | None:
    """Return the answer; None where this GPU or this driver does not support the call."""
    try:
        return ask()
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_Unknown):
        return None


def _text(value: str | bytes) -> str:
    """Return the text on one line; older releases of the library return bytes."""
    return message_line(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
