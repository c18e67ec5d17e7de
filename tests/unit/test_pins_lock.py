"""kit lock: pins from given, and the bit-rot report, on made-up sources."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pypi_simple
import pytest
import yaml
from fakes.engine import FakeEngine
from fakes.sources import DOWN, FakeSources
from pypi_simple import ProjectPage, PyPISimple

import kit.cli
from kit.app import lock as workplace
from kit.errors import AbsentError, DeniedError, ImageError, InputError, UnreachableError
from kit.host import network
from kit.images.build.compose import compose_yaml
from kit.pins.check import BAD, CHANGED, GONE, MOVED, OK, UNREACHABLE, PinStatus, check
from kit.pins.generate import Generated, Inputs, generate
from kit.pins.load import PINS, has_valid_checksum, pins_document
from kit.pins.sources import (
    IndexWheel,
    NoAnswer,
    RealSources,
    Wheel,
    chosen,
    read_wheels,
    wheels_text,
)
from kit.schemas import problems
from kit.together import together

A, B, C = "a" * 64, "b" * 64, "c" * 64
DIGEST = f"sha256:{A}"
WANTED = {
    "roles": {
        role: [{"reference": f"r/{role}", "tag": "1", "provides": {"x": "1"}}]
        for role in ("python", "dotnet-sdk", "dotnet-runtime")
    },
    "bootstrap": {
        "fallback_suite": "bullseye",
        "fallback_python": "3.9",
        "sdk": {"package": "sdk@1", "provides": {"sdk": "1"}},
    },
    "bindings": {"exact": "K 1", "substitute": "p 1"},
    "tensorflow": "2.10.1",
    "nuget": [{"name": "K", "version": "1"}],
    "glibc": [2, 28],
    "wheels": {"python/x.txt": ["3.8"]},
    "debian": ["bullseye"],
}
INPUTS = Inputs(
    wanted=WANTED,
    previous={},
    lists={"python/x.txt": f"numpy==1.23.5 --hash=sha256:{C}\n"},
    payloads={"train": B},
    debian={"bullseye": ("libssl1.1",)},
    nuget_hashes={},
)
FITS = IndexWheel("numpy-1.23.5-cp38-cp38-manylinux_2_17_x86_64.whl", A, yanked=False)
SOURCES = FakeSources(
    digests={f"r/{role}:1": DIGEST for role in WANTED["roles"]}
    | {f"r/{role}@{DIGEST}": DIGEST for role in WANTED["roles"]},
    offers={"numpy 1.23.5": [FITS]},
    npm="d" * 128,
    suites={"bullseye": {"libssl1.1": "1.1.1w", "libc6": "2.31"}},
    payloads={"http://data/train": B},
)
URLS = {"train": ["http://down/train", "http://data/train"]}


def made(inputs: Inputs = INPUTS, sources: FakeSources = SOURCES) -> Generated:
    return generate(inputs, sources)


def states(sources: FakeSources, pins=None) -> dict[str, str]:
    rows = check(pins or made().pins, INPUTS.debian, URLS, sources)
    return {f"{row.kind} {row.name}": row.state for row in rows}


def test_the_pins_are_sealed_whole_and_the_same_each_time() -> None:
    first = made()
    assert first.pins == made().pins
    assert has_valid_checksum(first.pins)
    assert problems("pins", first.pins) == []
    assert first.pins["roles"]["python"][0]["digest"] == DIGEST
    assert first.pins["debian"]["bullseye"] == {"libc6": "2.31", "libssl1.1": "1.1.1w"}
    assert first.lists["python/x.txt"] == f"numpy==1.23.5 \\\n    --hash=sha256:{A}\n"


def test_a_pinned_digest_stays_though_its_tag_moved() -> None:
    again = replace(INPUTS, previous=made().pins)
    moved = replace(SOURCES, digests=dict.fromkeys(SOURCES.digests, f"sha256:{B}"))
    assert made(again, moved).pins == made().pins


def test_sources_that_are_down_keep_the_earlier_pins_and_are_named() -> None:
    again = made(replace(INPUTS, previous=made().pins), FakeSources())
    assert again.pins["bootstrap"] == made().pins["bootstrap"]
    assert again.pins["debian"] == made().pins["debian"]
    assert again.lists["python/x.txt"].endswith(f"sha256:{C}\n")
    assert len(again.notes) == 3
    assert all("no route; kept as it was" in note for note in again.notes)


def test_a_pin_that_nobody_gives_is_refused() -> None:
    with pytest.raises(ImageError, match="r/python:1: no digest is known"):
        made(sources=replace(SOURCES, digests={}))
    with pytest.raises(ImageError, match="sdk@1"):
        made(sources=replace(SOURCES, npm=DOWN))
    wrong = IndexWheel("numpy-1.23.5-cp311-cp311-win_amd64.whl", A, yanked=False)
    with pytest.raises(ImageError, match="no wheel of numpy"):
        made(sources=replace(SOURCES, offers={"numpy 1.23.5": [wrong]}))


@pytest.mark.parametrize(
    ("filename", "fits"),
    [
        ("x-1-py3-none-any.whl", True),
        ("x-1-cp38-cp38-manylinux_2_28_x86_64.whl", True),
        ("x-1-cp36-abi3-manylinux2010_x86_64.whl", True),
        ("x-1-cp38-cp38-manylinux_2_34_x86_64.whl", False),
        ("x-1-cp39-cp39-manylinux2014_x86_64.whl", False),
        ("x-1-cp38-cp38-manylinux2014_aarch64.whl", False),
        ("nonsense.whl", False),
    ],
)
def test_the_wheel_that_the_oldest_base_can_use_is_chosen(filename: str, fits: bool) -> None:
    offer = IndexWheel(filename, A, yanked=False)
    assert chosen([offer], [(3, 8)], (2, 28)) == ((A,) if fits else ())


def test_several_interpreters_may_take_several_wheels() -> None:
    offers = [
        IndexWheel("x-1-cp38-cp38-manylinux2014_x86_64.whl", A, yanked=False),
        IndexWheel("x-1-cp39-cp39-manylinux2014_x86_64.whl", B, yanked=False),
        IndexWheel("x-1-py3-none-any.whl", C, yanked=False),
    ]
    assert chosen(offers, [(3, 8), (3, 9)], (2, 28)) == (A, B)
    assert chosen(offers[2:], [(3, 8), (3, 9)], (2, 28)) == (C,)


def test_lists_of_wheels_are_read_as_they_are_written() -> None:
    wheels = (Wheel("b", "2", (A, B)), Wheel("A", "1.0", (C,)))
    assert read_wheels(wheels_text(wheels)) == (wheels[1], wheels[0])


def test_everything_that_is_still_there_is_ok() -> None:
    found = states(replace(SOURCES, packages={"K": "hash"}))
    assert set(found.values()) == {OK}
    assert len(found) == 3 + 1 + 1 + 1 + 1 + 1


def test_what_cannot_be_reached_is_said_and_is_no_failure() -> None:
    found = states(FakeSources())
    assert set(found.values()) == {UNREACHABLE}
    assert not set(found.values()).intersection(BAD)


def test_every_kind_of_rot_is_found() -> None:
    other = IndexWheel(FITS.filename, B, yanked=False)
    rotten = replace(
        SOURCES,
        digests={f"r/python@{DIGEST}": NoAnswer("manifest unknown", gone=True)},
        offers={"numpy 1.23.5": [other]},
        npm="e" * 128,
        suites={"bullseye": {"libssl1.1": "1.1.1x", "libc6": "2.31"}},
        payloads={"http://data/train": A},
        packages={"K": NoAnswer("gone", gone=True)},
    )
    found = states(rotten)
    assert found["image r/python:1"] == GONE
    assert found["image r/dotnet-sdk:1"] == UNREACHABLE
    assert found["wheel numpy 1.23.5"] == CHANGED
    assert found["npm sdk@1"] == CHANGED
    assert found["debian bullseye libssl1.1"] == MOVED
    assert found["debian bullseye"] == OK
    assert found["data train"] == CHANGED
    assert found["nuget K 1"] == GONE


def test_a_withdrawn_wheel_still_serves_and_a_removed_one_does_not() -> None:
    yanked = replace(SOURCES, offers={"numpy 1.23.5": [replace(FITS, yanked=True)]})
    assert states(yanked)["wheel numpy 1.23.5"] == MOVED
    assert states(replace(SOURCES, offers={"numpy 1.23.5": []}))["wheel numpy 1.23.5"] == GONE


def test_nuget_hashes_that_were_recorded_are_compared() -> None:
    pins = made(replace(INPUTS, nuget_hashes={"net5.0": {"K": "good"}})).pins
    assert pins["nuget"][0]["content_hash"] == {"net5.0": "good"}
    assert states(replace(SOURCES, packages={"K": "good"}), pins)["nuget K 1"] == OK
    assert states(replace(SOURCES, packages={"K": "bad"}), pins)["nuget K 1"] == CHANGED


def test_a_feeds_file_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "k.1.nupkg").write_bytes(b"x")
    sources = RealSources(None, str(tmp_path))
    assert isinstance(sources.nuget_sha512("K", "1"), str)
    missing = sources.nuget_sha512("K", "2")
    assert isinstance(missing, NoAnswer) and missing.gone
    assert isinstance(RealSources(None).nuget_sha512("K", "1"), NoAnswer)
    assert isinstance(RealSources(None).image_digest("r:1"), NoAnswer)


def test_pip_and_a_project_are_asked_once_however_many_threads_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    class Index(PyPISimple):
        def get_project_page(self, project: str, **_named: object) -> ProjectPage:
            asked.append(project)
            return ProjectPage(project, [], None, None)

    monkeypatch.setattr(pypi_simple, "PyPISimple", Index)
    monkeypatch.setattr(network, "pip_index", lambda: asked.append("pip") or "https://index/")
    sources = RealSources(None)
    assert sources.wheels("numpy", "1") == sources.wheels("numpy", "2") == []
    together(*(lambda name=name: sources.wheels(name, "1") for name in ("keras", "scipy")))
    assert sorted(asked) == ["keras", "numpy", "pip", "scipy"]


def test_a_lock_file_of_an_exact_build_is_kept_by_its_framework(tmp_path: Path) -> None:
    source = tmp_path / "packages.lock.json"
    packages = {"K": {"type": "Direct", "contentHash": "good"}}
    source.write_text(json.dumps({"dependencies": {".NETCoreApp,Version=v3.1": packages}}))
    workplace._record(source, tmp_path / "locks")
    assert workplace._nuget_hashes(tmp_path / "locks") == {"netcoreapp3.1": {"K": "good"}}
    source.write_text(json.dumps({"dependencies": {"net5.0": packages}}))
    workplace._record(source, tmp_path / "locks")
    assert set(workplace._nuget_hashes(tmp_path / "locks")) == {"netcoreapp3.1", "net5.0"}
    for broken in ("{", "{}", '{"dependencies": {}}', "[" * 100_000):
        source.write_text(broken)
        with pytest.raises(InputError, match="--nuget-lock"):
            workplace._record(source, tmp_path / "locks")


def test_the_shipped_pins_hold_everything_and_compose_is_made_of_them() -> None:
    pins = pins_document()
    assert set(pins["data"]) == {
        f"{part}-{kind}-ubyte"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    }
    assert {suite for suite, versions in pins["debian"].items() if versions} == set(pins["debian"])
    top = PINS.parent.parent.parent / "compose.yaml"
    if top.is_file():  # an installed kit has none
        assert top.read_text() == compose_yaml(pins)


def test_compose_has_every_limit_of_the_kits_own_runs() -> None:
    services = yaml.safe_load(compose_yaml(pins_document()))["services"]
    for name, service in services.items():
        assert service["network_mode"] == "none"
        assert service["read_only"] is service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges"]
        assert service["pids_limit"] and service["mem_limit"] == service["memswap_limit"]
        assert set(service["ulimits"]) == {"nofile", "nproc"}
        assert service["user"] == "10001:10001"
        assert problems("spec", json.loads(service["environment"]["KIT_SPEC"])) == []
        assert service["profiles"] == [name.partition("-")[2]]
        for variable in ("PYTHON_BASE", "SDK_IMAGE", "RUNTIME_IMAGE"):
            assert "@sha256:" in service["build"]["args"].get(variable, "@sha256:")


@pytest.mark.parametrize(
    "error, gone",
    [
        (AbsentError("r could not be asked for: it has no image", "x"), True),
        (DeniedError("r could not be asked for: not found, or denied", "x"), False),
        (UnreachableError("r could not be asked for: no answer", "x"), False),
    ],
)
def test_an_image_is_gone_only_where_its_registry_says_so(error: Exception, gone: bool) -> None:
    found = RealSources(FakeEngine(digests={"r:1": error})).image_digest("r:1")
    assert isinstance(found, NoAnswer) and found.gone is gone


@pytest.mark.parametrize("options", [["--json"], ["--check", "--nuget-lock"]])
def test_an_option_that_would_be_ignored_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
) -> None:
    for name in ("write_pins", "check_all"):
        monkeypatch.setattr(workplace, name, lambda *_: pytest.fail("the pins were looked at"))
    file = tmp_path / "packages.lock.json"
    file.write_text("{}")
    named = [str(file)] if options[-1] == "--nuget-lock" else []
    assert kit.cli.run(["lock", *options, *named]) == 2
    assert options[-1] in capsys.readouterr().err


ROWS = (
    PinStatus("wheel", "numpy 1.0", "a", "a", "ok", "the same file"),
    PinStatus("image", "python:3.8", "a", "b", "moved", "its tag leads elsewhere"),
    PinStatus("npm", "sdk", "a", "", "gone", "no such package"),
)


@pytest.mark.parametrize(("rows", "code"), [(ROWS[:2], 0), (ROWS, 4)])
def test_a_check_prints_its_rows_and_fails_for_pins_that_serve_no_more(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rows: tuple[PinStatus, ...],
    code: int,
) -> None:
    monkeypatch.setattr(workplace, "real_sources", lambda _feed: None)
    monkeypatch.setattr(workplace, "check_all", lambda _sources: rows)
    assert kit.cli.run(["lock", "--check", "--json"]) == code
    out, err = capsys.readouterr()
    assert json.loads(out) == [vars(row) for row in rows]
    assert ("sdk" in err) == bool(code) and "python:3.8" not in err
    assert kit.cli.run(["lock", "--check"]) == code
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith(f"{len(rows)} pins: ")
    assert "python:3.8" in out and "numpy" not in out
