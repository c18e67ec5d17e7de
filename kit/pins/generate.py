"""Generation of the pins: every digest, hash and version, and the lists of wheels.

If a source does not answer, the earlier pin is kept and the notes name the source. Without
an earlier image or npm pin, generation fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kit.errors import ImageError
from kit.pins.load import with_checksum
from kit.pins.sources import NoAnswer, Sources, Wheel, chosen, read_wheels, wheels_text

SCHEMA = 2


@dataclass(frozen=True)
class Inputs:
    """Inputs of `kit lock`.

    ``lists`` are texts of wheel lists by path below the recipes; ``payloads`` the data's
    payload hashes; ``debian`` the packages to look up by suite; ``nuget_hashes`` the
    recorded content hashes by framework and package.
    """

    wanted: Mapping[str, Any]
    previous: Mapping[str, Any]
    lists: Mapping[str, str]
    payloads: Mapping[str, str]
    debian: Mapping[str, tuple[str, ...]]
    nuget_hashes: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Generated:
    """The pins, the lists of wheels, and notes on new pins and sources that did not answer."""

    pins: dict[str, Any]
    lists: dict[str, str]
    notes: tuple[str, ...]


def generate(inputs: Inputs, sources: Sources) -> Generated:
    """Return the pins and the lists of wheels for these inputs.

    Raises ImageError for an image or npm package that neither a source nor the earlier file
    pins, and for a wheel that the index lacks.
    """
    notes: list[str] = []
    lists = {path: _wheels(path, inputs, sources, notes) for path in sorted(inputs.lists)}
    texts = {path: wheels_text(wheels) for path, wheels in lists.items()}
    wanted = inputs.wanted
    pins = {
        "schema": SCHEMA,
        "roles": {
            role: [
                _candidate(candidate, inputs.previous, sources, notes) for candidate in candidates
            ]
            for role, candidates in wanted["roles"].items()
        },
        "bootstrap": _bootstrap(inputs, sources, notes),
        "bindings": wanted["bindings"],
        "tensorflow": wanted["tensorflow"],
        "nuget": [
            {
                **package,
                "content_hash": {
                    framework: hashes[package["name"]]
                    for framework, hashes in sorted(inputs.nuget_hashes.items())
                },
            }
            for package in wanted["nuget"]
        ],
        "wheels": {
            path: {
                "sha256": hashlib.sha256(texts[path].encode()).hexdigest(),
                "packages": [
                    {"name": w.name, "version": w.version, "sha256": list(w.sha256)}
                    for w in sorted(wheels, key=lambda wheel: wheel.name.lower())
                ],
            }
            for path, wheels in lists.items()
        },
        "debian": _debian(inputs, sources, notes),
        "data": dict(sorted(inputs.payloads.items())),
    }
    return Generated(with_checksum(pins), texts, tuple(notes))


def _wheels(path: str, inputs: Inputs, sources: Sources, notes: list[str]) -> list[Wheel]:
    versions = [_version(text) for text in inputs.wanted["wheels"][path]]
    glibc: tuple[int, int] = tuple(inputs.wanted["glibc"])
    found = []
    for wheel in read_wheels(inputs.lists[path]):
        offers = sources.wheels(wheel.name, wheel.version)
        if isinstance(offers, NoAnswer):
            notes.append(f"{path}: {wheel.name}: {offers.reason}; kept as it was")
            found.append(wheel)
            continue
        hashes = chosen(offers, versions, glibc)
        if not hashes:
            raise ImageError(
                f"{path}: the index has no wheel of {wheel.name} {wheel.version} that fits "
                f"Python {', '.join(inputs.wanted['wheels'][path])}",
                "choose another version in that list, then run kit lock again",
            )
        found.append(replace(wheel, sha256=hashes))
    return found


def _candidate(
    wanted: Mapping[str, Any], previous: Mapping[str, Any], sources: Sources, notes: list[str]
) -> dict[str, Any]:
    reference = f"{wanted['reference']}:{wanted['tag']}"
    digest = wanted.get("digest") or _earlier(wanted, previous)
    if not digest:
        answer = sources.image_digest(reference)
        if isinstance(answer, NoAnswer):
            raise ImageError(
                f"{reference}: no digest is known, and {answer.reason}",
                "run kit lock where the registry answers, or give the digest in wanted.yaml",
            )
        digest = answer
        notes.append(f"{reference}: pinned to {digest}")
    return {
        "reference": wanted["reference"],
        "tag": wanted["tag"],
        "digest": digest,
        "provides": dict(wanted["provides"]),
    }


def _earlier(wanted: Mapping[str, Any], previous: Mapping[str, Any]) -> str:
    for candidates in previous.get("roles", {}).values():
        for candidate in candidates:
            if (candidate["reference"], candidate["tag"]) == (wanted["reference"], wanted["tag"]):
                return str(candidate["digest"])
    return ""


def _bootstrap(inputs: Inputs, sources: Sources, notes: list[str]) -> dict[str, Any]:
    wanted = inputs.wanted["bootstrap"]
    package = wanted["sdk"]["package"]
    earlier = inputs.previous.get("bootstrap", {}).get("sdk", {})
    answer = sources.npm_sha512(package)
    if isinstance(answer, NoAnswer):
        if earlier.get("package") != package:
            raise ImageError(f"{package}: {answer.reason}", "run kit lock where npm answers")
        notes.append(f"{package}: {answer.reason}; kept as it was")
        answer = str(earlier["sha512"])
    return {
        "fallback_suite": wanted["fallback_suite"],
        "fallback_python": wanted["fallback_python"],
        "sdk": {
            "package": package,
            "sha512": answer,
            "provides": dict(wanted["sdk"]["provides"]),
        },
    }


def _debian(inputs: Inputs, sources: Sources, notes: list[str]) -> dict[str, dict[str, str]]:
    earlier = inputs.previous.get("debian", {})
    suites = {}
    for suite in inputs.wanted["debian"]:
        answer = sources.debian(suite, inputs.debian[suite])
        if isinstance(answer, NoAnswer):
            notes.append(f"Debian {suite}: {answer.reason}; kept as it was")
            answer = earlier.get(suite, {})
        suites[suite] = dict(sorted(answer.items()))
    return suites


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
