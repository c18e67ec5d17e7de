"""Building a second time: nothing in use is found, replaced or left behind."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from fakes.engine import FakeEngine, image
from support.archives import member, tree

from kit.engine.protocol import BuildRequest
from kit.images.build.arms import Images
from kit.images.inspect.compare import EmptyStoreEngine, rebuild

NAME = "kit/python-cpu:1"


class Twice(FakeEngine):
    """Every built image holds what ``content`` says next."""

    content: list[bytes]

    def build(self, request, on_line):
        built = super().build(request, on_line)
        # The real engine gives an id by content; here by the tag.
        self.trees[built.id] = tree(member("a", self.content.pop(0)))
        return built


def build_on(engine):
    if engine.find_image(NAME) is None:
        engine.build(BuildRequest(io.BytesIO(), "Dockerfile", NAME), lambda line: None)
    return Images({}, ())


def twice(*content):
    engine = Twice()
    engine.content = list(content)
    return engine


def test_the_second_build_starts_from_nothing_and_leaves_nothing():
    engine = twice(b"1", b"1")
    (found,) = rebuild(engine, build_on, lambda line: None)
    assert found.reference == NAME
    assert found.differences == ()
    assert found.first_sha256 == found.second_sha256
    first, second = engine.named("build")
    assert first.cache and not second.cache
    assert second.tag.startswith(f"{NAME}-verify-")
    assert list(engine.images) == [NAME]


def test_a_difference_is_found_and_the_second_image_removed_all_the_same():
    engine = twice(b"1", b"2")
    (found,) = rebuild(engine, build_on, lambda line: None)
    assert [d.path for d in found.differences] == ["a"]
    assert list(engine.images) == [NAME]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError()])
def test_an_interrupted_second_build_leaves_nothing(error):
    engine = twice(b"1", b"1")

    def interrupted(where):
        build_on(where)
        if isinstance(where, EmptyStoreEngine):
            raise error

    with pytest.raises(type(error)):
        rebuild(engine, interrupted, lambda line: None)
    assert list(engine.images) == [NAME]


def test_images_had_by_digest_are_the_real_ones():
    pinned = "python@sha256:" + "0" * 64
    engine = FakeEngine(images={pinned: image(pinned), NAME: replace(image(NAME))})
    fresh = EmptyStoreEngine(engine)
    assert fresh.find_image(pinned) == image(pinned)
    assert fresh.find_image(NAME) is None
