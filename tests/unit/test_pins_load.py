"""The pins: digests only, and recipes that agree with them."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from kit.errors import InputError
from kit.images.bases.hostpython import SUITES
from kit.images.build.recipe import recipes
from kit.pins import load
from kit.pins.load import Candidate, refuse_edited_lists, shipped_pins
from kit.pins.sources import read_wheels
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
def test_every_list_of_wheels_is_hashed_and_the_variants_differ_in_tensorflow_alone(
    lock: str,
) -> None:
    folder, version = recipes() / "python", shipped_pins().tensorflow
    lists = {
        name: read_wheels((folder / f"{name}-{lock}.txt").read_text(encoding="utf-8"))
        for name in ("requirements", "tensorflow-cpu", "tensorflow-cuda")
    }
    assert all(wheel.sha256 for wheels in lists.values() for wheel in wheels)
    assert len(lists["requirements"]) > 30
    names = {name: [wheel.name for wheel in wheels] for name, wheels in lists.items()}
    assert not {"tensorflow", "tensorflow-cpu"}.intersection(names["requirements"])
    assert [(w.name, w.version) for w in lists["tensorflow-cpu"]] == [("tensorflow-cpu", version)]
    assert ("tensorflow", version) in [(w.name, w.version) for w in lists["tensorflow-cuda"]]
    assert len([name for name in names["tensorflow-cuda"] if name.startswith("nvidia-")]) == 8


def test_the_lists_that_ship_are_the_pinned_ones() -> None:
    refuse_edited_lists(recipes(), shipped_pins())


def test_an_edited_list_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copytree(recipes(), tmp_path / "images")
    place = tmp_path / "images" / "python" / "tensorflow-cpu-cp38.txt"
    place.write_text(place.read_text().replace("sha256:f", "sha256:0"))
    with pytest.raises(InputError, match=r"images/python/tensorflow-cpu-cp38\.txt") as caught:
        refuse_edited_lists(tmp_path / "images", shipped_pins())
    assert "requirements" not in caught.value.problem
    place.unlink()
    with pytest.raises(InputError, match="missing"):
        refuse_edited_lists(tmp_path / "images", shipped_pins())


def test_pins_edited_by_hand_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = tmp_path / "pins.yaml"
    text = load.PINS.read_text()
    edited.write_text(text.replace("8.2-slim-buster", "8.3-slim-buster"))
    assert edited.read_text() != text
    monkeypatch.setattr(load, "PINS", edited)
    load.pins_document.cache_clear()
    try:
        with pytest.raises(InputError, match="edited by hand") as caught:
            load.pins_document()
        assert "kit lock" in caught.value.remedy
    finally:
        load.pins_document.cache_clear()


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
