"""The doctor's checks: facts in, one row per requirement out, and the rows as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum

from rich.filesize import decimal
from tabulate import tabulate

from kit.engine.hardening import release
from kit.engine.protocol import EngineInfo
from kit.environment import terminal_width
from kit.host.gpu.preflight import TOOLKIT, Preflight
from kit.host.gpu.preflight import check as check_gpu
from kit.host.process import SCRATCH_REMEDY as REMEDY
from kit.records.gpu import DetectedGpus

OLDEST_API = (1, 30)
# TensorFlow's wheels and the .NET packages that the study pins support only this one.
_ARCHITECTURES = ("x86_64", "amd64")
_NOT_WRAPPED = 14 + 4 + 6
"""Columns of a table's names, of its statuses, and between columns."""


@dataclass(frozen=True)
class DoctorFacts:
    """Facts on the machine, for the doctor's checks. None: unknown. Sizes in bytes.

    ``engine_problem`` and ``engine_remedy`` explain why ``engine`` is None. ``registries`` maps
    each registry host to why it cannot be reached ("": it can); ``sources`` maps a base image's
    role to the registry hosts that may have it. ``images_there``: the engine has an image of every
    arm, so none must be fetched. ``scratch_problem`` is why mmdebstrap could not work in the
    folder of temporary files. ``gpu_driver`` is the version of NVIDIA's driver; the driver reports
    ``gpus``. ``proxies`` has the proxy variables that are set, without passwords. ``ca_files``
    maps a variable to its file and whether that file can be read.
    """

    engine: EngineInfo | None
    engine_local: bool = True
    engine_problem: str = ""
    engine_remedy: str = ""
    governors: tuple[str, ...] = ()
    available_memory: int | None = None
    free_disk: int | None = None
    registries: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images_there: bool = False
    mmdebstrap: str | None = None
    scratch_problem: str = ""
    host_python: str | None = None
    gpu_driver: str | None = None
    gpus: DetectedGpus = field(default_factory=DetectedGpus)
    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_files: Mapping[str, tuple[str, bool]] = field(default_factory=dict)


class Status(str, Enum):
    """The status of a requirement. ``warn``: kit runs, with a disadvantage.

    ``fail``: it cannot run.
    """

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Requirement:
    """One requirement of the machine: its status, the state found and, unless ok, a remedy."""

    name: str
    status: Status
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Needs:
    """The study's needs in bytes; those of disk count only while its images are missing.

    ``kept_for_host`` is the share of the free memory that a plan reserves for the host.
    """

    memory_bytes: int
    disk_bytes: int
    kept_for_host: float = 0.0


def check(facts: DoctorFacts, needs: Needs) -> tuple[Requirement, ...]:
    """Return one row per requirement of the machine, in the order in which to solve problems."""
    return (
        _engine(facts),
        _cgroup(facts),
        _architecture(facts),
        _cpus(facts),
        _governor(facts),
        _memory(facts, needs),
        _disk(facts, needs),
        _registries(facts),
        _bootstrap(facts),
        _python(facts),
        *_gpu(facts),
        _proxy(facts),
        _certificates(facts),
    )


def ready(rows: Iterable[Requirement]) -> bool:
    """Return whether a reproduction can run: no row fails."""
    return all(row.status is not Status.FAIL for row in rows)


def table(rows: Sequence[Requirement], width: int | None = None) -> str:
    """Return the doctor's rows as a plain text table of at most ``width`` columns.

    ``width`` None: those of the terminal.
    """
    width = terminal_width(100) if width is None else width
    left = max(36, width - _NOT_WRAPPED)
    share = left // 2
    body = [
        (row.name, row.status.value, _wrapped(row.found, share), _wrapped(row.remedy, left - share))
        for row in rows
    ]
    # Without number parsing: tabulate would turn "2" into a number and align it right.
    return tabulate(
        body, ("check", "", "found", "remedy"), tablefmt="simple", disable_numparse=True
    )


def to_json(rows: Sequence[Requirement]) -> dict[str, object]:
    """Return the rows, their count by status, and whether all are ready, as JSON values."""
    return {
        "ready": ready(rows),
        "counts": {status.value: sum(row.status is status for row in rows) for status in Status},
        "rows": [{**asdict(row), "status": row.status.value} for row in rows],
    }


