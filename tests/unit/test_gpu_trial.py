"""The engine's own answer to a GPU request, on a scripted engine."""

from __future__ import annotations

import pytest
from fakes.engine import INFO, FakeEngine, fails, raises
from fakes.gpu import T4

from kit.errors import HostError, NotStartedError
from kit.host.gpu.preflight import Preflight, check, run_trial
from kit.records.gpu import DetectedGpus

FOUND = check(Preflight(INFO, DetectedGpus((T4,))), ("python-cuda",))
REFUSAL = 'could not select device driver "" with capabilities: [[gpu]]'


def test_a_container_that_sees_the_gpu_changes_nothing() -> None:
    engine = FakeEngine()
    assert run_trial(engine, "kit/any:1", FOUND) == FOUND
    (request,) = engine.named("run")
    assert (request.gpu, request.image, dict(request.volumes)) == (T4.uuid, "kit/any:1", {})


def test_a_refusal_is_a_problem_in_the_engine_s_words() -> None:
    error = NotStartedError("sha256:1", REFUSAL)
    found = run_trial(FakeEngine(on_run=raises(error)), "x", FOUND)
    (problem,) = found.problems
    assert problem.what == f"the engine gives no container a GPU: {REFUSAL}"
    assert "NVIDIA Container Toolkit" in problem.remedy
    assert found.untestable == ("python-cuda",)


def test_a_container_that_got_none_is_a_problem_too() -> None:
    (problem,) = run_trial(FakeEngine(on_run=fails(1)), "x", FOUND).problems
    assert "without one" in problem.what


def test_an_engine_that_is_gone_is_not_a_missing_gpu() -> None:
    with pytest.raises(HostError, match="gone"):
        run_trial(FakeEngine(on_run=raises(HostError("gone", "start it"))), "x", FOUND)
