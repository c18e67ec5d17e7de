"""Loading of a study's folder into frozen values, the shipped study's like any other.

A new study's folder is made from the commented template.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_yaml
from kit.files.folder import Folder
from kit.files.write import write_tree
from kit.schemas import check
from kit.study.checks import (
    LONGEST_NAME,
    check_claim_ids,
    check_claimed,
    check_facts,
    check_names,
    check_stacks,
    check_workload,
)
from kit.study.folder import CLAIMS, DOCKERFILE, STUDY, belongs, open_study
from kit.study.model import (
    Arm,
    Claim,
    ConsistencyClaim,
    Cost,
    ExecutableClaim,
    MemoryNeed,
    Paper,
    Protocol,
    Published,
    Range,
    SameWorkRules,
    Study,
    Tier,
    TrainingClaim,
    by_stack_and_variant,
    equality_band,
)

MEGABYTE = 1_000_000
_ID = "my-study"


def shipped_folder() -> Path:
    """Return the folder of the study that ships with kit."""
    return Path(str(files("kit.study") / "lee-moon-2022"))


def shipped_study() -> Study:
    """Return the study that ships with kit."""
    return load_study(shipped_folder())


def load_study(folder: Path) -> Study:
    """Return the study in that folder. Raises InputError naming the file and the field."""
    with open_study(folder) as opened:
        return study_in(opened)


def study_in(opened: Folder) -> Study:
    """Return the study in an open folder. Raises InputError naming the file and the field."""
    folder = opened.path
    study = _read(opened, STUDY, "study")
    claims = _read(opened, CLAIMS, "claims")
    check_names(folder / STUDY, study)
    check_workload(opened, study["workload"])
    stacks = study["stacks"]
    check_stacks(folder / STUDY, study)
    check_claimed(folder / STUDY, study["paper"])
    check_claim_ids(folder / CLAIMS, claims)
    check_facts(folder / CLAIMS, claims["consistency"], study)
    arms = {name: _arm(opened, name, arm) for name, arm in study["arms"].items()}
    by_stack_and_variant(arms.values(), str(folder / STUDY))
    return Study(
        id=study["id"],
        title=study["title"],
        baseline=stacks["baseline"],
        contender=stacks["contender"],
        paper=_paper(study["paper"]),
        workload=study["workload"],
        arms=arms,
        protocol=_protocol(study["protocol"]),
        claims=tuple(_claim(claim) for claim in claims["claims"]),
        executable=tuple(ExecutableClaim(**claim) for claim in claims["executable"]),
        consistency=tuple(ConsistencyClaim(**claim) for claim in claims["consistency"]),
        training=tuple(TrainingClaim(**claim) for claim in claims["training"]),
        sha256=_sha256(opened),
        folder=folder,
    )


def study_files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a study, by path below it, sorted. Raises InputError."""
    with open_study(folder) as opened:
        return {name: opened.read(name) for name in opened.files()}


