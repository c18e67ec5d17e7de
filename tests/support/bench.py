"""The whole way on a scripted engine."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fakes.engine import FakeEngine, RunScript, fails, image

from kit.app import pipeline
from kit.app.runner import RUN_ID
from kit.engine.protocol import RunOutcome, RunRequest
from kit.host.network import HostNetwork
from kit.images.build.arms import BuildOptions
from kit.images.inspect.describe import Description, Part
from kit.pins.load import shipped_pins
from kit.plan.resources import ResourceRequest
from kit.report.model import ReportModel
from kit.results.opened import open_begun, open_session
from kit.study.load import shipped_study
from kit.study.model import Study
from support.measured import FakeHost, FakeProgress, document_for, spec_of, works, wrote

STUDY, PINS = shipped_study(), shipped_pins()


@dataclass
class Bench:
    """A runtime whose base images are all there, and requests to it."""

    out: Path
    script: RunScript = works
    host: FakeHost = field(default_factory=FakeHost)
    engine: FakeEngine = field(init=False)
    progress: FakeProgress = field(default_factory=FakeProgress)

    def __post_init__(self) -> None:
        pinned = [c.pinned for candidates in PINS.roles.values() for c in candidates]
        self.engine = FakeEngine(on_run=self.script, images={p: image(p) for p in pinned})

    def runtime(self) -> pipeline.Runtime:
        moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        net = HostNetwork({}, b"", "", "")
        return pipeline.Runtime(
            self.engine, self.host, net, lambda: moment, self.progress, described
        )

    def reproduce(self, **changes: object) -> Path:
        request = pipeline.Request("quick", (), 7, ResourceRequest(), self.out, BuildOptions())
        return pipeline.reproduce(self.runtime(), STUDY, replace(request, **changes))

    def resume(self, folder: Path) -> Path:
        return pipeline.resume(self.runtime(), open_begun(folder), BuildOptions()).folder

    def ran(self) -> list[str]:
        """The planned runs that were made, in order."""
        ids = [spec_of(request)["run_id"] for request in self.engine.named("run")]
        return [run_id for run_id in ids if run_id != RUN_ID]

    def one_folder(self) -> Path:
        (folder,) = self.out.iterdir()
        return folder


def described(image_id: str) -> Description:
    """A description whose digest follows from the id."""
    return Description(image_id.removeprefix("sha256:"), (Part("deb", "libc6", "2.36"),))


def reported(folder: Path, study: Study = STUDY) -> ReportModel:
    """The report of a session that was measured for that study, written beside its log."""
    return pipeline.report(replace(open_session(folder), study=study))


def written(out: Path) -> Path:
    """The folder of a session whose times scatter, with its reports."""
    folder = Bench(out, varied()).reproduce()
    reported(folder)
    return folder


class StopAt:
    """Ctrl-C in the n-th run, counted from 1; all others work."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, request: RunRequest) -> RunOutcome:
        if spec_of(request)["run_id"] == RUN_ID:
            return works(request)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return works(request)


def failing(number: int) -> RunScript:
    """The n-th run fails, all others work."""
    count = itertools.count(1)

    def script(request: RunRequest) -> RunOutcome:
        return fails(1)(request) if next(count) == number else works(request)

    return script


def stopped(tmp_path: Path) -> Path:
    bench = Bench(tmp_path, StopAt(4))
    with pytest.raises(KeyboardInterrupt):
        bench.reproduce()
    return bench.one_folder()


def varied(spread: float = 0.05) -> RunScript:
    """Runs as they should be, each a little faster or slower than the last."""
    chance = random.Random(4)

    def script(request):
        if spec_of(request)["run_id"] == "executable":
            return works(request)
        document = document_for(request)
        factor = math.exp(chance.gauss(0, spread))
        for fit in document["fits"]:
            fit["wall_ns"] = round(fit["wall_ns"] * factor)
            if spec_of(request)["conditions"]["probe"]:
                fit["inner_ns"] = fit["wall_ns"] - 10_000_000
        return wrote(document)

    return script
