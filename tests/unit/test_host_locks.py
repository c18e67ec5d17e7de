"""Locks between real processes: who holds them, how they end, and what may stand there."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import command
from fakes.engine import FakeEngine
from support.bench import Bench
from support.processes import Process, hold, take_as_nobody

import kit.cli
from kit.app.runtime import sweep
from kit.cli.process import STOPPING
from kit.engine.objects import Removed
from kit.engine.protocol import LOCK_LABEL
from kit.errors import EXIT_INTERRUPTED, HostError, LockedError
from kit.host import locks
from kit.host.locks import NAME, Locks, machine_file, writing
from kit.results.runlog import read_session
from kit.verify import verify_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def others() -> Iterator[list[Process]]:
    """Processes put here are ended after the test."""
    started: list[Process] = []
    yield started
    for other in started:
        other.kill()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's locks of this test are here."""
    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setattr(locks, "DIRECTORIES", (folder,))
    return folder


def taken() -> Locks:
    """The machine's lock, or HostError."""
    mine = Locks(wait=False, say=lambda _text: None)
    mine.machine()
    return mine


def test_a_second_process_is_refused_and_told_who_it_is(
    place: Path, tmp_path: Path, others: list[Process]
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    other = Process(hold, place, "hold", folder)
    others.append(other)
    assert other.line() == "locked"
    with pytest.raises(HostError) as caught:
        taken()
    for word in (f"process {other.pid} ", "`kit ", " UTC", str(folder)):
        assert word in caught.value.problem
    assert "--wait-for-lock" in caught.value.remedy
    with pytest.raises(HostError, match=f"process {other.pid} "), writing(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_lock_ends_with_its_process_though_a_child_lives(
    place: Path, others: list[Process]
) -> None:
    other = Process(hold, place, "child")
    others.append(other)
    assert other.line() == "locked"
    child = int(other.line())
    other.kill()
    try:
        os.kill(child, 0)
        taken().release()
    finally:
        os.kill(child, signal.SIGKILL)


def test_neither_a_thread_nor_a_fork_gives_it_back(place: Path, others: list[Process]) -> None:
    other = Process(hold, place, "threads")
    others.append(other)
    assert [other.line(), other.line()] == ["locked", "forked"]
    with pytest.raises(HostError):
        taken()


def test_waiting_says_for_whom_and_goes_on_after_it(place: Path, others: list[Process]) -> None:
    first = Process(hold, place, "hold")
    others.append(first)
    assert first.line() == "locked"
    second = Process(hold, place, "wait")
    others.append(second)
    assert f"process {first.pid} " in second.line()
    assert second.running
    first.kill()
    assert second.line() == "locked"


def test_ctrl_c_ends_waiting(place: Path, others: list[Process]) -> None:
    mine = taken()
    other = Process(hold, place, "wait")
    others.append(other)
    assert f"process {os.getpid()} " in other.line()
    other.send(signal.SIGINT)
    assert other.ended()[0] == EXIT_INTERRUPTED
    mine.release()


def test_a_file_that_is_removed_while_one_waits_locks_nobody_out(
    place: Path, others: list[Process]
) -> None:
    first = Process(hold, place, "hold")
    others.append(first)
    assert first.line() == "locked"
    second = Process(hold, place, "wait")
    others.append(second)
    assert "waiting" in second.line()
    (place / NAME).unlink()
    mine = taken()
    first.kill()
    assert f"process {os.getpid()} " in second.line(), "it waits for the lock that counts now"
    mine.release()
    assert second.line() == "locked"


def odd_link(path: Path) -> None:
    path.symlink_to(path.parent / "theirs")


def odd_name(path: Path) -> None:
    path.hardlink_to(path.parent / "theirs")


ODD = {
    "link": odd_link,
    "second name": odd_name,
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "content": lambda path: path.write_text("precious"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_somebody_put_there_is_refused_and_not_touched(
    place: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(locks, "_PAUSE_S", 0)
    theirs = place / "theirs"
    theirs.write_text("precious")
    ODD[kind](place / NAME)
    with pytest.raises(HostError, match=re.escape(str(place / NAME))):
        taken()
    assert theirs.read_text() == "precious"
    if kind == "content":
        assert (place / NAME).read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_users_share_one_lock(others: list[Process]) -> None:
    def as_nobody(place: str, release: bool = False) -> tuple[int, str]:
        other = Process(take_as_nobody, Path(place), release)
        others.append(other)
        return other.ended()

    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o1777)
        locks.DIRECTORIES = (Path(place),)
        assert as_nobody(place)[0] == 0
        mine = taken()
        code, said = as_nobody(place)
        assert code == 1
        assert f"process {os.getpid()} " in said
        mine.release()
        (Path(place) / NAME).chmod(0o644)
        os.chown(Path(place) / NAME, 0, 0)
        assert as_nobody(place, release=True)[0] == 0, "a file one may only read locks as well"
        (Path(place) / NAME).chmod(0o600)
        assert "HostError" in as_nobody(place)[1]


def test_the_place_is_the_same_for_every_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = tmp_path / "run", tmp_path / "tmp"
    monkeypatch.setattr(locks, "DIRECTORIES", (first, last))
    assert machine_file() == last / NAME
    first.mkdir()
    first.chmod(0o755)
    assert machine_file() == last / NAME, "others cannot write there, so root does not either"
    first.chmod(0o1777)
    assert machine_file() == first / NAME


def test_what_a_killed_one_wrote_down_is_not_taken_for_the_holder(
    place: Path, others: list[Process]
) -> None:
    gone = Process(hold, place, "hold")
    assert gone.line() == "locked"
    gone.kill()
    mine = Locks(wait=False, say=lambda _text: None)
    mine.machine()
    other = Process(hold, place, "wait")
    others.append(other)
    said = other.line()
    assert f"process {os.getpid()} " in said
    assert str(gone.pid) not in said
    mine.release()


@pytest.mark.parametrize(
    "record",
    [
        "[" * 4000,
        json.dumps({"pid": 2**31, "command": "", "since": ""}),
        json.dumps({"pid": os.getpid(), "command": "", "since": "", "folder": 1}),
        json.dumps({"pid": os.getpid(), "command": "kit \x1b]0;x\x07\nreproduce", "since": "now"}),
    ],
    ids=["nested too deep", "no process", "folder of another type", "control characters"],
)
def test_what_another_user_wrote_into_the_lock_harms_nobody(
    place: Path, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    monkeypatch.setattr(locks, "_PAUSE_S", 0.0)
    mine = taken()
    mark = b"kit: the holder of this lock\n"
    assert (place / NAME).read_bytes().startswith(mark)
    (place / NAME).write_bytes(mark + record.encode())
    with pytest.raises(LockedError) as caught:
        taken()
    assert caught.value.holder.isprintable()
    mine.release()


def test_a_file_system_without_locks_is_said_and_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(_place: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unable)
    said: list[str] = []
    mine = Locks(wait=False, say=said.append)
    mine.folder(tmp_path)
    assert len(said) == 1 and str(tmp_path) in said[0]
    with pytest.raises(HostError, match="not supported"):
        mine.machine()


def command_of(place: Path, gate: Path, *words: object, **started: Any) -> Process:
    """``kit`` with a made-up engine in a process of its own; see ``fakes.command``."""
    return Process(command.main, place, gate, [str(word) for word in words], **started)


def until(path: Path, lines: int) -> list[str]:
    """The lines of that file, when there are so many."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = path.read_text().splitlines() if path.exists() else []
        if len(found) >= lines:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{path}: fewer than {lines} lines")


def test_of_two_that_resume_one_goes_on_and_the_other_waits_or_is_refused(
    place: Path, tmp_path: Path, others: list[Process], monkeypatch, capsys
) -> None:
    gate = tmp_path / "gate"
    new = ("reproduce", "--blocks", 1, "--seed", 1, "--quiet", "--out")
    others.append(command_of(place, gate, *new, tmp_path / "out"))
    until(gate.with_suffix(".runs"), 1)
    others[0].kill()
    (folder,) = (tmp_path / "out").iterdir()

    resume = ("reproduce", "--quiet", "--resume", folder)
    others.append(command_of(place, gate, *resume))
    until(gate.with_suffix(".runs"), 2)
    holder = others[1].pid
    monkeypatch.setattr("kit.cli.runtime.discover", FakeEngine)
    for refused in (resume, (*new, tmp_path / "elsewhere"), ("report", folder)):
        assert kit.cli.run(list(map(str, refused))) == 3
        said = capsys.readouterr().err
        assert f"process {holder} " in said
        assert str(folder) in said
    assert not (tmp_path / "elsewhere").exists()
    others.append(command_of(place, gate, *resume, "--wait-for-lock"))
    others[2].waited_for(f"process {holder} ")
    gate.touch()
    assert [other.ended()[0] for other in others[1:]] == [0, 0]
    session = read_session(folder)
    planned = [run.run_id for run in session.header.plan.runs]
    assert [entry.run_id for entry in session.entries] == planned
    assert Counter(gate.with_suffix(".runs").read_text().split()) == Counter(
        ["executable", "executable", *planned]
    ), "the first process was killed in its first run, all else ran once"
    assert [found.what for found in verify_folder(folder) if found.wrong] == []


def test_the_signals_that_end_a_session_are_those_of_terminals_and_schedulers() -> None:
    assert set(STOPPING) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_each_signal_ends_it_in_order_and_it_goes_on_after(
    place: Path, tmp_path: Path, others: list[Process], number: signal.Signals
) -> None:
    gate = tmp_path / "gate"
    other = command_of(place, gate, "reproduce", "--blocks", 1, "--out", tmp_path / "out")
    others.append(other)
    until(gate.with_suffix(".runs"), 1)
    other.send(number)
    code, said = other.ended()
    (folder,) = (tmp_path / "out").iterdir()
    assert code == EXIT_INTERRUPTED, said
    assert "Traceback" not in said
    assert read_session(folder).entries == ()
    taken().release()
    Bench(tmp_path).resume(folder)


def test_signals_that_were_ignored_at_the_start_stay_ignored(
    place: Path, tmp_path: Path, others: list[Process]
) -> None:
    gate = tmp_path / "gate"
    numbers = (signal.SIGHUP, signal.SIGINT)
    words = ("reproduce", "--blocks", 1, "--quiet", "--out", tmp_path)
    other = command_of(place, gate, *words, ignored=numbers)
    others.append(other)
    until(gate.with_suffix(".runs"), 1)
    for number in numbers:
        other.send(number)
    gate.touch()
    assert other.ended()[0] == 0


def test_a_terminal_that_went_away_is_an_interruption(
    place: Path, tmp_path: Path, others: list[Process]
) -> None:
    gate = tmp_path / "gate"
    master, slave = pty.openpty()
    words = ("reproduce", "--blocks", 1, "--out", tmp_path / "out")
    other = command_of(place, gate, *words, terminal=os.ttyname(slave))
    others.append(other)
    until(gate.with_suffix(".runs"), 1)
    os.close(slave)
    os.close(master)
    assert other.ended()[0] == EXIT_INTERRUPTED
    (folder,) = (tmp_path / "out").iterdir()
    assert read_session(folder).executable is None
    taken().release()


def test_what_killed_kits_of_this_lock_left_is_removed_and_said() -> None:
    said: list[str] = []
    engine = FakeEngine()
    sweep(engine, "0123", said.append)
    assert engine.named("remove_by_label") == [(LOCK_LABEL, "0123")]
    assert said == []
    engine.remove_by_label = lambda _label, _value: Removed(1, 2)  # type: ignore[method-assign]
    sweep(engine, "0123", said.append)
    assert len(said) == 1
    assert "1 container and 2 volumes" in said[0]


def test_every_command_that_builds_or_measures_can_wait() -> None:
    waiting = [
        " ".join(words)
        for words in (["reproduce"], ["ablate"], ["build"], ["bundle", "save"])
        if "--wait-for-lock" in _options(words)
    ]
    assert waiting == ["reproduce", "ablate", "build", "bundle save"]


def _options(words: list[str]) -> set[str]:
    found = kit.cli.cli
    for word in words:
        found = found.commands[word]  # type: ignore[assignment,attr-defined]
    return {option for parameter in found.params for option in parameter.opts}
