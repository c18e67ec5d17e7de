"""CUDA runs: what their containers get, and what counts as proof that the GPU worked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.gpu import FakeProbe
from support.sessions import make_record

from kit.engine.protocol import RunRequest
from kit.measure.device import GpuAssignment, device_mismatch
from kit.records.record import Device

REQUEST = RunRequest("image", env={"A": "b"}, timeout_s=100.0)
ASSIGNMENT = GpuAssignment(FakeProbe(), "GPU-1", "nvidia.com/gpu=GPU-1", 3600.0)


def test_a_request_gets_the_gpu_and_the_kept_cache() -> None:
    made = ASSIGNMENT.added_to(REQUEST, first=False)
    assert made.gpu == "nvidia.com/gpu=GPU-1"
    assert made.volumes == {"kit-cuda-cache": "/cuda-cache"}
    assert made.env == {
        "A": "b", "CUDA_CACHE_PATH": "/cuda-cache", "CUDA_CACHE_MAXSIZE": "4294967296",
    }  # fmt: skip
    assert made.timeout_s == 100.0
    assert replace(made, gpu=None, volumes={}, env=REQUEST.env) == REQUEST


def test_only_a_first_run_gets_time_to_compile() -> None:
    assert ASSIGNMENT.added_to(REQUEST, first=True).timeout_s == 3700.0


GOOD = ["python-cpu", "dotnet-cpu", "python-cuda", "dotnet-cuda"]


@pytest.mark.parametrize("kind", ["identity", "timed"])
@pytest.mark.parametrize("arm", GOOD)
def test_good_records_prove_it(arm: str, kind: str) -> None:
    assert device_mismatch(arm.partition("-")[2], make_record("r", arm, kind)) is None


GPU = Device("gpu", "Tesla T4", {"GPU": 9, "CPU": 1}, 1000)
BAD: dict[str, tuple[str, str, Device, str]] = {
    "fell back": ("cuda", "timed", Device("cpu", "", {}, None), "on the CPU, not on the GPU"),
    "no op": ("cuda", "identity", replace(GPU, ops={"CPU": 10}), "no op of a CUDA arm"),
    "no op counted": ("cuda", "identity", replace(GPU, ops={}), "none was counted"),
    "no memory": ("cuda", "timed", replace(GPU, ops={}, peak_bytes=0), "held no GPU memory"),
    "memory unknown": ("cuda", "identity", replace(GPU, peak_bytes=None), "held no GPU memory"),
    "cpu on gpu": ("cpu", "timed", replace(GPU, ops={}), "a CPU arm did its work on a GPU"),
    "cpu ops on gpu": ("cpu", "identity", Device("cpu", "", {"GPU": 1}, None), "on a GPU"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_record_of_the_other_device_is_refused_with_the_reason(name: str) -> None:
    variant, kind, device, words = BAD[name]
    reason = device_mismatch(variant, make_record("r", f"python-{variant}", kind, device=device))
    assert reason is not None
    assert words in reason
