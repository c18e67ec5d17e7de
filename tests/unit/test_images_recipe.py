"""Recipes: an equal one is found, another one is built."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
from fakes.engine import FakeEngine

from kit import __version__
from kit.engine.protocol import LABEL
from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.build.context import Context
from kit.images.build.recipe import Recipe, build_recipe, find_built

NET = HostNetwork({"http_proxy": "http://p.example"}, b"", "", "")


def recipe(**changes: object) -> Recipe:
    context = Context()
    context.add_bytes(b"FROM scratch", "Dockerfile")
    return replace(Recipe("thing", context, "Dockerfile", {"BASE": "sha256:a"}), **changes)


def build(engine: FakeEngine, made: Recipe, net: HostNetwork = NET) -> list[str]:
    said: list[str] = []
    build_recipe(engine, made, net, said.append)
    return said


def test_nothing_built_is_found_nowhere() -> None:
    assert find_built(FakeEngine(), recipe()) is None


def test_an_unchanged_recipe_is_found_not_rebuilt() -> None:
    engine = FakeEngine()
    first = build_recipe(engine, recipe(), NET, lambda line: None)
    said: list[str] = []
    assert build_recipe(engine, recipe(), NET, said.append) == first
    assert said == ["thing: unchanged"]
    assert len(engine.named("build")) == 1
    assert find_built(engine, recipe()) == first


def test_the_request_holds_tag_labels_arguments_and_proxies() -> None:
    engine = FakeEngine()
    build(engine, recipe())
    (request,) = engine.named("build")
    assert request.tag == f"kit/thing:{__version__}"
    assert request.dockerfile == "Dockerfile"
    assert request.labels[LABEL] == "kit"
    assert request.args == {"BASE": "sha256:a", "http_proxy": "http://p.example"}


def other_context() -> Context:
    context = Context()
    context.add_bytes(b"FROM other", "Dockerfile")
    return context


@pytest.mark.parametrize(
    "changes",
    [
        {"args": {"BASE": "sha256:b"}},
        {"args": {}},
        {"args": {"BASE": "sha256:a", "MORE": ""}},
        {"dockerfile": "other.Dockerfile"},
        {"extra": ("openssl from", "bullseye")},
        {"context": other_context()},
    ],
)
def test_a_changed_recipe_is_rebuilt(changes: dict[str, object]) -> None:
    engine = FakeEngine()
    build(engine, recipe())
    assert find_built(engine, recipe(**changes)) is None
    assert "thing: building" in build(engine, recipe(**changes))
    assert len(engine.named("build")) == 2
    assert find_built(engine, recipe()) is None


def test_another_proxy_or_ca_makes_no_other_image() -> None:
    engine = FakeEngine()
    build(engine, recipe())
    context = recipe().context
    context.add_bytes(b"CA", "host/ca.crt")
    assert build(engine, recipe(context=context), HostNetwork({}, b"CA", "", "")) == [
        "thing: unchanged"
    ]


def test_the_order_of_arguments_is_nothing() -> None:
    engine = FakeEngine()
    build(engine, recipe(args={"A": "1", "B": "2"}))
    assert find_built(engine, recipe(args={"B": "2", "A": "1"})) is not None


def test_an_image_of_that_name_that_the_kit_did_not_make_is_not_taken() -> None:
    engine = FakeEngine()
    build(engine, recipe())
    stranger = replace(engine.images[recipe().tag], labels={})
    engine.images[recipe().tag] = stranger
    assert find_built(engine, recipe()) is None


def test_a_failed_build_is_not_found_later() -> None:
    engine = FakeEngine(build_errors={recipe().tag: ImageError("no disk", "free some")})
    with pytest.raises(ImageError, match="no disk"):
        build(engine, recipe())
    assert find_built(engine, recipe()) is None


STEPS = (
    "Step 1/2 : FROM scratch", "---> 123", "Step 2/2 : RUN dotnet restore",
    "error NU1101: Unable to find package",
)  # fmt: skip


def shown(*, fails: bool, hear: list[str] | None = None) -> list[str]:
    """What is said of a build whose last step prints an error."""
    engine = FakeEngine(build_lines=STEPS)
    if fails:
        engine.build_errors[recipe().tag] = ImageError("it failed", "look")
    said: list[str] = []
    with pytest.raises(ImageError) if fails else nullcontext():
        build_recipe(engine, recipe(), NET, said.append, None if hear is None else hear.append)
    return said


def test_a_build_says_its_steps_and_only_one_that_fails_its_output() -> None:
    steps = ["thing: building", *(f"thing: step {n} of 2, {what}" for n, what in
             ((1, "FROM scratch"), (2, "RUN dotnet restore")))]  # fmt: skip
    assert shown(fails=False) == steps
    assert shown(fails=True) == [*steps, f"thing: {STEPS[2]}", f"thing: {STEPS[3]}"]


def test_a_build_that_may_fail_says_no_error_and_its_caller_hears_all() -> None:
    heard: list[str] = []
    assert not any("NU1101" in line for line in shown(fails=True, hear=heard))
    assert heard == list(STEPS)


def test_all_output_is_said_for_who_looks_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_DEBUG", "1")
    said = shown(fails=True, hear=[])
    assert [f"thing: {line}" for line in STEPS] == said[1:]
