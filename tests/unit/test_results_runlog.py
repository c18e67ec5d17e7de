"""The run log: what is written is read back; damage is named by file, line and field."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from support.folders import chained
from support.sessions import fail_run, make_session, paired

from kit.errors import HostError, InputError
from kit.judge.pilot import DesignEstimate, PilotResult, SampleSize
from kit.plan.make import plan_sha256
from kit.plan.model import ALTERNATING
from kit.records.images import ExecutableRun
from kit.records.record import record_document
from kit.records.session import Session
from kit.results import RUN_LOG
from kit.results.lines import READABLE, SCHEMA
from kit.results.runlog import RunLog, broken_chain, drop_torn_line, read_session

NEED = SampleSize(0.8, 9, 3, 9, 4)
OUTLOOK = PilotResult(
    ALTERNATING, 9, "C1", 6.5, 0.8, 6.95, 5.0, 4.0,
    (DesignEstimate(ALTERNATING, 5, 0.05, 0.06, 0.06, 30.0, (NEED,)),), {}, False, "power", None,
)  # fmt: skip


def session() -> Session:
    made = fail_run(make_session(paired([1.05, 1.06])), "t1-dotnet-cpu", "oom", "Killed\n")
    header = replace(made.header, plan_sha256=plan_sha256(made.header.plan))
    return replace(made, header=header)


def write(folder: Path) -> Session:
    made = session()
    log = RunLog.create(folder, made.header)
    for entry in made.entries:
        log.add(entry, record_document(entry.record) if entry.record else None)
    return made


def edit(folder: Path, line: int, change: Callable[[dict[str, Any]], object]) -> None:
    lines = (folder / RUN_LOG).read_text().splitlines()
    document = json.loads(lines[line - 1])
    change(document)
    lines[line - 1] = json.dumps(document)
    (folder / RUN_LOG).write_text("\n".join(lines) + "\n")


def test_a_session_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    made = write(tmp_path)
    assert read_session(tmp_path) == made


def test_a_new_log_has_the_newest_form_and_a_merged_one_that_of_its_shards(tmp_path: Path) -> None:
    plan = session().header.plan
    assert session().header.form == SCHEMA
    for form in READABLE:
        header = replace(session().header, form=form, plan_sha256=plan_sha256(plan, form))
        folder = tmp_path / str(form)
        folder.mkdir()
        RunLog.create(folder, header)
        assert read_session(folder).header == header


def held_sha256(plan: dict[str, Any]) -> str:
    """The hash of a plan over the words that the log holds."""
    text = json.dumps({**plan, "notes": []}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def fixed_by_pilot(folder: Path, form: int) -> list[dict[str, Any]]:
    """Write a log of that form whose pilot fixed its plan; its lines."""
    made = session()
    plan, outlook = made.header.plan, asdict(OUTLOOK)
    header = replace(made.header, form=form, plan_sha256=plan_sha256(plan, form))
    RunLog.create(folder, header).add_plan(plan, outlook, form)
    assert made.with_plan(plan, outlook).header.plan_sha256 == plan_sha256(plan)
    return [json.loads(line) for line in (folder / RUN_LOG).read_text().splitlines()]


@pytest.mark.parametrize(("form", "name"), [(6, "sequential"), (7, "alternating")])
def test_a_log_holds_the_names_of_designs_of_its_form(tmp_path: Path, form: int, name: str) -> None:
    first, second = fixed_by_pilot(tmp_path, form)
    assert {first["plan"]["design"], second["plan"]["design"]} == {name}
    assert second["outlook"]["design"] == second["outlook"]["designs"][0]["design"] == name
    for line in (first, second):
        assert line["plan_sha256"] == held_sha256(line["plan"])
    read = read_session(tmp_path)
    assert read.header.plan.design == ALTERNATING
    assert read.header.plan_sha256 == second["plan_sha256"]
    again = read.with_plan(read.header.plan, read.outlook or {})
    assert again.header.plan_sha256 == second["plan_sha256"]
    assert read.outlook == json.loads(json.dumps(asdict(OUTLOOK)))


@pytest.mark.parametrize(("form", "name"), [(6, "alternating"), (7, "sequential")])
@pytest.mark.parametrize("line", [1, 2])
def test_a_design_by_the_name_of_another_form_is_refused(
    tmp_path: Path, form: int, name: str, line: int
) -> None:
    fixed_by_pilot(tmp_path, form)

    def rename(document: dict[str, Any]) -> None:
        document["plan"]["design"] = name
        document["plan_sha256"] = held_sha256(document["plan"])

    edit(tmp_path, line, rename)
    with pytest.raises(InputError, match=f"line {line}: broken plan: design"):
        read_session(tmp_path)


def test_each_run_is_on_disk_as_one_line(tmp_path: Path) -> None:
    made = session()
    log = RunLog.create(tmp_path, made.header)
    for count, entry in enumerate(made.entries, start=1):
        log.add(entry, record_document(entry.record) if entry.record else None)
        assert (tmp_path / RUN_LOG).read_bytes().count(b"\n") == 1 + count
        assert read_session(tmp_path).entries == made.entries[:count]


def test_every_line_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    made = write(tmp_path)
    assert len(synced) == 2 + len(made.entries)  # the folder too, when the log is new


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_torn_last_line_is_left_out_and_named(tmp_path: Path, cut: int) -> None:
    made = write(tmp_path)
    whole = (tmp_path / RUN_LOG).read_bytes()
    (tmp_path / RUN_LOG).write_bytes(whole[:-cut])
    found = read_session(tmp_path)
    assert found.entries == made.entries[:-1]
    assert found.torn


def test_a_resumed_log_is_cut_to_whole_lines_before_it_grows(tmp_path: Path) -> None:
    made = write(tmp_path)
    (tmp_path / RUN_LOG).write_bytes((tmp_path / RUN_LOG).read_bytes()[:-30])
    drop_torn_line(tmp_path)
    last = made.entries[-1]
    RunLog.reopen(tmp_path).add(last, record_document(last.record) if last.record else None)
    assert read_session(tmp_path) == made


def test_dropping_leaves_a_whole_log_alone(tmp_path: Path) -> None:
    write(tmp_path)
    before = (tmp_path / RUN_LOG).read_bytes()
    drop_torn_line(tmp_path)
    assert (tmp_path / RUN_LOG).read_bytes() == before


def test_a_torn_header_is_no_session(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / RUN_LOG).write_bytes((tmp_path / RUN_LOG).read_bytes()[:50])
    with pytest.raises(InputError, match=r"runlog\.jsonl: holds no complete line"):
        read_session(tmp_path)


def test_a_folder_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"runlog\.jsonl: cannot be read"):
        read_session(tmp_path)


DAMAGE: dict[str, tuple[int, Callable[[dict[str, Any]], object], str]] = {
    "future schema": (1, lambda d: d.update(schema=8), "schema 8, this kit reads 6"),
    "older schema": (1, lambda d: d.update(schema=5), "schema 5, this kit reads 6"),
    "gpu missing": (1, lambda d: d.pop("gpu"), "broken header: $: 'gpu' is a required"),
    "gpu broken": (1, lambda d: d.update(gpu={"arms": []}), "broken header"),
    "first line no header": (1, lambda d: d.update(type="run"), "not a session's header"),
    "field missing": (1, lambda d: d.pop("images"), "broken header: $: 'images' is a required"),
    "plan changed": (1, lambda d: d["plan"].update(seed=2), "does not match its own hash"),
    "hash changed": (1, lambda d: d.update(plan_sha256="0"), "does not match its own hash"),
    "run dropped from plan": (1, lambda d: d["plan"]["runs"].pop(), "its own hash"),
    "host broken": (1, lambda d: d["host"].pop("cpus"), "broken header: host: 'cpus'"),
    "host of another type": (1, lambda d: d["host"].update(cpus="2"), "broken header: host.cpus"),
    "created no text": (1, lambda d: d.update(created=5), "broken header: created"),
    "session no text": (1, lambda d: d.update(session_id=[1]), "broken header: session_id"),
    "row no truth": (1, lambda d: d["fidelity"][0].update(exact="yes"), "fidelity[0].exact"),
    "image without size": (
        1,
        lambda d: d["images"]["python-cpu"].update(size_bytes=None),
        "images['python-cpu'].size_bytes",
    ),
    "shards no text": (1, lambda d: d.update(shards=[1]), "shards[0]"),
    "planned run of another type": (
        1,
        lambda d: d["plan"]["runs"][0].update(block="x"),
        "broken plan: runs[0].block",
    ),
    "half a character": (
        3,
        lambda d: d.update(started_at="a\ud800b"),
        "started_at: ",
    ),
    "no number": (3, lambda d: d["host"].update(load_1m_before=math.nan), "not JSON"),
    "number without end": (
        3,
        lambda d: d["host"].update(load_1m_before=math.inf),
        "not JSON",
    ),
    "second header": (3, lambda d: d.update(type="header"), "not a run"),
    "record broken": (
        2,
        lambda d: d["record"]["fits"][0].update(wall_ns="x"),
        "record: fits[0].wall_ns",
    ),
    "run field missing": (4, lambda d: d.pop("arm"), "'arm'"),
    "run field unknown": (4, lambda d: d.update(bonus=1), "'bonus'"),
    "gpu sample missing": (5, lambda d: d.pop("gpu"), "'gpu'"),
    "host sample missing": (5, lambda d: d.pop("host"), "'host'"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_by_file_line_and_field(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    line, change, words = DAMAGE[name]
    edit(tmp_path, line, change)
    with pytest.raises(InputError) as caught:
        read_session(tmp_path)
    assert f"{tmp_path / RUN_LOG}, line {line}: " in caught.value.problem
    assert words in caught.value.problem


@pytest.mark.parametrize("text", ["{half", "[1]", "", "3", "[" * 100_000])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path)
    lines = (tmp_path / RUN_LOG).read_text().splitlines()
    lines[2] = text
    (tmp_path / RUN_LOG).write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"runlog\.jsonl, line 3: not"):
        read_session(tmp_path)


EXECUTABLE = ExecutableRun("kit/executable:1", "sha256:0", 5, "apphost", True, False, "", 69, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [("said", None), ("started", "x"), ("size_bytes", "x"), ("exit_code", 1.5), ("bonus", 1)],
)
def test_an_executable_s_field_of_another_type_is_named(
    tmp_path: Path, field: str, value: object
) -> None:
    write(tmp_path)
    RunLog.reopen(tmp_path).add_executable(EXECUTABLE)
    last = len((tmp_path / RUN_LOG).read_text().splitlines())
    assert read_session(tmp_path).executable == EXECUTABLE
    edit(tmp_path, last, lambda d: d.update({field: value}))
    with pytest.raises(InputError, match=rf"line {last}: broken executable: .*{field}"):
        read_session(tmp_path)


def test_of_two_executables_both_lines_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    log = RunLog.reopen(tmp_path)
    log.add_executable(EXECUTABLE)
    log.add_executable(replace(EXECUTABLE, trained=True))
    last = len((tmp_path / RUN_LOG).read_text().splitlines())
    with pytest.raises(InputError, match=rf"line {last}: a second executable, line {last - 1} is"):
        read_session(tmp_path)


@pytest.mark.parametrize("field", ["block", "run_id", "kind"])
def test_a_run_s_field_of_another_type_is_named(tmp_path: Path, field: str) -> None:
    write(tmp_path)
    edit(tmp_path, 4, lambda d: d.update({field: ["x"]}))
    with pytest.raises(InputError, match=f"line 4.*{field}"):
        read_session(tmp_path)


def test_a_second_session_in_a_folder_is_refused(tmp_path: Path) -> None:
    made = write(tmp_path)
    before = (tmp_path / RUN_LOG).read_bytes()
    with pytest.raises(InputError, match="holds a session already"):
        RunLog.create(tmp_path, made.header)
    assert (tmp_path / RUN_LOG).read_bytes() == before


def test_a_full_disk_is_named_and_leaves_the_earlier_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = session()
    log = RunLog.create(tmp_path, made.header)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostError) as caught:
        log.add(made.entries[-1], None)
    assert "No space left on device" in caught.value.problem
    assert str(tmp_path / RUN_LOG) in caught.value.problem
    assert "--resume" in caught.value.remedy
    assert read_session(tmp_path).header == made.header


def test_a_log_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be written"):
        RunLog.create(tmp_path / "missing", session().header)


def test_a_log_is_made_and_written_through_nothing_that_is_there(tmp_path: Path) -> None:
    made = session()
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    folder.mkdir()
    for there in (
        lambda place: place.symlink_to(victim),
        lambda place: place.symlink_to("nowhere"),
        os.mkfifo,
        Path.mkdir,
    ):
        victim.write_bytes(b"mine\n")
        there(folder / RUN_LOG)
        with pytest.raises(InputError, match="holds a session already"):
            RunLog.create(folder, made.header)
        with pytest.raises((InputError, HostError), match=RUN_LOG):
            RunLog.reopen(folder).add(made.entries[0], None)
        assert victim.read_bytes() == b"mine\n" and not (folder / "nowhere").exists()
        if (folder / RUN_LOG).is_dir() and not (folder / RUN_LOG).is_symlink():
            (folder / RUN_LOG).rmdir()
        else:
            (folder / RUN_LOG).unlink()


CONTRADICTIONS: dict[str, tuple[int, Callable[[dict[str, Any]], object], str]] = {
    "one index for all samples": (
        2,
        lambda d: [sample.update(index=0) for sample in d["record"]["fits"]],
        "index",
    ),
    "a record of another run": (2, lambda d: d["record"].update(run_id="t0"), "run_id: 't0'"),
    "an image of another arm": (
        1,
        lambda d: d["images"]["python-cpu"].update(arm="dotnet-cpu"),
        "images.python-cpu: is of arm 'dotnet-cpu'",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_a_line_says_twice_is_the_same(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    line, change, words = CONTRADICTIONS[name]
    edit(tmp_path, line, change)
    with pytest.raises(InputError, match=f"line {line}") as caught:
        read_session(tmp_path)
    assert words in caught.value.problem


def test_a_plan_that_does_not_hold_what_it_announces_is_refused(tmp_path: Path) -> None:
    header = session().header
    plan = replace(header.plan, blocks=header.plan.blocks + 1)
    RunLog.create(tmp_path, replace(header, plan=plan, plan_sha256=plan_sha256(plan)))
    with pytest.raises(InputError, match="line 1: the plan contradicts itself"):
        read_session(tmp_path)


@pytest.mark.parametrize("change", [lambda d: d.pop(-2), lambda d: d.insert(2, d[2])])
def test_a_line_that_was_taken_out_or_doubled_is_named_though_the_chain_is_whole(
    tmp_path: Path, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    write(tmp_path)
    assert broken_chain(tmp_path) == []
    documents = [json.loads(line) for line in (tmp_path / RUN_LOG).read_text().splitlines()]
    change(documents)
    chained(tmp_path, documents)
    assert "was line" in broken_chain(tmp_path)[0]
