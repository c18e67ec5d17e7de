"""The engine's own answer: a container is asked for with the GPU, and looks for it."""

from __future__ import annotations

from dataclasses import replace

from kit.engine.protocol import LABEL, Engine, RunRequest
from kit.errors import NotStartedError
from kit.host.gpu.facts import Finding, GpuCheck
from kit.host.gpu.preflight import TOOLKIT

# The control device of NVIDIA's driver; on WSL the GPU is reached through dxg.
_LOOK = ("sh", "-c", "test -e /dev/nvidiactl || test -e /dev/dxg")
_TRIAL_S = 120.0


def tried(engine: Engine, image: str, check: GpuCheck) -> GpuCheck:
    """The check with the engine's refusal, in its words, among the problems if it refuses.

    ``image`` is any local one with a shell; nothing is left of the container.
    """
    request = RunRequest(
        image=image,
        command=_LOOK,
        gpu=check.request,
        timeout_s=_TRIAL_S,
        labels={LABEL: "kit"},
    )
    try:
        outcome = engine.run(request)
    except NotStartedError as error:
        return _with(check, f"the engine gives no container a GPU: {error.reason}")
    if outcome.exit_code != 0:
        return _with(check, "the engine starts a container that asks for a GPU, but without one")
    return check


def _with(check: GpuCheck, what: str) -> GpuCheck:
    return replace(check, problems=(*check.problems, Finding(what, TOOLKIT)))
