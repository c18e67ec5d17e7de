"""A session's GPU: checked before its runs, by facts and by a container, and when it is resumed.

Drivers. The images carry CUDA 11.8. NVIDIA's CUDA Toolkit release notes (docs.nvidia.com/
cuda/cuda-toolkit-release-notes, "CUDA Driver") list Linux driver 520.61.05 as the one that
belongs to CUDA 11.8, and 450.80.02 as the oldest for minor version compatibility in all of
CUDA 11: programs run from there on "with limited feature-set" (docs.nvidia.com/deploy/
cuda-compatibility/minor-version-compatibility).

Architectures. TensorFlow 2.10.1's wheel holds kernels for compute capability 3.5 to
7.5 and PTX of 8.0: for a newer GPU the driver compiles that at first use, which, TensorFlow
warns, "could take 30 minutes or longer" (tensorflow/tensorflow issue 62320). CUDA 11.8
"introduces support for both the Hopper and Ada Lovelace GPU families", the newest that it
supports: 9.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rich.filesize import decimal

from kit.engine.hardening import PODMAN_WITH_CDI, release
from kit.engine.protocol import Engine, EngineInfo, RunRequest
from kit.errors import HostError, InputError, NotStartedError
from kit.host.gpu.probe import GpuReader
from kit.records.gpu import DetectedGpus, Gpu, GpuCheck, GpuIssue, harmful

CUDA = "11.8"
DRIVER_OF_CUDA = "520.61.05"
OLDEST_DRIVER = "450.80.02"
OLDEST_CAPABILITY = (3, 5)
NEWEST_KERNELS = (7, 5)
NEWEST_OF_CUDA = (9, 0)
COMPILE_LIMIT_S = 3600.0
"""Seconds added to the time limit of a run that may have to compile first."""
NEEDED_BYTES = 2_000_000_000
"""CUDA's context, cuBLAS and cuDNN, and the data: kit's own estimate, with a margin."""
BUSY_PERCENT = 10
CDI_KIND = "nvidia.com/gpu="
TOOLKIT = (
    "install the NVIDIA Container Toolkit, then `nvidia-ctk runtime configure --runtime=docker` "
    "and restart the engine"
)
SEE_HERE = "run the kit on the machine that has the GPU"
# The control device of NVIDIA's driver; on WSL the GPU is reached through dxg.
_LOOK = ("sh", "-c", "test -e /dev/nvidiactl || test -e /dev/dxg")
_TRIAL_S = 120.0


@dataclass(frozen=True)
class Preflight:
    """The facts for checking GPUs: the engine, this machine's GPUs, the requested one ("": any)."""

    engine: EngineInfo
    found: DetectedGpus
    requested: str = ""


def check(facts: Preflight, arms: tuple[str, ...]) -> GpuCheck:
    """Return the GPU for those CUDA arms, with the problems and warnings that the facts show.

    Raises InputError when the request names a GPU that is not here.
    """
    chosen = choose(facts.found.gpus, facts.requested)
    problems = [*engine_problems(facts.engine)]
    warnings: list[GpuIssue] = []
    first_start = 0.0
    if facts.found.missing is not None:
        problems.append(facts.found.missing)
    if chosen is not None:
        problems += gpu_problems(chosen)
        warnings += gpu_warnings(chosen)
        first_start = COMPILE_LIMIT_S if _compiles(chosen) else 0.0
    return GpuCheck(
        arms=arms,
        gpus=facts.found.gpus,
        chosen=chosen.uuid if chosen else None,
        request=request_of(facts.engine, chosen),
        problems=tuple(problems),
        warnings=tuple(warnings),
        first_start_s=first_start,
    )


def choose(gpus: tuple[Gpu, ...], requested: str) -> Gpu | None:
    """Return the requested GPU (by index or UUID), else the one with the most free memory.

    GPUs without a problem come first. None without a GPU. Raises InputError for an unknown one.
    """
    if not gpus:
        return None
    if requested:
        for gpu in gpus:
            if requested in (str(gpu.index), gpu.uuid):
                return gpu
        there = "; ".join(f"{gpu.index} is {gpu.name}, {gpu.uuid}" for gpu in gpus)
        raise InputError(f"--gpu-device: no GPU here is {requested!r}", f"give one of: {there}")
    good = [gpu for gpu in gpus if not list(gpu_problems(gpu))] or list(gpus)
    return max(good, key=lambda gpu: (gpu.memory_free_bytes, -gpu.index))


