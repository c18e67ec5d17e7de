"""Mutated inputs into every loader: each must end in a value or in a KitError, in time.

    python tests/fuzz/run.py --count N --seed S [--target T] [--only NUMBER]

The number of an input, the seed and the target make the input again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # noqa: F401  (imported late it takes seconds of the first input's)
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from fuzz.mutate import alike, by_byte, by_structure, written  # noqa: E402
from support.sessions import (  # noqa: E402
    make_session,
    paired,
    report_html,
    report_md,
)

from kit.errors import KitError  # noqa: E402
from kit.images.bundle import archive  # noqa: E402
from kit.images.bundle.document import loads  # noqa: E402
from kit.plan.make import make_plan, maker_of, plan_sha256  # noqa: E402
from kit.plan.model import plan_from  # noqa: E402
from kit.plan.resources import Resources  # noqa: E402
from kit.plan.spec import spec_json  # noqa: E402
from kit.records.record import parse_record  # noqa: E402
from kit.report import appendix, export, results_json  # noqa: E402
from kit.report.build import build_report  # noqa: E402
from kit.report.files import report_files  # noqa: E402
from kit.results import RUN_LOG  # noqa: E402
from kit.results.runlog import RunLog, read_session  # noqa: E402
from kit.study.folder import study_pins  # noqa: E402
from kit.study.load import load_study, shipped_folder  # noqa: E402

LIMIT_S = 10
DRAWN = 100
"""Of so many run logs one is reported with its plots, which takes longer."""
PINS = {
    "bases": {"BASE": {"kit": "python"}, "OTHER": {"image": f"debian@sha256:{'0' * 64}"}},
    "components": {"python": {"got": "3.8.2", "exact": True, "why": "as published"}},
}
BUNDLE = {
    "schema": 1, "kit_version": "0.2.0", "created": "2026-01-02T03:04:05Z",
    "architecture": "amd64", "nuget_source": "", "bases": {},
    "images": [{"id": f"sha256:{'0' * 64}", "references": ["kit/a:b"], "recipe": "0" * 64,
                "size_bytes": 1}],
    "arms": {"python-cpu": f"sha256:{'0' * 64}"},
}  # fmt: skip


class Fuzzer:
    """The inputs of a seed, in a scratch folder. ``targets`` maps a name to its trial."""

    def __init__(self, scratch: Path, seed: int) -> None:
        self.seed = seed
        self._study = scratch / "study"
        shutil.copytree(shipped_folder(), self._study)
        self._good = {
            name: (self._study / name).read_bytes()
            for name in ("study.yaml", "claims.yaml", "workload.schema.json")
        }
        self._values = {
            name: yaml.safe_load(text) if name.endswith("yaml") else json.loads(text)
            for name, text in self._good.items()
        }
        self._shipped = load_study(shipped_folder())
        self._log = scratch / "log"
        self._log.mkdir()
        made = make_session(paired([1.05, 1.06, 1.04]))
        made = replace(made, header=replace(made.header, plan_sha256=plan_sha256(made.header.plan)))
        RunLog.create(self._log, made.header).add_entries(made.entries)
        self._lines = (self._log / RUN_LOG).read_bytes().splitlines()
        self._tar = scratch / "bundle.tar"
        self._scratch = scratch
        self.targets: dict[str, Callable[[int, random.Random], None]] = {
            "study.yaml": lambda _, chance: self._of_study("study.yaml", chance),
            "claims.yaml": lambda _, chance: self._of_study("claims.yaml", chance),
            "workload.schema.json": lambda _, c: self._of_study("workload.schema.json", c),
            "file name": self._file_name,
            "pins.yaml": self._pins,
            "log": self._runlog,
            "record": self._record,
            "bundle": self._bundle,
        }

    def trial(self, target: str, number: int) -> str:
        """Return what went wrong with that input, "" for nothing."""
        chance = random.Random(f"{self.seed}/{target}/{number}")
        try:
            with limited():
                self.targets[target](number, chance)
        except KitError:
            return ""
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return "".join(traceback.format_exception(error)[-4:])
        return ""

    def _of_study(self, name: str, chance: random.Random) -> None:
        for other, content in self._good.items():
            (self._study / other).write_bytes(content)
        (self._study / name).write_bytes(mutated(self._values[name], self._good[name], chance))
        study = load_study(self._study)
        plan = make_plan(study, "quick", (), 1, Resources("0-1", 2**34), blocks=2)
        for run in plan.runs:
            spec_json(run, study)

    def _file_name(self, _: int, chance: random.Random) -> None:
        for other, content in self._good.items():
            (self._study / other).write_bytes(content)
        name = by_byte(b"notes/file.txt", chance).replace(b"\0", b"").replace(b"/", b"")[:200]
        path = self._study / os.fsdecode(name)
        if name in (b"", b"..") or path.exists():
            return
        path.touch()
        try:
            load_study(self._study)
        finally:
            path.unlink()

    def _pins(self, _: int, chance: random.Random) -> None:
        content = yaml.safe_dump(PINS).encode()
        (self._study / "pins.yaml").write_bytes(mutated(PINS, content, chance))
        try:
            study_pins(self._study)
        finally:
            (self._study / "pins.yaml").unlink()

    def _runlog(self, number: int, chance: random.Random) -> None:
        lines = list(self._lines)
        place = chance.choice((0, chance.randrange(len(lines))))
        if chance.randrange(4):
            change = chance.choice((alike, by_structure))
            document = change(json.loads(lines[place]), chance)
            if place == 0:
                set_checksum(document)
            lines[place] = written(document)
        else:
            lines[place] = by_byte(lines[place], chance)
        (self._log / RUN_LOG).write_bytes(b"\n".join(lines) + b"\n")
        session = read_session(self._log)
        plan = session.header.plan
        maker = maker_of(self._shipped, plan)
        maker.block(0, plan.design, 0)
        for run in plan.runs:
            spec_json(run, self._shipped)
        model = build_report(session, self._shipped)
        report_md(model)
        report_html(model)
        appendix.render(session, model)
        results_json.dumps(model)
        export.render_all(model)
        if number % DRAWN == 0:
            report_files(model)

    def _record(self, _: int, chance: random.Random) -> None:
        document = json.loads(self._lines[-1])["record"]
        parse_record(mutated(document, json.dumps(document).encode(), chance), "record")

    def _bundle(self, _: int, chance: random.Random) -> None:
        content = json.dumps(BUNDLE).encode()
        if chance.randrange(2):
            loads(mutated(BUNDLE, content, chance), "bundle.json")
            return
        header = archive._header(archive.DOCUMENT, len(content), False)
        padded = header + content + b"\0" * (-len(content) % 512 + 1024)
        self._tar.write_bytes(by_byte(padded, chance))
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            archive.read(self._tar, Path(folder))


def mutated(document: Any, content: bytes, chance: random.Random) -> bytes:
    """Return a mutation of a document that is written as those bytes."""
    act = chance.randrange(3)
    if act == 0:
        return by_byte(content, chance)
    return written((alike if act == 1 else by_structure)(document, chance))


def set_checksum(document: Any) -> None:
    """Give a plan its own hash again, so that what lies behind that check is reached."""
    try:
        document["plan_sha256"] = plan_sha256(plan_from(document["plan"]))
    except Exception:  # no plan any more: the schema refuses it
        return


@contextmanager
def limited() -> Iterator[None]:
    """Raise TimeoutError in what takes longer than LIMIT_S."""

    def late(*_: object) -> None:
        raise TimeoutError(f"longer than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Run the inputs, print each failure with what makes it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="inputs in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", default="")
    parser.add_argument("--only", type=int, default=None)
    options = parser.parse_args()
    failed, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        fuzzer = Fuzzer(Path(scratch), options.seed)
        names = [options.target] if options.target else list(fuzzer.targets)
        numbers = range(options.count) if options.only is None else (options.only,)
        for number in numbers:
            name = names[number % len(names)]
            if wrong := fuzzer.trial(name, number):
                failed += 1
                print(f"FAILED --seed {options.seed} --target {name} --only {number}\n{wrong}")
            if (number + 1) % 1000 == 0:
                print(f"{number + 1} inputs, {failed} failed, {time.monotonic() - start:.0f} s")
            sys.stdout.flush()
    print(f"{len(numbers)} inputs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
