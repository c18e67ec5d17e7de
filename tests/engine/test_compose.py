"""compose.yaml by Docker's compose, old or new: read, and an arm run for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import kit
from kit.engine.docker import DockerEngine
from kit.host.network import read_network
from kit.images.build.arms import Builder, BuildOptions
from kit.images.build.compose import compose_yaml
from kit.images.build.recipe import Tools
from kit.pins.load import pins_document, shipped_pins
from kit.schemas import problems
from kit.study.load import shipped_study

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200), pytest.mark.usefixtures("built")]


def has_plugin() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    done = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory):
    """Runs compose on the generated file, in a folder of its own."""
    program = ["docker", "compose"] if has_plugin() else ["docker-compose"]
    if shutil.which("docker-compose") is None and not has_plugin():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip("docker-compose is not installed, and cannot be without root and apt")
        command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "docker-compose"]
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True, env=environ)
        subprocess.run(command, check=True, env=environ, capture_output=True)
    folder: Path = tmp_path_factory.mktemp("compose")
    for recipe in ("python", "dotnet"):
        (folder / "images" / recipe).mkdir(parents=True)
    (folder / "compose.yaml").write_text(compose_yaml(pins_document()))

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, "--project-name", "kit-test", *arguments], cwd=folder,
            env={**os.environ, **environ}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    yield run
    run("--profile", "cpu", "--profile", "cuda", "down", "--volumes")


@pytest.mark.parametrize("profile", ["cpu", "cuda"])
def test_the_file_is_read_and_each_profile_has_its_arms(compose, profile: str) -> None:
    answer = compose("--profile", profile, "config")
    assert answer.returncode == 0, answer.stderr
    services = yaml.safe_load(answer.stdout)["services"]
    of_profile = {name for name, service in services.items() if service["profiles"] == [profile]}
    assert of_profile == {f"python-{profile}", f"dotnet-{profile}"}


@pytest.mark.parametrize("stack", ["python", "dotnet"])
def test_an_arm_runs_and_prints_a_record_that_is_whole(
    compose, stack: str, engine: DockerEngine
) -> None:
    arm = f"{stack}-cpu"
    builder = Builder(
        Tools(engine, shipped_pins(), read_network(), lambda _line: None), BuildOptions()
    )
    images = builder.build(shipped_study(), ("python-cpu", "dotnet-cpu")).arms
    named = {"KIT_DOTNET_CPU": images["dotnet-cpu"].reference}
    assert images["python-cpu"].reference == f"kit/python-cpu:{kit.__version__}"
    answer = compose("--profile", "cpu", "run", "--rm", "-T", arm, **named)
    assert answer.returncode == 0, answer.stderr[-2000:]
    record = json.loads(answer.stdout)
    assert problems("record", record) == []
    assert record["arm"] == arm
    assert len(record["fits"]) == 1
    assert answer.stdout.count("\n") > 20  # for people: indented
