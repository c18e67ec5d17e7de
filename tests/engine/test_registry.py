"""The registry road for real: pulls by digest from a registry on loopback, and every refusal."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes import registry, rootfs

from kit.engine import pull
from kit.engine.docker import DockerEngine
from kit.engine.protocol import BuildRequest
from kit.errors import (
    AbsentError,
    ContentError,
    DeniedError,
    ImageError,
    UnreachableError,
)
from kit.host.network import HostNetwork
from kit.images.bases.candidates import Resolution, Resolver, mirrored
from kit.images.build.recipe import Tools
from kit.pins.load import Candidate, Pins, shipped_pins

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]
NET = HostNetwork({}, b"", "", "")
NO_DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Base:
    """A stand-in base that a registry holds and the engine does not."""

    host: str
    path: str
    digest: str

    @property
    def candidate(self) -> Candidate:
        return Candidate(f"{self.host}/{self.path}", "1.0", self.digest, {"python": "3.8"})

    @property
    def reference(self) -> str:
        return self.candidate.pinned

    def at(self, host: str) -> Base:
        return replace(self, host=host)


@pytest.fixture(scope="module")
def local_engine(engine: DockerEngine) -> DockerEngine:
    if not engine.endpoint.startswith("unix://"):
        pytest.skip("the engine does not share this machine's loopback")
    if engine.info().name != "Docker":
        pytest.skip("only Docker trusts a registry on loopback without TLS")
    reason = registry.missing()
    if reason:
        pytest.skip(reason)
    return engine


@pytest.fixture
def served(local_engine: DockerEngine, tmp_path: Path) -> Iterator[registry.Registry]:
    with registry.serving(tmp_path) as found:
        yield found


def push(engine: DockerEngine, tiny: str, host: str, path: str, **options: object) -> Base:
    """A base of one layer more than the tiny image, pushed and then forgotten here."""
    tag = f"{host}/{path}:1.0"
    text = f"FROM {tiny}\nRUN echo {uuid.uuid4().hex} > /tmp/word\n"
    engine.build(BuildRequest(rootfs.context(text), "Dockerfile", tag), [].append)
    try:
        for event in engine._link.client.push(tag, stream=True, decode=True, **options):
            assert "error" not in event, event
        image = engine.find_image(tag)
        assert image is not None
        (digest,) = [d.partition("@")[2] for d in image.digests]
    finally:
        engine.remove_image(tag)
    return Base(host, path, digest)


@pytest.fixture
def base(served: registry.Registry, local_engine: DockerEngine, tiny_image: str) -> Iterator[Base]:
    made = push(local_engine, tiny_image, served.host, f"kit-test/{uuid.uuid4().hex[:12]}")
    assert local_engine.find_image(made.reference) is None
    yield made
    local_engine.remove_image(made.reference)


def layers(served: registry.Registry, base: Base) -> list[str]:
    manifest = json.loads(served.blob(base.digest).read_bytes())
    return [layer["digest"] for layer in manifest["layers"]]


def refused(engine: DockerEngine, base: Base, idle_timeout_s: float = 60) -> ImageError:
    """The error of a pull, after which nothing may be found that passes for the image."""
    with pytest.raises(ImageError) as caught:
        engine.pull(base.reference, idle_timeout_s)
    error = caught.value
    assert base.reference in error.problem
    assert "\n" not in error.problem + error.remedy and error.remedy
    assert engine.find_image(base.reference) is None
    assert engine.find_image(f"{base.host}/{base.path}:1.0") is None
    names = engine._link.client.images(name=f"{base.host}/{base.path}")
    assert names == [], "no other name either"
    return error


def pins(**roles: tuple[Base, ...]) -> Pins:
    return replace(
        shipped_pins(), roles={n: tuple(b.candidate for b in found) for n, found in roles.items()}
    )


def resolve(engine: DockerEngine, *mirrors: str, python: tuple[Base, ...]) -> Resolution:
    tools = Tools(engine, pins(python=python), NET, lambda _line: None)
    return Resolver(tools, mirrors).resolve("python")


def test_a_base_is_pulled_by_digest_and_then_found(local_engine: DockerEngine, base: Base) -> None:
    first = resolve(local_engine, python=(base,))
    assert first.image is not None and first.attempts == ()
    assert first.image.digests == (base.reference,)
    assert first.image.tags == (), "nothing is known by a tag that could move"
    said: list[str] = []
    again = Resolver(Tools(local_engine, pins(python=(base,)), NET, said.append)).resolve("python")
    assert (again.image, said) == (first.image, [])
    assert local_engine.remote_digest(base.reference) == base.digest
    assert local_engine.remote_digest(f"{base.host}/{base.path}:1.0") == base.digest


def test_a_changed_layer(served: registry.Registry, local_engine: DockerEngine, base: Base) -> None:
    # The lower layer is in the engine's store already and not asked for again.
    blob = served.blob(layers(served, base)[-1])
    whole = blob.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    blob.write_bytes(changed)
    error = refused(local_engine, base)
    assert type(error) is ContentError
    assert (
        "is not what the digest names" in error.problem and "verification failed" in error.problem
    )
    blob.write_bytes(whole)
    assert local_engine.pull(base.reference, 60).digests == (base.reference,)


def test_a_truncated_layer(
    served: registry.Registry, local_engine: DockerEngine, base: Base
) -> None:
    blob = served.blob(layers(served, base)[-1])
    blob.write_bytes(blob.read_bytes()[:-20])
    assert type(refused(local_engine, base)) is ContentError


def test_a_changed_manifest(
    served: registry.Registry, local_engine: DockerEngine, base: Base
) -> None:
    blob = served.blob(base.digest)
    blob.write_bytes(blob.read_bytes().replace(b'"schemaVersion"', b'"schemaversion"'))
    error = refused(local_engine, base)
    assert type(error) is ContentError and "manifest verification failed" in error.problem


def test_a_changed_configuration(
    served: registry.Registry, local_engine: DockerEngine, base: Base
) -> None:
    config = json.loads(served.blob(base.digest).read_bytes())["config"]["digest"]
    blob = served.blob(config)
    blob.write_bytes(blob.read_bytes().replace(b'"PATH', b'"HTAP').replace(b"linux", b"xunil"))
    assert type(refused(local_engine, base)) is ContentError


def test_a_lost_layer(served: registry.Registry, local_engine: DockerEngine, base: Base) -> None:
    served.blob(layers(served, base)[-1]).unlink()
    error = refused(local_engine, base)
    assert type(error) is AbsentError and "not all of one" in error.problem


def test_a_digest_that_is_not_there(local_engine: DockerEngine, base: Base) -> None:
    wrong = replace(base, digest=NO_DIGEST)
    error = refused(local_engine, wrong)
    assert type(error) is AbsentError and "manifest unknown" in error.problem
    with pytest.raises(AbsentError, match="could not be asked for"):
        local_engine.remote_digest(wrong.reference)


def test_a_registry_that_wants_a_login(
    local_engine: DockerEngine, tiny_image: str, tmp_path: Path
) -> None:
    with registry.serving(tmp_path, login=True) as closed:
        path = f"kit-test/{uuid.uuid4().hex[:12]}"
        made = push(local_engine, tiny_image, closed.host, path, auth_config=registry.LOGIN)
        error = refused(local_engine, made)
        assert type(error) is DeniedError and "no basic auth credentials" in error.problem
        assert "docker login" in error.remedy
        with pytest.raises(DeniedError):
            local_engine.remote_digest(made.reference)


def test_a_registry_that_is_not_there(local_engine: DockerEngine) -> None:
    with registry.nobody() as host:
        start = time.monotonic()
        error = refused(local_engine, Base(host, "kit-test/base", NO_DIGEST))
        assert time.monotonic() - start < 10
    assert type(error) is UnreachableError and "connection refused" in error.problem


def test_a_registry_that_says_nothing(
    local_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "FIRST_ANSWER_S", 1.0)
    with registry.silent() as host:
        start = time.monotonic()
        error = refused(local_engine, Base(host, "kit-test/base", NO_DIGEST), idle_timeout_s=300)
        assert time.monotonic() - start < 5
    assert type(error) is UnreachableError and "no answer within 1 s" in error.problem


def test_a_slow_registry_is_waited_for(
    served: registry.Registry, local_engine: DockerEngine, tiny_image: str
) -> None:
    """It takes longer than the silence that would end it, but is never silent."""
    tag = f"{served.host}/kit-test/{uuid.uuid4().hex[:12]}"
    text = f"FROM {tiny_image}\nRUN head -c 600000 /dev/urandom > /tmp/noise\n"
    local_engine.build(BuildRequest(rootfs.context(text), "Dockerfile", f"{tag}:1.0"), [].append)
    for event in local_engine._link.client.push(f"{tag}:1.0", stream=True, decode=True):
        assert "error" not in event, event
    image = local_engine.find_image(f"{tag}:1.0")
    assert image is not None
    digest = image.digests[0].partition("@")[2]
    local_engine.remove_image(f"{tag}:1.0")
    with registry.slow(served, bytes_per_s=100_000) as host:
        there = Base(host, tag.partition("/")[2], digest)
        start = time.monotonic()
        try:
            assert local_engine.pull(there.reference, idle_timeout_s=2).digests == (
                there.reference,
            )
            assert time.monotonic() - start > 4
        finally:
            local_engine.remove_image(there.reference)


def test_every_refusal_is_kept_and_the_next_candidate_taken(
    served: registry.Registry, local_engine: DockerEngine, base: Base
) -> None:
    wrong = replace(base, digest=NO_DIGEST)
    with registry.nobody() as host:
        away = base.at(host)
        found = resolve(local_engine, python=(away, wrong, base))
    assert found.candidate == base.candidate and found.image is not None
    assert [a.candidate for a in found.attempts] == [
        away.candidate.readable,
        wrong.candidate.readable,
    ]
    assert "does not answer" in found.attempts[0].reason
    assert "manifest unknown" in found.attempts[1].reason


def test_a_mirror_gives_what_the_registry_cannot(
    served: registry.Registry, local_engine: DockerEngine, tiny_image: str
) -> None:
    """Found again under the mirror's name; a mirror's changed copy is passed over."""
    path = f"kit-test/{uuid.uuid4().hex[:12]}"
    kept = push(local_engine, tiny_image, served.host, f"hub/{path}")
    with registry.nobody() as host:
        wanted = Base(host, path, kept.digest)
        mirror = f"{served.host}/hub"
        reference = mirrored(wanted.candidate, mirror)
        try:
            blob = served.blob(layers(served, kept)[-1])
            whole = blob.read_bytes()
            blob.write_bytes(whole[:-1])
            spoilt = resolve(local_engine, mirror, python=(wanted,))
            assert spoilt.image is None
            assert "is not what the digest names" in spoilt.attempts[0].reason
            assert local_engine.find_image(reference) is None
            blob.write_bytes(whole)
            found = resolve(local_engine, host, mirror, python=(wanted,))
            assert found.image is not None and found.candidate == wanted.candidate
            assert found.image.digests == (reference,)
            assert [a.candidate for a in found.attempts] == [
                f"{wanted.candidate.readable} from {host}"
            ]
            again = resolve(local_engine, mirror, python=(wanted,))
            assert (again.image, again.attempts) == (found.image, ())
        finally:
            local_engine.remove_image(reference)
