"""What the programs in the images read of their container's CPU limit, either cgroup version."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kit.images.build.recipe import recipes

PROGRAMS = {
    "shipped": recipes() / "python" / "program" / "harness.py",
    "template": Path(str(files("kit.study"))) / "template" / "shared" / "record.py",
}
STAT_2 = "usage_usec 9\nnr_periods {}\nnr_throttled {}\nthrottled_usec {}\nnr_bursts 0\n"
STAT_1 = "nr_periods {}\nnr_throttled {}\nthrottled_time {}000\n"
FIELDS = ["periods", "throttled_periods", "throttled_us", "pressure_us", "quota_us", "period_us"]

Write = Callable[[str, str], object]


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A program's module, whose kernel files are below ``tmp_path``."""
    spec = importlib.util.spec_from_file_location("program", PROGRAMS[request.param])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CGROUP", str(tmp_path))
    return module


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "cpu").mkdir()
    return lambda name, text: (tmp_path / name).write_text(text)


def read(program: ModuleType) -> Any:
    return program.cgroup_now()


def values(found: dict[str, int | None]) -> list[int | None]:
    assert list(found) == FIELDS
    return list(found.values())


def test_what_is_counted_by_cgroup_2_since_the_start(program: ModuleType, write: Write) -> None:
    write("cpu.stat", STAT_2.format(3, 1, 500))
    write("cpu.max", "max 100000\n")
    write("cpu.pressure", "some avg10=0.00 avg60=0.00 total=40\nfull avg10=0.00 total=7\n")
    before = read(program)
    assert values(before) == [3, 1, 500, 40, None, None]
    write("cpu.stat", STAT_2.format(13, 9, 80500))
    write("cpu.max", "20000 100000\n")
    write("cpu.pressure", "some avg10=0.00 avg60=0.00 total=90\nfull avg10=0.00 total=9\n")
    assert values(program.cgroup_since(before)) == [10, 8, 80000, 50, 20000, 100000]


def test_what_is_counted_by_cgroup_1_since_the_start(program: ModuleType, write: Write) -> None:
    write("cpu/cpu.stat", STAT_1.format(0, 0, 0))
    write("cpu/cpu.cfs_quota_us", "-1\n")
    write("cpu/cpu.cfs_period_us", "100000\n")
    before = read(program)
    assert values(before) == [0, 0, 0, None, None, None]
    write("cpu/cpu.stat", STAT_1.format(10, 8, 80000))
    write("cpu/cpu.cfs_quota_us", "20000\n")
    assert values(program.cgroup_since(before)) == [10, 8, 80000, None, 20000, 100000]


@pytest.mark.parametrize("stat", ["", "usage_usec 9\nuser_usec 5\n", "throttled_usec many\n"])
def test_what_the_kernel_does_not_count_is_none(
    program: ModuleType, write: Write, stat: str
) -> None:
    write("cpu.stat", stat)
    assert read(program) is None
    assert program.cgroup_since(None) is None
    write("cpu.stat", STAT_2.format(1, 1, 1))
    assert program.cgroup_since(None) is None


def test_the_csharp_program_gets_what_the_python_one_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(PROGRAMS["shipped"].parent))
    harness = importlib.import_module("harness")
    monkeypatch.setattr(harness, "CGROUP", str(tmp_path))
    assert json.loads(harness.cgroup_json()) is None
    (tmp_path / "cpu.stat").write_text(STAT_2.format(2, 1, 30))
    monkeypatch.setattr(harness, "_STARTED", harness.cgroup_now())
    assert list(json.loads(harness.cgroup_json())) == FIELDS
