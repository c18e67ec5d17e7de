"""A results folder is read once, and again only where its log has grown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bench import STUDY, Bench, StopAt, reported, varied

import kit.cli
from kit.app import ablate, pipeline
from kit.errors import InputError
from kit.files.folder import Folder
from kit.images.build.arms import BuildOptions
from kit.results import ABLATION, RUN_LOG
from kit.results.opened import open_begun, open_session

pytestmark = pytest.mark.slow


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[Path]]:
    """How often each file below a folder was read whole."""
    count: Counter[Path] = Counter()
    read = Folder.read

    def counted(self: Folder, name: str) -> bytes:
        count[self.path / name] += 1
        return read(self, name)

    monkeypatch.setattr(Folder, "read", counted)
    return count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session with an explanation inside."""
    bench = Bench(tmp_path, varied())
    folder = bench.reproduce()
    beside = ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder / ABLATION, 2, 3)
    found = ablate.explanation(beside, STUDY)
    assert found is not None
    ablate.write(beside, found)
    reported(folder)
    return folder


@pytest.mark.parametrize(
    ("command", "own", "inside"),
    [("judge", 1, 0), ("report", 1, 1), ("appendix", 1, 0), ("verify", 2, 2)],
)
def test_a_command_reads_each_log_once(
    folder: Path, reads: Counter[Path], command: str, own: int, inside: int
) -> None:
    """Verify reads it a second time, as bytes, for the chain of its lines."""
    reads.clear()
    assert kit.cli.run([command, str(folder)]) == 0
    assert reads[folder / RUN_LOG] == own
    assert reads[folder / ABLATION / RUN_LOG] == inside


def test_going_on_reads_the_log_once_and_once_more_with_what_was_added(
    tmp_path: Path, reads: Counter[Path]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(3)).reproduce()
    (folder,) = tmp_path.iterdir()
    reads.clear()
    opened = open_begun(folder)
    after = pipeline.resume(Bench(tmp_path).runtime(), opened, BuildOptions())
    assert reads[folder / RUN_LOG] == 2
    assert len(after.session.entries) > len(opened.session.entries)
    pipeline.report(after)
    assert pipeline.resume(Bench(tmp_path).runtime(), after, BuildOptions()) is after
    assert reads[folder / RUN_LOG] == 2


def test_what_another_kit_added_meanwhile_is_seen(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(3)).reproduce()
    (folder,) = tmp_path.iterdir()
    opened = open_session(folder)
    assert opened.again() is opened
    Bench(tmp_path).resume(folder)
    bench = Bench(tmp_path)
    after = pipeline.resume(bench.runtime(), opened, BuildOptions())
    assert bench.ran() == [], "all was made before"
    assert not after.session.missing_runs()


def test_a_session_of_which_nothing_was_measured_is_told_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    (folder / "study").mkdir(parents=True)
    (folder / RUN_LOG).write_text("torn")
    with pytest.raises(InputError, match="nothing was measured"):
        open_begun(folder)
    (folder / RUN_LOG).write_text("torn\n")
    with pytest.raises(InputError, match="line 1"):
        open_begun(folder)
