"""Records that runs of a workload program write: the types, and the reading and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.errors import RunError
from kit.files.documents import read_json, values_of
from kit.schemas import problems


@dataclass(frozen=True)
class Fit:
    """One timed fit. Times in nanoseconds unless the name says otherwise."""

    index: int
    wall_ns: int
    paper_clock_s: float
    user_ns: int
    system_ns: int
    minor_faults: int
    rss_before_bytes: int
    rss_after_bytes: int
    losses: tuple[float, ...]
    """One value per epoch."""
    accuracies: tuple[float, ...]
    inner_ns: int | None = None
    """Duration of the call inside the library, without the binding; of probe runs only."""


@dataclass(frozen=True)
class Identity:
    """Hashes (sha256, hex) that show which work a run did; see the record schema."""

    data: Mapping[str, str]
    tensors: Mapping[str, str]
    model_config: str
    initial_weights: str | None
    libraries: Mapping[str, str]
    wheels: Mapping[str, str]


@dataclass(frozen=True)
class Device:
    """The device that did the work, as TensorFlow reports it: ``kind`` is cpu or gpu.

    ``ops`` counts the training graph's ops by device type, in identity runs only.
    ``peak_bytes`` is the peak of GPU memory; None on the CPU.
    """

    kind: str
    name: str
    ops: Mapping[str, int]
    peak_bytes: int | None


@dataclass(frozen=True)
class Cgroup:
    """The kernel's counts of a container's CPU limit while the program ran.

    ``throttled_us`` is added up over CPUs. ``pressure_us``: time in which a thread waited for
    a CPU; None on cgroup 1. ``quota_us`` per ``period_us`` at the end; None: no quota.
    """

    periods: int
    throttled_periods: int
    throttled_us: int
    pressure_us: int | None
    quota_us: int | None
    period_us: int | None


@dataclass(frozen=True)
class Record:
    """The record of one run."""

    run_id: str
    arm: str
    kind: str
    spec_sha256: str
    versions: Mapping[str, str]
    identity: Identity
    clock_name: str
    clock_resolution_ns: float
    device: Device
    fits: tuple[Fit, ...]
    cgroup: Cgroup | None = None
    """None: the program does not record it, or the kernel does not provide it."""


def parse_record(text: bytes | str, where: str) -> Record:
    """Return the record in JSON text. Raise RunError naming the invalid fields."""
    remedy = "the workload program in the image does not honour the record contract; rebuild it"
    try:
        document = read_json(text)
    except ValueError as error:
        raise RunError(f"{where}: the record is not JSON ({error})", remedy) from error
    broken = problems("record", document)
    if broken:
        raise RunError(f"{where}: the record is broken: {'; '.join(broken[:5])}", remedy)
    record = record_from(document)
    broken = misnumbered(record.fits)
    if broken:
        raise RunError(f"{where}: the record is broken: {'; '.join(broken[:5])}", remedy)
    return record


def misnumbered(fits: Sequence[Fit]) -> list[str]:
    """Return one line per fit whose index is not its position in the record, counted from 0."""
    return [
        f"fits[{index}]: index: {fit.index}, not {index}"
        for index, fit in enumerate(fits)
        if fit.index != index
    ]


def record_from(document: Mapping[str, Any]) -> Record:
    """Return the record in a JSON document that was checked against the record schema."""
    return Record(
        run_id=document["run_id"],
        arm=document["arm"],
        kind=document["kind"],
        spec_sha256=document["spec_sha256"],
        versions=dict(document["versions"]),
        identity=Identity(**document["identity"]),
        clock_name=document["clock"]["name"],
        clock_resolution_ns=document["clock"]["resolution_ns"],
        device=Device(**document["device"]),
        fits=tuple(_fit(fit) for fit in document["fits"]),
        cgroup=Cgroup(**document["cgroup"]) if document.get("cgroup") else None,
    )


def record_document(record: Record) -> dict[str, Any]:
    """Return the record as a JSON document, as its program wrote it."""
    document = values_of(record)
    clock = {"name": document.pop("clock_name")}
    clock["resolution_ns"] = document.pop("clock_resolution_ns")
    if document["cgroup"] is None:
        del document["cgroup"]
    return {**document, "clock": clock, "schema": 1, "complete": True}


def _fit(document: Mapping[str, Any]) -> Fit:
    values = dict(document)
    values["losses"] = tuple(values["losses"])
    values["accuracies"] = tuple(values["accuracies"])
    return Fit(**values)
