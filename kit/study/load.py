"""Reading a study folder: study.yaml and claims.yaml to frozen values."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from kit.errors import InputError
from kit.schemas import check
from kit.study.model import (
    Arm,
    Claim,
    ConsistencyClaim,
    Cost,
    ExecutableClaim,
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
        executable=tuple(ExecutableClaim(**claim) for claim in claims["executable"]),
        consistency=tuple(ConsistencyClaim(**claim) for claim in claims["consistency"]),
        sha256=digest,
    )


def _read(path: Path, schema: str) -> tuple[bytes, dict[str, Any]]:
    remedy = f"see the schema kit/schemas/{schema}.schema.json for what the file must hold"
    try:
        text = path.read_bytes()
        document = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", remedy) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not YAML ({reason})", remedy) from error
    check(schema, document, str(path), remedy)
    odd = list(_odd_values(document, ""))
    if odd:
        raise InputError(f"{path}: {'; '.join(odd[:5])}", remedy)
    return text, document


def _odd_values(value: object, where: str) -> Iterator[str]:
    """What JSON Schema lets pass and JSON or Python would trip over."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{where}{key}: the key is not a string"
            yield from _odd_values(item, f"{where}{key}.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _odd_values(item, f"{where}{index}.")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where.rstrip('.')}: {value} is not a finite number"


def _paper(document: Mapping[str, Any]) -> Paper:
    return Paper(
        citation=document["citation"],
        environment=dict(document["environment"]),
        figures={stack: _published(row) for stack, row in document["figures"].items()},
        last_epoch_loss=_range(document["last_epoch"]["loss"], "paper.last_epoch.loss"),
        last_epoch_accuracy=_range(document["last_epoch"]["accuracy"], "paper.last_epoch.accuracy"),
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
        tiers={
            name: Tier(name=name, blocks=int(tier["blocks"]), repeats=int(tier["repeats"]))
            for name, tier in document["tiers"].items()
        },
        published_repeats=document["published_repeats"],
        minimum_repeats=document["minimum_repeats"],
        identity_seed=document["identity_seed"],
        run_timeout_s=float(document["run_timeout_s"]),
        memory=MemoryNeed(
            base_bytes=memory["base_mb"] * MEGABYTE,
            per_repeat_bytes=memory["per_repeat_mb"] * MEGABYTE,
        ),
        disk_bytes={name: size * MEGABYTE for name, size in document["disk_mb"].items()},
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
        band_percent=_range(document["band_percent"], f"claim {document['id']}: band_percent"),
    )


def _range(ends: list[float], where: str) -> Range:
    low, high = ends
    if low > high:
        raise InputError(f"{where}: {low} to {high} runs backwards", "write the lower end first")
    return Range(low, high)