def _engine(facts: DoctorFacts) -> Requirement:
    if facts.engine is None:
        return Requirement(
            "engine", Status.FAIL, facts.engine_problem or "none", facts.engine_remedy
        )
    engine = facts.engine
    found = f"{engine.name} {engine.version} (API {engine.api_version}) at {engine.endpoint}"
    if release(engine.api_version) < OLDEST_API:
        return Requirement(
            "engine", Status.FAIL, found, "install Docker 20.10 or Podman 4, or newer"
        )
    return Requirement("engine", Status.OK, found)


def _cgroup(facts: DoctorFacts) -> Requirement:
    if facts.engine is None:
        return _unknown("cgroup")
    version = facts.engine.cgroup_version
    found = f"version {version}"
    if facts.engine.name == "Podman" and version == "1":
        remedy = "if containers do not start: podman --runtime runc system service"
        return Requirement("cgroup", Status.WARN, found, remedy)
    return Requirement("cgroup", Status.OK, found)


def _architecture(facts: DoctorFacts) -> Requirement:
    if facts.engine is None:
        return _unknown("architecture")
    found = facts.engine.architecture
    if found not in _ARCHITECTURES:
        return Requirement(
            "architecture", Status.FAIL, found, "use an x86-64 machine: the pinned packages need it"
        )
    return Requirement("architecture", Status.OK, found)


def _cpus(facts: DoctorFacts) -> Requirement:
    if facts.engine is None:
        return _unknown("CPUs")
    count = facts.engine.cpus
    if count < 2:
        return Requirement(
            "CPUs", Status.WARN, str(count), "use 2 or more: one CPU makes timings noisy"
        )
    return Requirement("CPUs", Status.OK, str(count))


def _governor(facts: DoctorFacts) -> Requirement:
    name = "CPU governor"
    if not facts.engine_local:
        return Requirement(name, Status.OK, "not looked at: the engine is on another machine")
    if not facts.governors:
        return Requirement(name, Status.OK, "none to be seen (usual in a virtual machine)")
    found = ", ".join(facts.governors)
    if facts.governors != ("performance",):
        remedy = "for steadier timings: cpupower frequency-set -g performance"
        return Requirement(name, Status.WARN, found, remedy)
    return Requirement(name, Status.OK, found)


def _memory(facts: DoctorFacts, needs: Needs) -> Requirement:
    if facts.available_memory is None:
        return _unknown("memory")
    available = int(facts.available_memory * (1 - needs.kept_for_host))
    found = f"{decimal(available)} available to runs, {decimal(needs.memory_bytes)} needed"
    if available < needs.memory_bytes:
        return Requirement(
            "memory", Status.FAIL, found, "close other programs, or use a smaller --budget"
        )
    return Requirement("memory", Status.OK, found)


def _disk(facts: DoctorFacts, needs: Needs) -> Requirement:
    if facts.images_there:
        free = "" if facts.free_disk is None else f"{decimal(facts.free_disk)} free, "
        return Requirement("disk", Status.OK, f"{free}the images are here")
    if facts.free_disk is None:
        if facts.engine is None:
            return _unknown("disk")
        found = f"not to be seen from here, {decimal(needs.disk_bytes)} needed"
        return Requirement(
            "disk", Status.WARN, found, f"look at {facts.engine.root_dir} of that engine"
        )
    found = f"{decimal(facts.free_disk)} free, {decimal(needs.disk_bytes)} needed"
    if facts.free_disk < needs.disk_bytes:
        remedy = "free some, for instance: docker image prune; docker builder prune"
        return Requirement("disk", Status.FAIL, found, remedy)
    return Requirement("disk", Status.OK, found)


