"""A session's GPU: checked before its runs, and compared when the session is resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kit.engine.protocol import Engine, RunRequest
from kit.errors import HostError, InputError, NotStartedError
from kit.host.gpu.preflight import TOOLKIT, Preflight, check
from kit.host.gpu.probe import Probe
from kit.records.gpu import Found, GpuCheck, GpuIssue


def ask(
    engine: Engine,
    probe: Probe,
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
    testable(arms, found)
    # An engine that ignores the request would only start an ordinary container.
    if info.gpu_drivers:
        found = tried(engine, image(), found)
        testable(arms, found)
    return found


def testable(arms: tuple[str, ...], gpu: GpuCheck) -> tuple[str, ...]:
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


def refuse_other_gpu(recorded: GpuCheck, found: Found) -> None:
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


# The control device of NVIDIA's driver; on WSL the GPU is reached through dxg.
_LOOK = ("sh", "-c", "test -e /dev/nvidiactl || test -e /dev/dxg")
_TRIAL_S = 120.0


def tried(engine: Engine, image: str, check: GpuCheck) -> GpuCheck:
    """Start a container with the GPU; return the check, with a problem added if that fails.

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


def _with(check: GpuCheck, what: str) -> GpuCheck:
    return replace(check, problems=(*check.problems, GpuIssue(what, TOOLKIT)))