def write_new_study(folder: Path) -> tuple[str, ...]:
    """Write the template into the folder and return the files' paths below it.

    Raises InputError for a folder that is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists and is not empty", "name a new folder")
    template = study_files(Path(str(files("kit.study") / "template")))
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower())
    name = name.strip("-")[:LONGEST_NAME].strip("-") or _ID
    # Quoted: YAML reads 2024, no, null and 0x1f as values that are not text.
    study = template[STUDY].decode().replace(f"id: {_ID}", f'id: "{name}"')
    write_tree(folder, {**template, STUDY: study.encode()})
    return tuple(template)


def _sha256(opened: Folder) -> str:
    """Return the SHA-256 in hex of the paths and contents of all files of the study."""
    digest = hashlib.sha256()
    for name in opened.files():
        content = opened.read(name)
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _arm(opened: Folder, name: str, document: Mapping[str, Any]) -> Arm:
    """Return the arm. Raise InputError if its recipe is not a study folder with a Dockerfile."""
    recipe = document.get("recipe")
    if recipe is None:
        return Arm(name, document["stack"], document["variant"])
    inside = posixpath.normpath(recipe)
    dockerfile = posixpath.normpath(posixpath.join(inside, DOCKERFILE))
    outside = inside.startswith(("/", "..")) or not belongs(dockerfile)
    if outside or not opened.holds(dockerfile):
        raise InputError(
            f"{opened.path / STUDY}: arms.{name}.recipe: {recipe!r} is not a folder of the "
            "study that holds a Dockerfile",
            "name a folder below study.yaml",
        )
    return Arm(name, document["stack"], document["variant"], opened.path / inside)


def _read(opened: Folder, name: str, schema: str) -> dict[str, Any]:
    path = opened.path / name
    remedy = f"see the schema kit/schemas/{schema}.schema.json for what the file must hold"
    document: dict[str, Any] = read_yaml(opened.read(name), str(path), remedy)
    check(schema, document, str(path), remedy)
    return document


def _paper(document: Mapping[str, Any]) -> Paper:
    return Paper(
        citation=document["citation"],
        environment=dict(document["environment"]),
        claimed=tuple(document["claimed"]),
        figures={stack: _published(row) for stack, row in document.get("figures", {}).items()},
        last_epoch={
            quantity: _range(ends, f"paper.last_epoch.{quantity}")
            for quantity, ends in document.get("last_epoch", {}).items()
        },
        training_remark=document.get("training_remark", ""),
    )


def _published(row: Mapping[str, Any]) -> Published:
    return Published(
        where=row["where"],
        minimum=row["min"],
        maximum=row["max"],
        mean=row["mean"],
        total=row["total"],
    )


def _protocol(document: Mapping[str, Any]) -> Protocol:
    memory = document["memory"]
    return Protocol(
        tiers={name: _tier(name, tier) for name, tier in document["tiers"].items()},
        published_repeats=document["published_repeats"],
        minimum_repeats=document["minimum_repeats"],
        identity_seed=document["identity_seed"],
        same_work=SameWorkRules(
            tuple(document["same_work"]["versions"]), tuple(document["same_work"]["checks"])
        ),
        run_timeout_s=float(document["run_timeout_s"]),
        memory=MemoryNeed(
            base_bytes=memory["base_mb"] * MEGABYTE,
            per_repeat_bytes=memory["per_repeat_mb"] * MEGABYTE,
        ),
        disk_bytes={name: size * MEGABYTE for name, size in document["disk_mb"].items()},
        cost=Cost(**document["cost"]),
        env=dict(document["env"]),
        explain=tuple(document.get("explain", ())),
    )


def _tier(name: str, document: Mapping[str, Any]) -> Tier:
    pilot = document.get("pilot")
    tier = Tier(
        name=name,
        blocks=int(document["blocks"]),
        repeats=int(document["repeats"]),
        controls=tuple(document["controls"]),
        pilot=None if pilot is None else int(pilot),
        power=document.get("power", Tier.power),
    )
    if tier.pilot is not None and tier.pilot > tier.blocks:
        raise InputError(
            f"study.yaml: protocol.tiers.{name}: a pilot of {tier.pilot} blocks, at most "
            f"{tier.blocks} in all",
            "give fewer blocks to the pilot, or more in all",
        )
    return tier


def _claim(document: Mapping[str, Any]) -> Claim:
    gain, band = _claimed(document, f"claim {document['id']}")
    return Claim(
        id=document["id"],
        statement=document["statement"],
        where=document["where"],
        statistic=document["statistic"],
        published_gain_percent=gain,
        band_percent=band,
        needs=document["needs"],
    )


def _claimed(document: Mapping[str, Any], where: str) -> tuple[float, Range]:
    """Return a claim's gain in percent, 0 for equality, and its band of gains in percent.

    Raises InputError for a gain of 0 or of 100 and more, and for a band that is empty or leaves
    out the published gain.
    """
    if "equal_within_percent" in document:
        return 0.0, equality_band(float(document["equal_within_percent"]))
    gain = document["gain_percent"]
    band = _range(document["band_percent"], f"{where}: band_percent")
    if gain == 0:
        raise InputError(
            f"{where}: gain_percent: 0 claims no difference",
            "for a claim of equality give equal_within_percent, such as 5, in place of "
            "gain_percent and band_percent",
        )
    if gain >= 100:
        raise InputError(
            f"{where}: gain_percent: {gain:g} would take no time at all",
            "a gain is 100 * (baseline - contender) / baseline, which is below 100",
        )
    if not band.low <= gain <= band.high:
        raise InputError(
            f"{where}: band_percent: {band.low:g} to {band.high:g} leaves out the published gain "
            f"of {gain:g}",
            "give the gains that count as the published one's size",
        )
    return gain, band


def _range(ends: list[float], where: str) -> Range:
    low, high = ends
    if low > high:
        raise InputError(f"{where}: {low} to {high} runs backwards", "write the lower end first")
    return Range(low, high)
