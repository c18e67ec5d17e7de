"""Checks of a study's files beyond those of their schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_json
from kit.files.folder import Folder
from kit.schemas.foreign import problems_by_foreign
from kit.study.folder import STUDY, WORKLOAD_SCHEMA

_ON_FIGURES = ("rounds", "one_gain", "mean_times_repeats", "step_order")
"""The consistency rules that work on paper.figures."""
LONGEST_NAME = 100
"""Characters of an id or an arm's name: a registry path, at most 255 long, contains both."""
_REMEDY = "correct the schema or remove it"


def check_workload(study: Folder, workload: object) -> None:
    """Raise InputError where the workload breaks the study's own schema, if it has one.

    Also raises it for a schema that is not usable.
    """
    path = study.path / WORKLOAD_SCHEMA
    if not study.holds(WORKLOAD_SCHEMA):
        return
    try:
        broken = problems_by_foreign(_json(study.read(WORKLOAD_SCHEMA), path), workload)
    except ValueError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())[:300]}", _REMEDY) from error
    if broken:
        raise InputError(
            f"{study.path / STUDY}: workload.{'; workload.'.join(broken[:5])}",
            f"see {path} for what it must hold",
        )


def _json(content: bytes, path: Path) -> dict[str, Any]:
    try:
        document = read_json(content)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})", _REMEDY) from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: not a JSON Schema", _REMEDY)
    return document


def check_stacks(file: Path, study: Mapping[str, Any]) -> None:
    """Raise InputError unless there are two stacks and every arm uses one of them."""
    stacks = study["stacks"]
    if stacks["baseline"] == stacks["contender"]:
        raise InputError(f"{file}: stacks: both are {stacks['baseline']!r}", "name two")
    for name, arm in study["arms"].items():
        if arm["stack"] not in stacks.values():
            raise InputError(
                f"{file}: arms.{name}.stack: {arm['stack']!r} is not one of stacks",
                f"use {stacks['baseline']} or {stacks['contender']}",
            )


def check_names(file: Path, study: Mapping[str, Any]) -> None:
    """Raise InputError for a study's id or an arm's name that is too long.

    Both are parts of the names of images and files.
    """
    for field, name in (
        ("id", study["id"]),
        *((f"arms.{name[:20]}...", name) for name in study["arms"]),
    ):
        if len(name) > LONGEST_NAME:
            raise InputError(
                f"{file}: {field}: {name[:20]}... has {len(name)} characters, at most "
                f"{LONGEST_NAME} are possible: images are named by it",
                "shorten it",
            )


def check_claimed(file: Path, paper: Mapping[str, Any]) -> None:
    """Raise InputError for a claimed component that the paper's environment does not name."""
    for name in paper["claimed"]:
        if name not in paper["environment"]:
            raise InputError(
                f"{file}: paper.claimed: {name!r} is not a component of paper.environment",
                f"use some of: {', '.join(paper['environment'])}",
            )


def check_claim_ids(file: Path, claims: Mapping[str, Any]) -> None:
    """Raise InputError for an id that two claims share: an id identifies a verdict."""
    found: dict[str, str] = {}
    for kind in ("claims", "executable", "training", "consistency"):
        for number, claim in enumerate(claims[kind]):
            path = f"{kind}[{number}]"
            first = found.setdefault(claim["id"], path)
            if first != path:
                raise InputError(
                    f"{file}: {first} and {path} both have the id {claim['id']}",
                    "give every claim a unique id",
                )


def check_facts(file: Path, claims: Sequence[Mapping[str, Any]], study: Mapping[str, Any]) -> None:
    """Raise InputError for consistency claims on unknown stacks or missing figures."""
    stacks = set(study["stacks"].values())
    figures = set(study["paper"].get("figures", {}))
    for claim in claims:
        rule, facts = claim["rule"], claim["facts"]
        named = set(facts.get("text", {}) if rule == "rounds" else facts.get("ms_per_step", stacks))
        if not named <= stacks or (rule == "step_order" and named != stacks):
            raise InputError(
                f"{file}: consistency {claim['id']}: its stacks are {', '.join(sorted(named))}",
                f"use the study's: {', '.join(sorted(stacks))}",
            )
        if rule in _ON_FIGURES and figures != stacks:
            raise InputError(
                f"{file}: consistency {claim['id']}: {rule} works on paper.figures of both stacks",
                "give them in study.yaml, or take the claim out",
            )
