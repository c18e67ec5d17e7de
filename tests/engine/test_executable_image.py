"""The executable for real: on a Debian without Python it starts and says what it misses."""

from __future__ import annotations

import pytest

from kit.app.runner import run_executable
from kit.engine.docker import DockerEngine
from kit.engine.protocol import RunRequest
from kit.host.network import read_network
from kit.images.build.arms import Builder, BuildOptions
from kit.images.build.recipe import Tools
from kit.images.inspect.content import read_content
from kit.pins.load import shipped_pins
from kit.plan.model import Limits
from kit.records.images import KINDS
from kit.study.load import shipped_study

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200), pytest.mark.usefixtures("built")]


def test_it_starts_without_python_and_names_what_it_cannot_do_without(engine: DockerEngine) -> None:
    study = shipped_study()
    builder = Builder(
        Tools(engine, shipped_pins(), read_network(), lambda _line: None), BuildOptions()
    )
    image = builder.build(study, ("python-cpu", "dotnet-cpu")).executable
    assert image is not None

    paths = read_content(engine, image.image_id).entries
    assert not any("libpython" in path or "tensorflow" in path for path in paths)
    assert not any(path.startswith(("usr/bin/python", "usr/local/bin/python")) for path in paths)

    limits = Limits("0", 2 * 10**9, 120.0)
    found = run_executable(engine, image, study, "dotnet-cpu", limits, "test")
    assert found.kind in KINDS
    assert found.started
    assert not found.trained
    assert found.missing.startswith("libpython3")
    assert found.exit_code == 69


def test_a_bad_spec_is_refused_by_the_executable_as_by_the_arm(engine: DockerEngine) -> None:
    study = shipped_study()
    builder = Builder(
        Tools(engine, shipped_pins(), read_network(), lambda _line: None), BuildOptions()
    )
    image = builder.build(study, ("python-cpu", "dotnet-cpu")).executable
    assert image is not None
    outcome = engine.run(RunRequest(image=image.image_id, env={"KIT_SPEC": "{"}))
    assert outcome.exit_code == 64
    assert "not JSON" in outcome.logs