def request_of(engine: EngineInfo, gpu: Gpu | None) -> str:
    """Return the device name by which to request that GPU from this engine; for None all GPUs.

    It is a CDI name where the engine supports nothing else, or found such names and has
    no NVIDIA runtime; otherwise the UUID, which the container toolkit understands.
    """
    by_cdi = [name for name in engine.cdi_devices if name.startswith(CDI_KIND)]
    only_cdi = "nvidia" not in engine.gpu_drivers
    if not only_cdi and ("nvidia" in engine.runtimes or not by_cdi):
        return gpu.uuid if gpu else "all"
    if gpu is None:
        return f"{CDI_KIND}all"
    by_uuid, by_index = f"{CDI_KIND}{gpu.uuid}", f"{CDI_KIND}{gpu.index}"
    # Older specifications name devices only by index; where the engine does not report
    # the names, the UUID cannot mean another GPU.
    return by_index if by_index in by_cdi and by_uuid not in by_cdi else by_uuid


def engine_problems(engine: EngineInfo) -> Iterator[GpuIssue]:
    """Yield the known reasons why this engine cannot give a container a GPU."""
    if not engine.gpu_drivers:
        newer = ".".join(str(part) for part in PODMAN_WITH_CDI)
        yield GpuIssue(
            f"{engine.name} {engine.version} ignores a GPU request on its socket "
            "and would start the container without one",
            f"use {engine.name} {newer} or newer with a CDI specification "
            "(`nvidia-ctk cdi generate`), or Docker",
        )
    if not engine.local:
        yield GpuIssue(
            f"the engine at {engine.endpoint} is on another machine, whose GPU "
            "cannot be looked at from here",
            SEE_HERE,
        )


def gpu_problems(gpu: Gpu) -> Iterator[GpuIssue]:
    """Yield the reasons why the CUDA arms cannot run on this GPU."""
    if release(gpu.driver) < release(OLDEST_DRIVER):
        yield GpuIssue(
            f"driver {gpu.driver} is too old for CUDA {CUDA}: {OLDEST_DRIVER} is the least",
            f"install driver {DRIVER_OF_CUDA} or newer",
        )
    if gpu.compute_capability < OLDEST_CAPABILITY:
        yield GpuIssue(
            f"{gpu.name} has compute capability {_dotted(gpu.compute_capability)}, "
            f"TensorFlow's kernels begin at {_dotted(OLDEST_CAPABILITY)}",
            "use a newer GPU",
        )
    if gpu.memory_free_bytes < NEEDED_BYTES:
        yield GpuIssue(
            f"{gpu.name} (GPU {gpu.index}) has {decimal(gpu.memory_free_bytes)} of memory "
            f"free, {decimal(NEEDED_BYTES)} are needed",
            _stop_others(gpu),
        )


def gpu_warnings(gpu: Gpu) -> Iterator[GpuIssue]:
    """Yield warnings that do not keep the CUDA arms from running on this GPU."""
    if release(OLDEST_DRIVER) <= release(gpu.driver) < release(DRIVER_OF_CUDA):
        refused = ", and may refuse the PTX this GPU needs" if _compiles(gpu) else ""
        yield GpuIssue(
            f"driver {gpu.driver} is older than CUDA {CUDA}'s own ({DRIVER_OF_CUDA}): "
            f"it runs by minor version compatibility{refused}",
            f"install driver {DRIVER_OF_CUDA} or newer",
        )
    if _compiles(gpu):
        yield GpuIssue(
            f"TensorFlow has no kernels for {gpu.name} (compute capability "
            f"{_dotted(gpu.compute_capability)}): the first run compiles them from PTX, "
            "which by TensorFlow's own words can take 30 minutes or longer; later runs find "
            "them in a kept volume",
            f"wait; a GPU up to compute capability {_dotted(NEWEST_KERNELS)} starts at once",
        )
    if gpu.compute_capability > NEWEST_OF_CUDA:
        yield GpuIssue(
            f"{gpu.name} is newer than any GPU that CUDA {CUDA} knows "
            f"(compute capability {_dotted(NEWEST_OF_CUDA)}): its libraries may not run",
            "if runs fail, use an older GPU",
        )
    if gpu.processes:
        pids = ", ".join(str(process.pid) for process in gpu.processes)
        yield GpuIssue(f"other processes use GPU {gpu.index}: {pids}", _stop_others(gpu))
    if gpu.utilisation_percent is not None and gpu.utilisation_percent > BUSY_PERCENT:
        yield GpuIssue(
            f"GPU {gpu.index} is {gpu.utilisation_percent} % busy already", _stop_others(gpu)
        )
    slowed = harmful(gpu.throttle)
    if slowed:
        yield GpuIssue(
            f"GPU {gpu.index} is slowed down now: {', '.join(slowed)}",
            "see to its cooling and power; times measured now are those of a slowed GPU",
        )


