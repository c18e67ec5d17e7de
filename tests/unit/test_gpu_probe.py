"""The NVML probe on a made-up library: facts, and plain reasons instead of tracebacks."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kit.host.gpu.probe import NvmlProbe, ProbeError
from kit.records.gpu import GpuProcess


class NVMLError(Exception):
    pass


class LibraryNotFoundError(NVMLError):
    pass


class DriverNotLoadedError(NVMLError):
    pass


class NotSupportedError(NVMLError):
    pass


class FunctionNotFoundError(NVMLError):
    pass


class UnknownError(NVMLError):
    pass


class Library(ModuleType):
    """The part of nvidia-ml-py that the probe uses; ``answers`` change or break it."""

    def __init__(self, **answers: Any) -> None:
        super().__init__("pynvml")
        self.NVMLError = NVMLError
        self.NVMLError_LibraryNotFound = LibraryNotFoundError
        self.NVMLError_DriverNotLoaded = DriverNotLoadedError
        self.NVMLError_NotSupported = NotSupportedError
        self.NVMLError_FunctionNotFound = FunctionNotFoundError
        self.NVMLError_Unknown = UnknownError
        self.NVML_CLOCK_SM, self.NVML_CLOCK_MEM, self.NVML_TEMPERATURE_GPU = 1, 2, 0
        self.opened = 0
        self.answers = {
            "nvmlInit": None,
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "handle",
            "nvmlDeviceGetHandleByUUID": "handle",
            "nvmlDeviceGetIndex": 0,
            "nvmlDeviceGetName": b"Tesla T4",
            "nvmlDeviceGetUUID": "GPU-aaaa",
            "nvmlSystemGetDriverVersion": "535.161.08",
            "nvmlDeviceGetCudaComputeCapability": (7, 5),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=16, free=12, used=4),
            "nvmlDeviceGetClockInfo": 1590,
            "nvmlDeviceGetTemperature": 45,
            "nvmlDeviceGetPowerUsage": 27500,
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=3, memory=1),
            "nvmlDeviceGetCurrentClocksThrottleReasons": 0x44,
            "nvmlDeviceGetComputeRunningProcesses": [SimpleNamespace(pid=7, usedGpuMemory=None)],
            **answers,
        }

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("nvml"):
            raise AttributeError(name)

        def call(*_arguments: object) -> Any:
            if name == "nvmlShutdown":
                self.opened -= 1
                return None
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            if name == "nvmlInit":
                self.opened += 1
            return answer

        return call


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch):
    def install(**answers: Any) -> Library:
        made = Library(**answers)
        monkeypatch.setitem(sys.modules, "pynvml", made)
        return made

    return install


def test_every_fact_of_a_gpu_is_read(library) -> None:
    made = library()
    (gpu,) = NvmlProbe().look().gpus
    assert (gpu.index, gpu.name, gpu.uuid) == (0, "Tesla T4", "GPU-aaaa")
    assert (gpu.driver, gpu.compute_capability) == ("535.161.08", (7, 5))
    assert (gpu.memory_total_bytes, gpu.memory_free_bytes) == (16, 12)
    assert (gpu.sm_mhz, gpu.temperature_c, gpu.power_w) == (1590, 45, 27.5)
    assert gpu.utilisation_percent == 3
    assert gpu.throttle == ("software power cap", "hardware thermal slowdown")
    assert gpu.processes == (GpuProcess(7, None),)
    assert made.opened == 0


def test_what_a_model_or_driver_does_not_tell_is_none(library) -> None:
    library(
        nvmlDeviceGetPowerUsage=NotSupportedError(),
        nvmlDeviceGetClockInfo=UnknownError(),
        nvmlDeviceGetUtilizationRates=NotSupportedError(),
        nvmlDeviceGetCurrentClocksThrottleReasons=FunctionNotFoundError(),
        nvmlDeviceGetComputeRunningProcesses=NotSupportedError(),
        nvmlDeviceGetTemperature=NotSupportedError(),
    )
    (gpu,) = NvmlProbe().look().gpus
    assert gpu.power_w is gpu.sm_mhz is gpu.utilisation_percent is gpu.temperature_c is None
    assert (gpu.throttle, gpu.processes) == ((), ())


@pytest.mark.parametrize(
    ("answers", "words", "remedy"),
    [
        ({"nvmlInit": LibraryNotFoundError("Not Found")}, "no NVIDIA driver is here", "driver"),
        ({"nvmlInit": DriverNotLoadedError("x")}, "no NVIDIA driver is here", "driver"),
        ({"nvmlInit": NVMLError("Driver/library version mismatch")}, "version mismatch", "restart"),
        ({"nvmlDeviceGetMemoryInfo": NVMLError("GPU is lost")}, "GPU is lost", "nvidia-smi"),
        ({"nvmlDeviceGetCount": 0}, "sees no GPU", "driver"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_raised(
    library, answers: dict[str, Any], words: str, remedy: str
) -> None:
    made = library(**answers)
    found = NvmlProbe().look()
    assert found.gpus == ()
    assert found.missing is not None
    assert words in found.missing.what
    assert remedy in found.missing.remedy
    assert made.opened == 0


def test_without_the_library_that_is_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    found = NvmlProbe().look()
    assert found.missing is not None
    assert "nvidia-ml-py is not installed" in found.missing.what
    assert "pip install nvidia-ml-py" in found.missing.remedy
    with pytest.raises(ProbeError, match="not installed"), NvmlProbe().watch("GPU-aaaa"):
        pass


def test_a_watched_gpu_is_read_again_and_again_and_closed(library) -> None:
    made = library()
    with NvmlProbe().watch("GPU-aaaa") as read:
        assert read().power_w == 27.5
        made.answers["nvmlDeviceGetPowerUsage"] = 60000
        assert read().power_w == 60.0
        made.answers["nvmlDeviceGetMemoryInfo"] = NVMLError("GPU is lost\n")
        with pytest.raises(ProbeError, match=r"^NVML: GPU is lost$"):
            read()
        assert made.opened == 1
    assert made.opened == 0


def test_a_watch_of_a_gpu_that_is_gone(library) -> None:
    made = library(nvmlDeviceGetHandleByUUID=NVMLError("Not Found"))
    with pytest.raises(ProbeError, match="Not Found"), NvmlProbe().watch("GPU-zzzz"):
        pass
    assert made.opened == 0
