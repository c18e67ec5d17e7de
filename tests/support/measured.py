"""What a workload program would write, for tests of measuring, the pipeline and the CLI."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fakes.engine import SUCCESS

from kit.engine.protocol import RunOutcome, RunRequest
from kit.host.facts import HostReading
from kit.records.record import record_document
from support.sessions import make_record


def spec_of(request: RunRequest) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(request.env["KIT_SPEC"])
    return spec


def document_for(request: RunRequest) -> dict[str, Any]:
    """The good record of the run that was asked for; python-cpu is the slower one."""
    spec = spec_of(request)
    wall = 1.9 if spec["arm"].startswith("python") else 1.8
    if spec["kind"] == "identity":
        wall = 1.9
    slower = 1 + spec["conditions"]["slowdown_percent"] / 100
    walls = [slower * (wall + 0.01 * index) for index in range(spec["repeats"])]
    given = hashlib.sha256(request.env["KIT_SPEC"].encode()).hexdigest()
    record = make_record(spec["run_id"], spec["arm"], spec["kind"], walls, spec_sha256=given)
    plain: dict[str, Any] = json.loads(json.dumps(record_document(record)))
    return plain


def wrote(document: object) -> RunOutcome:
    """A run that ended well and left this record."""
    return replace(SUCCESS, files={"record.json": json.dumps(document).encode()})


def works(request: RunRequest) -> RunOutcome:
    """A run as it should be."""
    return wrote(document_for(request))


def works_but(change: Callable[[dict[str, Any]], object]) -> Callable[[RunRequest], RunOutcome]:
    """A run whose record is changed in place."""

    def script(request: RunRequest) -> RunOutcome:
        document = document_for(request)
        change(document)
        return wrote(document)

    return script


class FakeHost:
    """A host that is always the same, but for its clock ticks."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> HostReading:
        self.reads += 1
        return HostReading(0.5, 14 * 2**30, 10 * self.reads)

    def cores(self) -> tuple[tuple[int, ...], ...]:
        return ()


class TwoCores(FakeHost):
    """A host of two cores, so that the runs of a pair can run at the same time."""

    def cores(self) -> tuple[tuple[int, ...], ...]:
        return ((0,), (1,))


@dataclass
class FakeProgress:
    """Keeps what it is told."""

    lines: list[str] = field(default_factory=list)
    advanced: int = 0
    fewest: list[int] = field(default_factory=list)
    limit_s: float = math.inf

    @contextmanager
    def phase(
        self,
        name: str,
        expected_s: Sequence[float] = (),
        go_on: str = "",
    ):
        self.lines.append(f"{name} {len(expected_s) or None}")
        yield self

    def step(self, text: str) -> None:
        self.lines.append(text)

    def detail(self, text: str) -> None:
        """Show nothing, as without a terminal."""

    def advance(self) -> None:
        self.advanced += 1

    def may_end(self, units: int, limit_s: float = math.inf) -> None:
        self.fewest.append(units)
        self.limit_s = limit_s

    def say(self, text: str) -> None:
        self.lines.append(text)
