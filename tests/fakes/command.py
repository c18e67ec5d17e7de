"""``kit`` with a made-up engine, for tests of what processes do: ``support.processes``."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from support.measured import FakeHost, spec_of, works
from support.undrawn import undrawn

import kit.cli
import kit.cli.runtime
import kit.host.locks
from fakes.engine import FakeEngine, image
from kit.engine.protocol import ImageInfo, RunOutcome, RunRequest
from kit.images.inspect.describe import Description
from kit.pins.load import shipped_pins


def main(locks: Path, gate: Path, arguments: list[str]) -> int:
    """Run the command; its exit code.

    ``locks`` is the folder of the machine's lock. A run goes on while the file ``gate`` is
    missing; each writes one line to ``gate``.runs when it begins. The images hold what their
    names say, under other ids in each process. Plots are not drawn.
    """

    def run(request: RunRequest) -> RunOutcome:
        with gate.with_suffix(".runs").open("a") as runs:
            runs.write(spec_of(request)["run_id"] + "\n")
        while not gate.exists():
            time.sleep(0.02)
        now = datetime.now(timezone.utc).isoformat()
        return replace(works(request), started_at=now, finished_at=now)

    pinned = [c.pinned for candidates in shipped_pins().roles.values() for c in candidates]
    engine = FakeEngine(on_run=run, images={p: image(p) for p in pinned})
    build = engine.build
    names: dict[str, str] = {}

    def build_again(request, on_line) -> ImageInfo:
        made = replace(build(request, on_line), id=f"sha256:{os.getpid():064x}{len(names)}")
        names[made.id] = request.tag
        engine.images[request.tag] = made
        return made

    engine.build = build_again  # type: ignore[method-assign]
    undrawn()
    kit.host.locks.DIRECTORIES = (locks,)
    kit.cli.runtime.discover = lambda: engine  # type: ignore[assignment,return-value]
    kit.cli.runtime.LocalHost = FakeHost  # type: ignore[misc,assignment]
    kit.cli.runtime.free_disk = lambda _folder: None
    kit.cli.runtime.describe = lambda _engine, image_id, _cache: Description(
        image(names[image_id]).id.removeprefix("sha256:"), ()
    )
    return kit.cli.run(arguments)
