"""Checking a results folder as an outsider: does everything in it follow from its log?

This finds what was changed after the fact, a file at a time. It is no signature:
whoever can rewrite the whole folder can make another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import InputError, KitError
from kit.judge.explain import explain
from kit.measure.runlog import NAME, broken_chain, read_session
from kit.measure.session import RunEntry, Session
from kit.plan.blocks import BlockMaker
from kit.plan.make import maker_of
from kit.plan.model import EXPLAIN, PlannedRun
from kit.plan.spec import spec_json
from kit.report import explanation
from kit.report.files import SUMS, is_picture, report_files, sums_of, without_pictures
from kit.report.model import build_report
from kit.study.kept import study_for
from kit.study.model import Study


@dataclass(frozen=True)
class Finding:
    """One thing checked. ``wrong`` names every difference; empty: it is as it should be."""

    what: str
    wrong: tuple[str, ...]
    good: str


def verify(folder: Path, explaining: str) -> tuple[Finding, ...]:
    """Every check of the folder. ``explaining``: where an explanation lies inside it.

    Raises InputError where there is no session at all.
    """
    if not (folder / NAME).is_file():
        raise InputError(f"{folder}: holds no {NAME}", "name a folder that `kit reproduce` made")
    findings = [_sums(folder), *_session(folder, folder / explaining)]
    if (folder / explaining / NAME).is_file():
        inside = _session(folder / explaining, None)
        findings += [replace(found, what=f"explanation: {found.what}") for found in inside]
    return tuple(findings)


def _session(folder: Path, beside: Path | None) -> tuple[Finding, ...]:
    """Whether log, plan, runs and reports of one session belong together."""
    chain = _finding("chain of the log", lambda: broken_chain(folder), "whole")
    try:
        session = read_session(folder)
        study = study_for(folder, session.header.plan.study_sha256)
    except KitError as error:
        return (chain, Finding("log and study", (error.problem,), ""))
    return (
        chain,
        Finding("log and study", (), "by their schemas; the study is the plan's"),
        _finding("plan", lambda: list(_plan(session, study)), "the one its seed makes"),
        _finding("runs", lambda: list(_runs(session, study)), "each answers its planned spec"),
        _reports(folder, session, study, beside),
    )


def _finding(what: str, check: Callable[[], list[str]], good: str) -> Finding:
    try:
        return Finding(what, tuple(check()), good)
    except KitError as error:
        return Finding(what, (error.problem,), good)


def _sums(folder: Path) -> Finding:
    """Every file by its sum: changed, missing, or a stranger."""
    path = folder / SUMS
    if not path.is_file():
        return Finding("files", (f"{SUMS} is missing",), "")
    written, found = _by_name(path.read_text(errors="replace")), _by_name(sums_of(folder))
    wrong = [f"{name} is missing" for name in written if name not in found]
    wrong += [f"{name} was added" for name in found if name not in written]
    wrong += [
        f"{name} was changed" for name in written if name in found and written[name] != found[name]
    ]
    return Finding("files", tuple(wrong), f"{len(written)}, each by its sum")


def _by_name(sums: str) -> dict[str, str]:
    """Sum by file name."""
    named = (line.partition("  ") for line in sums.splitlines())
    return {name: digest for digest, _, name in named if name}


def _plan(session: Session, study: Study) -> Iterator[str]:
    """The plan's runs made anew from its seed."""
    plan = session.header.plan
    if plan.study_sha256 != study.sha256:
        yield "it is of another study"
    maker = maker_of(study, plan)
    expected = {run.run_id: run for run in maker.identity()}
    turns: dict[tuple[str, bool], int] = {}
    for number in sorted({run.block for run in plan.runs if run.block >= 0}):
        runs = [run for run in plan.runs if run.block == number]
        pilot = any(run.role == "pilot" for run in runs)
        design = runs[0].design
        turn = turns.get((design, pilot), 0)
        turns[design, pilot] = turn + 1
        of_block: BlockMaker = maker.piloting() if pilot else maker
        expected |= {run.run_id: run for run in of_block.block(number, design, turn)}
    for run in plan.runs:
        if expected.get(run.run_id) != run:
            yield f"{run.run_id} is not what the seed {plan.seed} makes"
    if len(expected) != len(plan.runs):
        yield f"{len(plan.runs)} runs are planned, the seed makes {len(expected)}"


def _runs(session: Session, study: Study) -> Iterator[str]:
    planned = {run.run_id: run for run in session.header.plan.runs}
    good: set[str] = set()
    for entry in session.entries:
        run = planned.get(entry.run_id)
        if run is None:
            yield f"{entry.run_id} is not planned"
            continue
        yield from _run(session, study, entry, run)
        if entry.record is not None and entry.pair is None and entry.run_id in good:
            yield f"{entry.run_id} is there twice"
        if entry.record is not None:
            good.add(entry.run_id)


def _run(session: Session, study: Study, entry: RunEntry, run: PlannedRun) -> Iterator[str]:
    for field in ("block", "position", "arm", "kind", "role", "pair"):
        if getattr(entry, field) != getattr(run, field):
            yield f"{entry.run_id}: its {field} is not the planned one"
    image = session.header.images.get(entry.arm)
    if image is None or image.image_id != entry.image_id:
        yield f"{entry.run_id}: its image is not the session's"
    if entry.record is not None:
        spec = hashlib.sha256(spec_json(run, study).encode()).hexdigest()
        if entry.record.spec_sha256 != spec:
            yield f"{entry.run_id}: its record is of another spec"


def _reports(folder: Path, session: Session, study: Study, beside: Path | None) -> Finding:
    """Every report made anew. A plot may differ, by the drawing library alone: that is said."""
    what, good = "reports", "derived again, byte for byte"
    if session.header.plan.purpose == EXPLAIN and session.unfinished:
        return Finding(what, ("it is unfinished: repeat `kit explain`, which goes on with it",), "")
    try:
        made = _made(session, study, beside)
    except KitError as error:
        return Finding(what, (error.problem,), good)
    wrong, redrawn = [], []
    for name, content in made.items():
        path = folder / name
        found = path.read_bytes() if path.is_file() else None
        if found is None:
            wrong.append(f"{name} is missing")
        elif found != content and is_picture(name):
            redrawn.append(name)
        elif without_pictures(found) != without_pictures(content):
            wrong.append(f"{name} does not follow from the log")
    if redrawn:
        good += f"; otherwise drawn by the drawing library here: {', '.join(redrawn)}"
    return Finding(what, tuple(wrong), good)


def _made(session: Session, study: Study, beside: Path | None) -> Mapping[str, bytes]:
    if session.header.plan.purpose == EXPLAIN:
        found = explain(session, study)
        return explanation.files(found) if found is not None else {}
    other = read_session(beside) if beside is not None and (beside / NAME).is_file() else None
    return report_files(build_report(session, study, other))
