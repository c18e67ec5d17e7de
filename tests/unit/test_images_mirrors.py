"""Mirrors: what a user may name, and what a mirror is asked for."""

from __future__ import annotations

import pytest

from kit.errors import InputError
from kit.images.bases.candidates import host_of, mirrored, parse_mirrors
from kit.pins.load import Candidate, shipped_pins

DIGEST = "sha256:" + "a" * 64


def asked(reference: str, mirror: str = "mirror.example/hub") -> str:
    return mirrored(Candidate(reference, "1", DIGEST, {}), mirror)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("python", "library/python"),
        ("docker.io/python", "library/python"),
        ("docker.io/library/python", "library/python"),
        ("someone/python", "someone/python"),
        ("mcr.microsoft.com/dotnet/sdk", "dotnet/sdk"),
        ("registry.example:5000/a/b", "a/b"),
    ],
)
def test_a_mirror_is_asked_for_the_path_by_digest(reference: str, path: str) -> None:
    assert asked(reference) == f"mirror.example/hub/{path}@{DIGEST}"
    assert asked(reference, "localhost:5000") == f"localhost:5000/{path}@{DIGEST}"


def test_every_shipped_pin_can_be_mirrored() -> None:
    for candidates in shipped_pins().roles.values():
        for candidate in candidates:
            name, _, digest = mirrored(candidate, "m.example").partition("@")
            assert digest == candidate.digest
            assert name.count(".") == 1, "no host of another registry is left in it"


@pytest.mark.parametrize(
    "value",
    [
        "mirror.example",
        "mirror.example:5000",
        "localhost",
        "localhost:1/a/b-c",
        "m:5000",
        "10.0.0.1",
    ],
)
def test_mirrors_that_can_be_named(value: str) -> None:
    assert parse_mirrors([value], {}) == (value,)
    assert host_of(f"{value}/x") == value.partition("/")[0]


@pytest.mark.parametrize(
    "value",
    [
        "https://mirror.example",
        "mirror.example/",
        "mirror.example//a",
        "mirror.example/A",
        "mirror.example /a",
        " mirror.example",
        "mirror.example\n",
        f"mirror.example/python@{DIGEST}",
        "mirror.example/python:3.8",
        "user@mirror.example",
        "mirror",
        "mirror/hub",
        "mirror.example:port",
        "",
        "-.example",
    ],
)
def test_what_is_no_mirror_is_refused_by_name(value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_mirrors(["mirror.example", value], {})
    assert caught.value.problem == f"--mirror: {value!r} is not of the form HOST[:PORT][/PREFIX]"
    if value.strip():
        with pytest.raises(InputError, match="KIT_MIRROR") as caught:
            parse_mirrors([], {"KIT_MIRROR": f"mirror.example, {value.strip()}/:"})
        assert "\n" not in caught.value.problem


def test_the_variable_holds_several_and_the_option_goes_before_it() -> None:
    env = {"KIT_MIRROR": " a.example , b.example/x,"}
    assert parse_mirrors([], env) == ("a.example", "b.example/x")
    assert parse_mirrors(["c.example"], env) == ("c.example",)
    assert parse_mirrors([], {}) == parse_mirrors([], {"KIT_MIRROR": ""}) == ()
