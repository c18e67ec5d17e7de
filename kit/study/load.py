"""Reading a study folder: study.yaml and claims.yaml to frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from kit.errors import InputError
from kit.schemas import check
from kit.study.model import (
    Arm,
    Claim,
    Cost,
    Layer,
    MemoryNeed,
    Paper,
    Protocol,
    Published,
    Range,
    Study,
    Tier,
    Workload,
)

MEGABYTE = 1_000_000


def shipped_study() -> Study:
    """The study that ships with the kit."""
    return load_study(Path(str(files("kit.study"))))


def load_study(folder: Path) -> Study:
    """The study in that folder. Raises InputError naming the file and the field."""
    study_text, study = _read(folder / "study.yaml", "study")
    claims_text, claims = _read(folder / "claims.yaml", "claims")
    digest = hashlib.sha256(study_text + b"\0" + claims_text).hexdigest()
    return Study(
        id=study["id"],
        title=study["title"],
        paper=_paper(study["paper"]),
        workload=_workload(study["workload"]),
        arms={name: Arm(name=name, **arm) for name, arm in study["arms"].items()},
        protocol=_protocol(study["protocol"]),
        claims=tuple(_claim(claim) for claim in claims["claims"]),
        sha256=digest,
    )


def _read(path: Path, schema: str) -> tuple[bytes, dict[str, Any]]:
    remedy = f"see the schema kit/schemas/{schema}.schema.json for what the file must hold"
    try:
        text = path.read_bytes()
        document = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", remedy) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not YAML ({reason})", remedy) from error
    check(schema, document, str(path), remedy)
    return text, document


def _paper(document: Mapping[str, Any]) -> Paper:
    return Paper(
        citation=document["citation"],
        environment=dict(document["environment"]),
        figures={stack: _published(row) for stack, row in document["figures"].items()},
        last_epoch_loss=Range(*document["last_epoch"]["loss"]),
        last_epoch_accuracy=Range(*document["last_epoch"]["accuracy"]),
    )


def _published(row: Mapping[str, Any]) -> Published:
    return Published(
        where=row["where"],
        minimum=row["min"],
        maximum=row["max"],
        mean=row["mean"],
        total=row["total"],
    )


def _workload(document: Mapping[str, Any]) -> Workload:
    values = dict(document)
    values["layers"] = tuple(Layer(**layer) for layer in values["layers"])
    values["metrics"] = tuple(values["metrics"])
    return Workload(**values)


def _protocol(document: Mapping[str, Any]) -> Protocol:
    memory = document["memory"]
    return Protocol(
        tiers={name: Tier(name=name, **tier) for name, tier in document["tiers"].items()},
        published_repeats=document["published_repeats"],
        minimum_repeats=document["minimum_repeats"],
        identity_seed=document["identity_seed"],
        run_timeout_s=float(document["run_timeout_s"]),
        memory=MemoryNeed(
            base_bytes=memory["base_mb"] * MEGABYTE,
            per_repeat_bytes=memory["per_repeat_mb"] * MEGABYTE,
        ),
        disk_bytes=document["disk_mb"] * MEGABYTE,
        cost=Cost(**document["cost"]),
        env=dict(document["env"]),
    )


def _claim(document: Mapping[str, Any]) -> Claim:
    return Claim(
        id=document["id"],
        statement=document["statement"],
        where=document["where"],
        statistic=document["statistic"],
        published_gain_percent=document["gain_percent"],
        band_percent=Range(*document["band_percent"]),
    )
