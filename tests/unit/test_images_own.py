"""A study's own images: what they stand for, and what --strict refuses of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.engine import FakeEngine, image

from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.build import dockerfiles as own
from kit.images.build.arms import Builder, BuildOptions, Images
from kit.images.build.recipe import Tools, references
from kit.images.stored import images_there
from kit.judge.verdict import substitutes
from kit.pins.load import shipped_pins
from kit.study.folder import Declared, study_pins
from kit.study.load import load_study, write_new_study
from kit.study.model import Study

PINS = shipped_pins()
DEBIAN = f"docker.io/library/debian@sha256:{'d' * 64}"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    write_new_study(tmp_path / "study")
    return load_study(tmp_path / "study")


def pin(study: Study, old: str, new: str) -> None:
    assert study.folder is not None
    path = study.folder / "pins.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def on_debian(study: Study, exact: str) -> None:
    """Let the study's Dockerfiles rest on an image that the kit knows nothing of."""
    pin(study, "BASE: {kit: python}", f'BASE: {{image: "{DEBIAN}"}}')
    row = f'{{got: "CPython 3.11 of Debian", exact: {exact}, why: "as packaged"}}'
    pin(study, "components:", f"components:\n  python: {row}")


def build(engine: FakeEngine, study: Study) -> Images:
    net = HostNetwork({}, b"", "", "")
    builder = Builder(Tools(engine, PINS, net, lambda line: None), BuildOptions(strict=True))
    return builder.build(study, tuple(study.arms))


def test_a_studys_own_images_are_looked_for_by_the_names_they_are_built_with(study: Study) -> None:
    engine = FakeEngine(images={c.pinned: image(c.pinned) for c in PINS.roles["python"]})
    arms = tuple(study.arms)
    net = HostNetwork({}, b"", "", "")
    assert not images_there(engine, study, arms)
    built = (
        Builder(Tools(engine, PINS, net, lambda line: None), BuildOptions()).build(study, arms).arms
    )
    assert images_there(engine, study, arms)
    assert all((built[arm].reference,) == references(study, study.arms[arm]) for arm in arms)


def test_of_python_on_the_kits_own_base_the_base_tells_whether_it_is_exact(study: Study) -> None:
    bases = SimpleNamespace(
        python=SimpleNamespace(
            python="3.9.2", os="Debian", exact=False, why="no registry", details=()
        )
    )
    assert study.folder is not None
    declared = replace(
        study_pins(study.folder), components={"python": Declared("3.8, as published", True, "")}
    )
    for pins in (study_pins(study.folder), declared):
        rows = {row.name: row for row in own.fidelity_of(study, pins, (), bases)}
        assert (rows["python"].got, rows["python"].exact) == ("CPython 3.9.2", False)
        assert substitutes(study, tuple(rows.values())) == ("python",)


def test_strict_takes_the_kits_own_base_where_it_is_exact(study: Study) -> None:
    engine = FakeEngine()
    with pytest.raises(ImageError, match="--strict: 1 of 1 base images"):
        build(engine, study)
    assert engine.named("build") == []
    pinned = PINS.roles["python"][0].pinned
    engine.pulls[pinned] = image(pinned)
    assert set(build(engine, study).arms) == set(study.arms)


def test_strict_asks_for_no_base_of_the_kits_that_no_dockerfile_rests_on(study: Study) -> None:
    on_debian(study, exact="true")
    engine = FakeEngine()
    engine.pulls[DEBIAN] = image(DEBIAN)
    assert all(row.exact for row in build(engine, study).fidelity)
    assert [wanted for wanted, _silence in engine.named("pull")] == [DEBIAN]


def test_strict_names_what_the_study_itself_calls_a_substitute(study: Study) -> None:
    on_debian(study, exact="false")
    pin(study, "  data: {", "  other: {")
    engine = FakeEngine()
    with pytest.raises(ImageError) as caught:
        build(engine, study)
    assert "python (CPython 3.11 of Debian: as packaged)" in caught.value.problem
    assert "data (not known: " in caught.value.problem
    assert engine.named("build") == engine.named("pull") == []
