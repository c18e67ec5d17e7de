"""Recipes: an equal one is found, another one is built."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fakes.engine import FakeEngine

from kit import __version__
from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.build.recipe import RECIPE_LABEL, Context, Recipe, Tools, build_recipe, find_built
from kit.pins.load import shipped_pins

PINS = shipped_pins()
NET = HostNetwork({"http_proxy": "http://p.example"}, b"", "", "")


def recipe(**changes: object) -> Recipe:
    context = Context()
    context.add_bytes(b"FROM scratch", "Dockerfile")
    return replace(Recipe("thing", context, "Dockerfile", {"BASE": "sha256:a"}), **changes)


def build(engine: FakeEngine, made: Recipe, net: HostNetwork = NET) -> list[str]:
    said: list[str] = []
    build_recipe(Tools(engine, PINS, net, said.append), made)
    return said


def test_nothing_built_is_found_nowhere() -> None:
    assert find_built(FakeEngine(), recipe()) is None


def test_an_unchanged_recipe_is_found_not_rebuilt() -> None:
    engine = FakeEngine()
    first = build_recipe(Tools(engine, PINS, NET, lambda line: None), recipe())
    said: list[str] = []
    assert build_recipe(Tools(engine, PINS, NET, said.append), recipe()) == first
    assert said == ["thing: unchanged"]
    assert len(engine.named("build")) == 1
    assert find_built(engine, recipe()) == first


def test_the_request_holds_tag_labels_arguments_and_proxies() -> None:
    engine = FakeEngine()
    build(engine, recipe())
    (request,) = engine.named("build")
    assert request.tag == f"kit/thing:{__version__}"
    assert request.dockerfile == "Dockerfile"
    assert list(request.labels) == [RECIPE_LABEL]
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
        {"digest_salt": ("openssl from", "bullseye")},
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


NOISE = ("error NU1101: Unable to find package", " ---> abc")


def test_each_line_of_a_build_goes_where_it_belongs_and_a_failed_one_keeps_all() -> None:
    lines = ("Step 1/2 : RUN x", NOISE[0], "STEP 2/2: RUN y", NOISE[1])

    def sinks(engine: FakeEngine) -> tuple[Tools, list[list[str]]]:
        made: list[list[str]] = [[], [], [], []]
        return Tools(engine, PINS, NET, *(sink.append for sink in made)), made

    tools, (said, steps, built, output) = sinks(FakeEngine(build_lines=lines))
    build_recipe(tools, recipe())
    assert said == ["thing: building"]
    assert steps == ["thing: Step 1/2 : RUN x", "thing: STEP 2/2: RUN y"]
    assert [re.sub(r"\d+", "N", line) for line in built] == ["thing: built in N s"]
    assert output == [f"thing: {line}" for line in lines]
    failing = FakeEngine(build_lines=lines, build_errors={recipe().tag: ImageError("no", "do")})
    tools, (said, steps, built, output) = sinks(failing)
    with pytest.raises(ImageError) as caught:
        build_recipe(tools, recipe())
    assert len(steps) == 2 and not built and len(output) == 4
    assert caught.value.output == lines


def test_a_failed_build_is_not_found_later() -> None:
    engine = FakeEngine(build_errors={recipe().tag: ImageError("no disk", "free some")})
    with pytest.raises(ImageError, match="no disk"):
        build(engine, recipe())
    assert find_built(engine, recipe()) is None
