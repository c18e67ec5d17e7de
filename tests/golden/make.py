"""Pack a golden results folder, its reports derived again from its log.

    python3.11 tests/golden/make.py tests/golden/sum.tar.xz [RESULTS]

Run this after a change of what reports say, with Python 3.11: tests verify these folders with
every other Python of the machine, and only another one rounds other last digits. RESULTS is a
folder that `kit reproduce` made and takes the place of what is packed. Without it, and without
an archive, a session of the template study is made up, on an engine that follows a script.
"""

from __future__ import annotations

import math
import random
import shutil
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from golden.archive import ENDING, opened, pack, reported  # noqa: E402

LARGEST_BYTES = 300_000
SECONDS = {"loop-cpu": 0.0061, "builtin-cpu": 0.0013}


def scripted(request):
    """A run of the template's programs, whose times scatter by 3 %."""
    from support.measured import document_for, spec_of, wrote

    spec, document = spec_of(request), document_for(request)
    chance = random.Random(spec["run_id"])
    for fit in document["fits"]:
        seconds = SECONDS[spec["arm"]] * math.exp(chance.gauss(0, 0.03))
        fit["wall_ns"] = round(seconds * 1e9)
        fit["user_ns"] = round(seconds * 0.9e9)
        fit["system_ns"] = round(seconds * 0.1e9)
        fit["paper_clock_s"] = seconds
        fit["losses"], fit["accuracies"] = [], []
    return wrote(document)


def made_up(place: Path) -> Path:
    """A session of the template study with an explanation inside, measured by the script."""
    from support.bench import Bench

    from kit.app import ablate, pipeline
    from kit.images.build.arms import BuildOptions
    from kit.plan.resources import ResourceRequest
    from kit.results import ABLATION
    from kit.study.load import load_study, write_new_study

    write_new_study(place / "sum")
    study = load_study(place / "sum")
    bench = Bench(place / "results", scripted)
    request = pipeline.Request("quick", (), 7, ResourceRequest(), bench.out, BuildOptions())
    made = pipeline.reproduce(bench.runtime(), study, request)
    ablate.ablate(bench.runtime(), study, BuildOptions(), made / ABLATION, 2, 3)
    return made


def main(archive: Path, results: Path | None) -> None:
    """Write the archive."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        folder = place / "packed" / archive.name.removesuffix(ENDING)
        if results is None and archive.is_file():
            opened(archive, folder.parent)
        else:
            shutil.copytree(results or made_up(place), folder)
        reported(folder)
        pack(folder, archive)
    size = archive.stat().st_size
    print(f"{archive}: {size} bytes")
    if size > LARGEST_BYTES:
        sys.exit(f"more than {LARGEST_BYTES}: fewer blocks or fits make it smaller")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.version_info[:2] != (3, 11):
        sys.exit(f"usage: python3.11 tests/golden/make.py tests/golden/NAME{ENDING} [RESULTS]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None)
