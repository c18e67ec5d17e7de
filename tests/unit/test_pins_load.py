"""The pins: digests only, and recipes that agree with them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
import yaml

from kit.images.context import recipes
from kit.images.hostpython import SUITES
from kit.pins.load import Candidate, shipped_pins
from kit.schemas import problems

DIGEST = "sha256:" + "a" * 64


def test_every_role_has_candidates_pinned_by_digest() -> None:
    pins = shipped_pins()
    assert set(pins.roles) == {"python", "dotnet-sdk", "dotnet-runtime"}
    for candidates in pins.roles.values():
        assert candidates
        for candidate in candidates:
            assert re.fullmatch(r"[^:@]+@sha256:[0-9a-f]{64}", candidate.pinned)
            assert candidate.tag not in candidate.pinned


def test_the_papers_own_python_is_wanted_first() -> None:
    assert shipped_pins().roles["python"][0].provides["python"] == "3.8.2"


def test_both_dotnet_roles_are_of_one_framework() -> None:
    roles = shipped_pins().roles
    sdk, runtime = roles["dotnet-sdk"], roles["dotnet-runtime"]
    assert {c.provides["framework"] for c in (*sdk, *runtime)} == {"net5.0"}
    assert runtime[0].provides["dotnet"].startswith("5.0.")
    assert shipped_pins().sdk.provides["framework"] == "netcoreapp3.1"


def test_the_fallback_fits_a_known_suite_and_a_lock() -> None:
    pins = shipped_pins()
    assert pins.fallback_suite in {suite.name for suite in SUITES}
    lock = "cp" + pins.fallback_python.replace(".", "")
    assert (recipes() / "python" / f"requirements-{lock}.txt").is_file()


@pytest.mark.parametrize("lock", ["cp38", "cp39"])
def test_locks_hold_the_pinned_tensorflow_and_hash_every_line(lock: str) -> None:
    text = (recipes() / "python" / f"requirements-{lock}.txt").read_text(encoding="utf-8")
    assert f"tensorflow-cpu=={shipped_pins().tensorflow}" in text
    joined = text.replace("\\\n", " ")
    wanted = [line for line in joined.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    assert len(wanted) > 10
    assert all("==" in line and "--hash=sha256:" in line for line in wanted)


def test_the_binding_locks_agree_with_the_pins() -> None:
    pins = shipped_pins()
    name, version = pins.substitute_binding.split()
    lock = (recipes() / "dotnet" / "pythonnet.txt").read_text(encoding="utf-8")
    assert f"{name}=={version}" in lock
    name, version = pins.exact_binding.split()
    project = (recipes() / "dotnet" / "Workload.csproj").read_text(encoding="utf-8")
    assert name in project and version in project


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("python", "docker.io"),
        ("library/python", "docker.io"),
        ("registry.example/dotnet/sdk", "registry.example"),
        ("localhost:5000/python", "localhost:5000"),
    ],
)
def test_the_registry_of_a_reference(reference: str, registry: str) -> None:
    assert Candidate(reference, "1", DIGEST, {}).registry == registry


def test_what_people_read_and_what_is_pulled() -> None:
    candidate = Candidate("lab.example/python", "3.8.2", DIGEST, {})
    assert candidate.readable == "lab.example/python:3.8.2"
    assert candidate.pinned == f"lab.example/python@{DIGEST}"


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", "sha256:" + "A" * 64])
def test_a_pin_without_a_whole_digest_is_refused(digest: str) -> None:
    text = (files("kit.pins") / "pins.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert problems("pins", document) == []
    document["roles"]["python"][0]["digest"] = digest
    (line,) = problems("pins", document)
    assert line.startswith("roles.python[0].digest")