def _registries(facts: DoctorFacts) -> Requirement:
    name = "registries"
    if not facts.registries:
        return Requirement(name, Status.OK, "none asked for")
    found = "; ".join(f"{host}: {reason or 'answers'}" for host, reason in facts.registries.items())
    if all(not reason for reason in facts.registries.values()):
        return Requirement(name, Status.OK, found)
    if facts.images_there:
        return Requirement(name, Status.OK, f"{found} (not needed: the images are here)")
    if not _unserved(facts):
        remedy = "check network, proxy and KIT_MIRROR, or continue: the other registries are enough"
        return Requirement(name, Status.WARN, found, remedy)
    remedy = "check network and proxy, or continue with substitute bases, which reports name"
    return Requirement(name, Status.WARN, found, remedy)


def _bootstrap(facts: DoctorFacts) -> Requirement:
    name = "mmdebstrap"
    if facts.scratch_problem:
        status = Status.FAIL if _needs_bootstrap(facts) else Status.WARN
        return Requirement(name, status, facts.scratch_problem, REMEDY)
    if facts.mmdebstrap:
        return Requirement(name, Status.OK, facts.mmdebstrap)
    if not _needs_bootstrap(facts):
        return Requirement(name, Status.OK, "none; not needed")
    remedy = "use --install-engine, which installs it, or: apt-get install mmdebstrap"
    found = f"none, and no registry answers for: {', '.join(_unserved(facts))}"
    return Requirement(name, Status.FAIL, found, remedy)


def _python(facts: DoctorFacts) -> Requirement:
    name = "CPython 3.8"
    if facts.host_python:
        return Requirement(name, Status.OK, facts.host_python)
    if not _needs_bootstrap(facts):
        return Requirement(name, Status.OK, "none on this machine; not needed")
    remedy = "for a closer substitute install one with a shared libpython (pyenv, uv, deadsnakes)"
    return Requirement(name, Status.WARN, "none: Debian's CPython 3.9 stands in for it", remedy)


def _gpu(facts: DoctorFacts) -> tuple[Requirement, ...]:
    """Return the rows of GPU and CUDA arms. None fails: the CPU arms run without a GPU."""
    if facts.gpu_driver is None and not facts.gpus.gpus:
        return (Requirement("GPU", Status.OK, "none: CPU arms only"),)
    if facts.engine is None:
        return (_unknown("GPU"),)
    found = check_gpu(Preflight(facts.engine, facts.gpus), ())
    rows = [
        Requirement("CUDA arms", Status.WARN, issue.what, issue.remedy)
        for issue in (*found.problems, *found.warnings)
    ]
    by_cdi = "=" in found.request
    if not by_cdi and facts.engine.gpu_drivers and "nvidia" not in facts.engine.runtimes:
        what = "the engine has no nvidia runtime and names no CDI device"
        rows.append(Requirement("CUDA arms", Status.WARN, what, TOOLKIT))
    gpu = found.gpu
    name = f"{gpu.name}, driver {gpu.driver}" if gpu else f"NVIDIA driver {facts.gpu_driver}"
    return (Requirement("GPU", Status.OK, name), *rows)


def _proxy(facts: DoctorFacts) -> Requirement:
    found = ", ".join(f"{name}={value}" for name, value in facts.proxies.items())
    return Requirement("proxy", Status.OK, found or "none")


def _certificates(facts: DoctorFacts) -> Requirement:
    name = "CA bundle"
    if not facts.ca_files:
        return Requirement(name, Status.OK, "the system's own")
    found = ", ".join(
        f"{variable}={path}" + ("" if readable else " (cannot be read)")
        for variable, (path, readable) in facts.ca_files.items()
    )
    broken = [variable for variable, (_, readable) in facts.ca_files.items() if not readable]
    if broken:
        remedy = f"let {' and '.join(broken)} name a file that is there, or unset it"
        return Requirement(name, Status.FAIL, found, remedy)
    return Requirement(name, Status.OK, found)


def _needs_bootstrap(facts: DoctorFacts) -> bool:
    return not facts.images_there and bool(_unserved(facts))


def _unserved(facts: DoctorFacts) -> tuple[str, ...]:
    """Return the roles of base images for which every registry fails to answer."""
    return tuple(
        role
        for role, hosts in facts.sources.items()
        if all(facts.registries.get(host) for host in hosts)
    )


def _unknown(name: str) -> Requirement:
    return Requirement(name, Status.WARN, "not known without an engine", "see the row engine")


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width, break_long_words=True)) or ""
