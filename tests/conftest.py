"""Fixtures shared by all tests: a real engine, and a small image to run in it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import rootfs
from hypothesis import settings
from support.lanes import lanes, lines

from kit.cli.process import STOPPING
from kit.engine.discover import discover
from kit.engine.docker import DockerEngine
from kit.errors import KitError

# The libraries of the tests bring grammars for a format that no schema of kit's has; jsonschema
# takes two seconds to load them.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# Properties are tried with a few examples here, with hundreds in tests/method.
settings.register_profile("few", max_examples=10, deadline=None, database=None)
settings.load_profile("few")

# A shell that starts the tests in the background has these ignored, and nohup the last one, by
# their children too; what each of them does is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGQUIT, signal.SIGHUP):
    signal.signal(_number, signal.SIG_DFL)

# The tests of a workflow's own job are no step of a reproduction: they add nothing to its
# summary, and what they expect on standard error is the same everywhere.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(_name, None)


SHARED = ("machine", "engine", "drawn", "made_once")
"""Tests with one of these marks, the first that fits, are run by one worker.

They share the machine's lock, images, plots or reports.
"""


MEMORY = Path("/dev/shm")
ROOM = 2 * 10**9
"""Bytes free in memory from which unit tests have their folders there; they need a hundredth."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the folders of unit tests in memory; those of engines' tests hold whole images."""
    if all("tests/unit" in each for each in config.args) and _takes_folders(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _takes_folders(place: Path) -> bool:
    if not place.is_dir() or not os.access(place, os.W_OK):
        return False
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


LONGEST = 100
"""Most characters of a value in a test's name."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long value by its beginning and length: each report and environment holds the name."""
    if isinstance(val, (str, bytes)) and len(val) > LONGEST:
        return f"{val[:20]!a} to {len(val)}"
    return None


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests on one worker that share what takes long, or the machine's lock: slow ones.

    Of those with the lock the ones that need large images come last, which the other worker
    builds meanwhile.
    """
    items.sort(key=lambda item: "built" in getattr(item, "fixturenames", ()) and _locks(item))
    for item in items:
        mark = next((mark for mark in SHARED if item.get_closest_marker(mark)), None)
        if mark:
            item.add_marker(pytest.mark.xdist_group(mark))
            item.add_marker(pytest.mark.slow)


def _locks(item: pytest.Item) -> bool:
    return item.get_closest_marker("machine") is not None


def pytest_collection_finish() -> None:
    """Leave the tests and modules, which stay, out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_sessionfinish() -> None:
    """End at once: pytest looks through all that is left five times, for errors in ``__del__``."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how long each folder of tests took, where several ran."""
    stats = terminalreporter.stats.values()
    reports = (each for kind in stats for each in kind if isinstance(each, pytest.TestReport))
    found = lanes(reports)
    if len(found) > 1:
        terminalreporter.section("seconds by folder")
        for line in lines(found):
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    """``kit.cli.run`` sets handlers for its process; the tests' own come back."""
    kept = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    """The engine of this machine; no engine is a skip, and in CI a failure."""
    try:
        return discover()
    except KitError as error:
        reason = f"{error.problem} ({error.remedy})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def tiny_image(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real image with a shell and a few programs, made without any registry."""
    tar = rootfs.write(Path(tmp_path_factory.mktemp("rootfs")) / "rootfs.tar")
    reference = f"kit-test/tiny:{uuid.uuid4().hex[:12]}"
    engine.import_rootfs(tar, reference, ['CMD ["/bin/true"]', "USER 10001:10001"])
    yield reference
    engine.remove_image(reference)
