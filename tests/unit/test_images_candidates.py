"""Candidates: the first available one wins, and every reason is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from fakes.engine import FakeEngine, image

from kit.errors import HostError, ImageError, UnreachableError
from kit.host.network import HostNetwork
from kit.images.bases.candidates import Attempt, Resolver, bases_out_of_reach, mirrored
from kit.images.build.recipe import Tools
from kit.pins.load import Candidate, Pins, shipped_pins


def candidate(reference: str, tag: str) -> Candidate:
    return Candidate(reference, tag, "sha256:" + tag[0] * 64, {"python": tag})


FIRST, SECOND = candidate("a.example/python", "1.0"), candidate("a.example/python", "2.0")
THIRD, SDK = candidate("b.example/python", "3.0"), candidate("a.example/sdk", "5.0")
PINS: Pins = replace(shipped_pins(), roles={"python": (FIRST, SECOND, THIRD), "dotnet-sdk": (SDK,)})
NET = HostNetwork({}, b"", "", "")
DOWN = UnreachableError("a.example does not answer", "use a mirror")


MIRRORS = ("m.example/hub", "n.example")


def resolver(engine: FakeEngine, mirrors: Sequence[str] = ()) -> Resolver:
    return Resolver(Tools(engine, PINS, NET, lambda line: None), mirrors)


def pulled(engine: FakeEngine) -> list[str]:
    return [reference for reference, _ in engine.named("pull")]


def test_the_local_store_is_asked_before_any_registry() -> None:
    engine = FakeEngine(images={FIRST.pinned: image(FIRST.pinned)})
    found = resolver(engine).resolve("python")
    assert (found.candidate, found.attempts) == (FIRST, ())
    assert pulled(engine) == []


def test_one_in_the_local_store_is_not_pulled() -> None:
    engine = FakeEngine(images={c.pinned: image(c.pinned) for c in (FIRST, SECOND)})
    found = resolver(engine).resolve("python")
    assert found.candidate == FIRST and found.image == image(FIRST.pinned)
    assert pulled(engine) == []


def test_a_better_one_is_pulled_before_a_local_one_is_taken() -> None:
    engine = FakeEngine(
        images={SECOND.pinned: image(SECOND.pinned)}, pulls={FIRST.pinned: image(FIRST.pinned)}
    )
    assert resolver(engine).resolve("python").candidate == FIRST


def test_only_the_digest_counts_in_the_local_store() -> None:
    engine = FakeEngine(images={FIRST.readable: image(FIRST.readable)})
    assert resolver(engine).resolve("python").image is None


def test_the_first_that_can_be_pulled_wins() -> None:
    engine = FakeEngine(pulls={c.pinned: image(c.pinned) for c in (FIRST, SECOND)})
    found = resolver(engine).resolve("python")
    assert (found.candidate, found.image) == (FIRST, image(FIRST.pinned))
    assert pulled(engine) == [FIRST.pinned]


def test_reasons_are_kept_in_order() -> None:
    engine = FakeEngine(
        pulls={
            FIRST.pinned: ImageError("manifest unknown", ""),
            SECOND.pinned: ImageError("access denied", ""),
            THIRD.pinned: image(THIRD.pinned),
        }
    )
    found = resolver(engine).resolve("python")
    assert found.candidate == THIRD
    assert found.attempts == (
        Attempt(FIRST.readable, "manifest unknown"),
        Attempt(SECOND.readable, "access denied"),
    )


def test_a_registry_that_is_down_is_asked_once() -> None:
    engine = FakeEngine(pulls={FIRST.pinned: DOWN})
    shared = resolver(engine)
    found = shared.resolve("python")
    assert pulled(engine) == [FIRST.pinned, THIRD.pinned]
    assert [a.candidate for a in found.attempts] == [
        FIRST.readable, SECOND.readable, THIRD.readable,
    ]  # fmt: skip
    assert found.attempts[0].reason == DOWN.problem
    gone = f"{FIRST.registry} did not answer"
    assert found.attempts[1].reason == gone
    assert shared.resolve("dotnet-sdk").attempts == (Attempt(SDK.readable, gone),)
    assert pulled(engine) == [FIRST.pinned, THIRD.pinned]


def test_a_refusal_is_no_reason_to_give_a_registry_up() -> None:
    engine = FakeEngine(
        pulls={FIRST.pinned: ImageError("denied", ""), SECOND.pinned: image(SECOND.pinned)}
    )
    assert resolver(engine).resolve("python").candidate == SECOND


def test_nothing_to_be_had() -> None:
    found = resolver(FakeEngine()).resolve("python")
    assert (found.role, found.candidate, found.image) == ("python", None, None)
    assert len(found.attempts) == 3 and all(a.reason for a in found.attempts)


def test_an_engine_that_is_gone_is_no_missing_image() -> None:
    engine = FakeEngine(pulls={FIRST.pinned: HostError("the engine is gone", "")})
    with pytest.raises(HostError):
        resolver(engine).resolve("python")


def test_mirrors_are_asked_in_order_before_the_registry() -> None:
    engine = FakeEngine(pulls={FIRST.pinned: image(FIRST.pinned)})
    found = resolver(engine, MIRRORS).resolve("python")
    assert (found.candidate, found.image) == (FIRST, image(FIRST.pinned))
    at_mirrors = [mirrored(FIRST, mirror) for mirror in MIRRORS]
    assert pulled(engine) == [*at_mirrors, FIRST.pinned]
    assert [a.candidate for a in found.attempts] == [
        f"{FIRST.readable} from m.example/hub",
        f"{FIRST.readable} from n.example",
    ]
    assert at_mirrors[0] in found.attempts[0].reason


def test_a_mirror_that_has_it_ends_the_search() -> None:
    there = mirrored(FIRST, MIRRORS[1])
    engine = FakeEngine(
        pulls={mirrored(FIRST, MIRRORS[0]): ImageError("absent", ""), there: image(there)}
    )
    found = resolver(engine, MIRRORS).resolve("python")
    assert (found.candidate, found.image) == (FIRST, image(there))
    assert found.attempts == (Attempt(f"{FIRST.readable} from {MIRRORS[0]}", "absent"),)


def test_what_a_mirror_once_gave_is_found_under_its_name() -> None:
    there = mirrored(FIRST, MIRRORS[1])
    engine = FakeEngine(images={there: image(there)})
    found = resolver(engine, MIRRORS).resolve("python")
    assert (found.image, found.attempts, pulled(engine)) == (image(there), (), [])
    assert resolver(FakeEngine(images={there: image(there)})).resolve("python").image is None


def test_a_mirror_that_is_down_is_asked_once() -> None:
    engine = FakeEngine(
        pulls={mirrored(FIRST, "m.example/hub"): DOWN, THIRD.pinned: image(THIRD.pinned)}
    )
    found = resolver(engine, ("m.example/hub", "m.example/other")).resolve("python")
    assert found.candidate == THIRD
    assert [r for r in pulled(engine) if r.startswith("m.example")] == [
        mirrored(FIRST, "m.example/hub")
    ]
    assert found.attempts[1].reason == "m.example did not answer"


def test_bases_out_of_reach() -> None:
    asked: list[list[str]] = []

    def reach(hosts: Sequence[str]) -> Mapping[str, str]:
        asked.append(list(hosts))
        return {host: "no answer" if host == "a.example" else "" for host in hosts}

    assert bases_out_of_reach(FakeEngine(), PINS, reach) == ("dotnet-sdk",)
    assert asked == [["a.example", "b.example"]]
    stocked = FakeEngine(images={SDK.pinned: image(SDK.pinned)})
    assert bases_out_of_reach(stocked, PINS, reach) == ()


def test_a_mirror_that_answers_brings_bases_within_reach() -> None:
    def reach(hosts: Sequence[str]) -> Mapping[str, str]:
        return {host: "" if host == "n.example" else "no answer" for host in hosts}

    assert bases_out_of_reach(FakeEngine(), PINS, reach, MIRRORS[:1]) == ("python", "dotnet-sdk")
    assert bases_out_of_reach(FakeEngine(), PINS, reach, MIRRORS) == ()
