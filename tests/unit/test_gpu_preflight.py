"""The GPU preflight, pure: every problem and warning at once, on made-up machines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.engine import INFO
from fakes.gpu import H100, NO_DRIVER, OLD_DRIVER, T4, make_gpu

from kit.engine.protocol import EngineInfo
from kit.errors import InputError
from kit.host.gpu.preflight import COMPILE_LIMIT_S, Preflight, check, choose, request_of
from kit.records.gpu import DetectedGpus, Gpu, GpuCheck, GpuProcess

ARMS = ("python-cuda", "dotnet-cuda")
GIGABYTE = 10**9


def checked(*gpus: Gpu, engine: EngineInfo = INFO, requested: str = "") -> GpuCheck:
    return check(Preflight(engine, DetectedGpus(gpus), requested), ARMS)


def test_a_gpu_that_has_kernels_needs_nothing() -> None:
    found = checked(T4)
    assert (found.problems, found.warnings, found.untestable) == ((), (), ())
    assert (found.chosen, found.request, found.gpu) == (T4.uuid, T4.uuid, T4)
    assert found.first_start_s == 0


PROBLEMS: dict[str, tuple[Gpu, str, str]] = {
    "driver": (OLD_DRIVER, "440.33.01 is too old for CUDA 11.8: 450.80.02", "520.61.05"),
    "driver just below": (make_gpu(driver="450.80.01"), "too old", "520.61.05"),
    "capability": (make_gpu(compute_capability=(3, 0)), "compute capability 3.0", "newer GPU"),
    "memory": (make_gpu(memory_free_bytes=2 * GIGABYTE - 1), "2.0 GB of memory free", "nvidia-smi"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_keeps_the_arms_from_running(name: str) -> None:
    gpu, what, remedy = PROBLEMS[name]
    found = checked(gpu)
    (problem,) = found.problems
    assert what in problem.what
    assert remedy in problem.remedy
    assert found.untestable == ARMS


WARNINGS: dict[str, tuple[Gpu, str]] = {
    "driver": (make_gpu(driver="450.80.02"), "minor version compatibility"),
    "driver just below": (make_gpu(driver="520.61.04"), "older than CUDA 11.8's own (520.61.05)"),
    "ptx": (make_gpu(compute_capability=(8, 0)), "can take 30 minutes or longer"),
    "other process": (make_gpu(processes=(GpuProcess(42, None), GpuProcess(7, 1))), "GPU 0: 42, 7"),
    "busy": (make_gpu(utilisation_percent=11), "11 % busy"),
    "hot": (make_gpu(throttle=("hardware thermal slowdown",)), "slowed down now: hardware thermal"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_does_not(name: str) -> None:
    gpu, what = WARNINGS[name]
    found = checked(gpu)
    assert [what in warning.what for warning in found.warnings] == [True]
    assert all(warning.remedy for warning in found.warnings)
    assert (found.problems, found.untestable) == ((), ())


@pytest.mark.parametrize(
    "gpu",
    [
        make_gpu(driver="520.61.05"),
        make_gpu(driver="1000.1"),
        make_gpu(utilisation_percent=None),
        make_gpu(throttle=("GPU idle", "software power cap")),
        make_gpu(memory_free_bytes=2 * GIGABYTE),
        make_gpu(compute_capability=(3, 5)),
    ],
)
def test_just_good_enough_says_nothing(gpu: Gpu) -> None:
    found = checked(gpu)
    assert (found.problems, found.warnings) == ((), ())


def test_a_newer_gpu_is_given_time_to_compile() -> None:
    found = checked(H100)
    (warning,) = found.warnings
    assert "NVIDIA H100 80GB HBM3 (compute capability 9.0)" in warning.what
    assert "kept volume" in warning.what
    assert found.first_start_s == COMPILE_LIMIT_S


def test_a_gpu_cuda_does_not_know_is_doubtful() -> None:
    assert "may not run" in checked(make_gpu(compute_capability=(12, 0))).warnings[-1].what


def test_an_old_driver_with_a_new_gpu_says_what_may_be_refused() -> None:
    found = checked(make_gpu(driver="460.0", compute_capability=(8, 6)))
    assert "may refuse the PTX" in found.warnings[0].what


def test_everything_is_said_at_once() -> None:
    worst = make_gpu(
        driver="440.1", compute_capability=(3, 0), memory_free_bytes=0, utilisation_percent=99
    )
    podman = replace(INFO, name="Podman", version="4.3.1", gpu_drivers=(), endpoint="tcp://h:1")
    found = checked(worst, engine=podman)
    assert len(found.problems) == 5
    assert len(found.warnings) == 1
    assert "Podman 4.3.1 ignores a GPU request" in found.problems[0].what
    assert "Podman 5.4 or newer" in found.problems[0].remedy
    assert "another machine" in found.problems[1].what


def test_what_the_probe_lacks_is_the_problem() -> None:
    found = check(Preflight(INFO, DetectedGpus(missing=NO_DRIVER)), ARMS)
    assert found.problems == (NO_DRIVER,)
    assert (found.chosen, found.gpu, found.request) == (None, None, "all")


FREE = [make_gpu(index=i, uuid=f"GPU-{i}", memory_free_bytes=i * GIGABYTE) for i in range(4)]


def test_of_several_the_freest_good_one_is_chosen() -> None:
    assert choose(tuple(FREE), "") == FREE[3]
    tied = replace(FREE[2], memory_free_bytes=FREE[3].memory_free_bytes)
    assert choose((*FREE[:2], tied, FREE[3]), "") == tied
    unfit = replace(FREE[3], compute_capability=(2, 0))
    assert choose((*FREE[:3], unfit), "") == FREE[2]
    assert choose((FREE[0], FREE[1]), "") == FREE[1]
    assert choose((), "") is None


def test_a_wish_is_followed_even_to_a_worse_one() -> None:
    assert choose(tuple(FREE), "1") == FREE[1]
    assert choose(tuple(FREE), "GPU-0") == FREE[0]
    assert checked(*FREE, requested="1").problems[0].remedy.endswith("--gpu-device")


def test_a_wish_for_none_of_them_is_bad_input() -> None:
    with pytest.raises(InputError, match="no GPU here is '9'") as caught:
        checked(*FREE, requested="9")
    assert "2 is Tesla T4, GPU-2" in caught.value.remedy


NAMED = replace(INFO, gpu_drivers=("nvidia", "cdi"))
CDI = ("nvidia.com/gpu=0", "nvidia.com/gpu=all")
REQUESTS: dict[str, tuple[EngineInfo, Gpu | None, str]] = {
    "toolkit": (NAMED, T4, T4.uuid),
    "nothing to name": (NAMED, None, "all"),
    "runtime before cdi": (replace(NAMED, runtimes=("nvidia",), cdi_devices=CDI), T4, T4.uuid),
    "cdi by index": (replace(NAMED, cdi_devices=CDI), T4, "nvidia.com/gpu=0"),
    "cdi by uuid": (
        replace(NAMED, cdi_devices=(*CDI, f"nvidia.com/gpu={T4.uuid}")),
        T4,
        f"nvidia.com/gpu={T4.uuid}",
    ),
    "cdi of others": (replace(NAMED, cdi_devices=("vendor.com/net=0",)), T4, T4.uuid),
    "podman": (replace(INFO, gpu_drivers=("cdi",)), T4, f"nvidia.com/gpu={T4.uuid}"),
    "podman, any": (replace(INFO, gpu_drivers=("cdi",)), None, "nvidia.com/gpu=all"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_an_engine_is_asked_in_the_form_it_honours(name: str) -> None:
    engine, gpu, wanted = REQUESTS[name]
    assert request_of(engine, gpu) == wanted