def check_gpu_arms(
    engine: Engine,
    probe: GpuReader,
    requested: str,
    arms: tuple[str, ...],
    cuda: tuple[str, ...],
    image: Callable[[], str],
) -> GpuCheck:
    """Check whether the arms ``cuda``, of all ``arms``, can run: by facts, then by a container.

    Returns the check with its problems. ``image`` returns an image to try the engine with, and
    may build it for that. Raises HostError when no arm can run, InputError for a requested
    GPU that is not here.
    """
    info = engine.info()
    found = check(Preflight(info, probe.look(), requested), cuda)
    testable_arms(arms, found)
    # An engine that ignores the request would only start an ordinary container.
    if info.gpu_drivers:
        found = run_trial(engine, image(), found)
        testable_arms(arms, found)
    return found


def testable_arms(arms: tuple[str, ...], gpu: GpuCheck) -> tuple[str, ...]:
    """Return the arms that can run here. Raises HostError when there is none."""
    left = tuple(arm for arm in arms if arm not in gpu.untestable)
    if not left:
        raise not_testable(gpu)
    return left


def not_testable(check: GpuCheck) -> HostError:
    """Return the error that ends a session whose requested CUDA arms could not run."""
    problems = "; ".join(problem.what for problem in check.problems)
    remedies = dict.fromkeys(problem.remedy for problem in check.problems)
    return HostError(
        f"--gpu: the CUDA arms could not be tested here: {problems}", "; ".join(remedies)
    )


def refuse_other_gpu(recorded: GpuCheck, found: DetectedGpus) -> None:
    """Raise InputError unless the GPU of a recorded session is here, with the same driver.

    Does nothing for a session that used no GPU.
    """
    wanted = recorded.gpu
    if wanted is None or recorded.problems:
        return
    remedy = "start a new session; what is measured on another GPU or driver cannot be mixed in"
    here = {gpu.uuid: gpu for gpu in found.gpus}
    if wanted.uuid not in here:
        names = ", ".join(f"{gpu.name}, {gpu.uuid}" for gpu in found.gpus)
        lack = found.missing.what if found.missing is not None else "none is here"
        raise InputError(
            f"--resume: the GPU is not the recorded one ({wanted.name}, {wanted.uuid} was; "
            f"now: {names or lack})",
            remedy,
        )
    driver = here[wanted.uuid].driver
    if driver != wanted.driver:
        raise InputError(
            f"--resume: the GPU's driver is not the recorded one ({wanted.driver} was, "
            f"{driver} is)",
            remedy,
        )


def run_trial(engine: Engine, image: str, check: GpuCheck) -> GpuCheck:
    """Start a container with the chosen GPU; return the check, with a problem added if that fails.

    ``image`` is any local one with a shell; the container is removed.
    """
    request = RunRequest(
        image=image,
        command=_LOOK,
        gpu=check.request,
        timeout_s=_TRIAL_S,
    )
    try:
        outcome = engine.run(request)
    except NotStartedError as error:
        return _with(check, f"the engine gives no container a GPU: {error.reason}")
    if outcome.exit_code != 0:
        return _with(check, "the engine starts a container that asks for a GPU, but without one")
    return check


def _compiles(gpu: Gpu) -> bool:
    return gpu.compute_capability > NEWEST_KERNELS


def _stop_others(gpu: Gpu) -> str:
    return f"stop what runs on GPU {gpu.index} (`nvidia-smi`), or choose another by --gpu-device"


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _with(check: GpuCheck, what: str) -> GpuCheck:
    return replace(check, problems=(*check.problems, GpuIssue(what, TOOLKIT)))
