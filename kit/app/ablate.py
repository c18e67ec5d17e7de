"""Explaining a difference: a session of its own, with one thing changed in each run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from kit.app.images import build_images
from kit.app.pipeline import report, resume
from kit.app.runner import run_plan
from kit.app.runtime import Runtime, check_quiet
from kit.errors import InputError
from kit.files.write import write_below
from kit.images.build.arms import Options
from kit.judge.ablation import Ablation
from kit.judge.ablation import explain as judged
from kit.measure.header import new_header
from kit.pins.load import Pins
from kit.plan.ablation import BLOCKS, REPEATS, explaining_plan
from kit.plan.model import EXPLAIN, SEQUENTIAL, Limits
from kit.plan.resources import ResourceRequest, Resources, resources
from kit.records.command import shown
from kit.records.session import Session
from kit.report.ablation import files
from kit.results.folder import open_results
from kit.results.names import ABLATION, RUN_LOG
from kit.results.opened import keep_study, open_begun, open_session
from kit.results.runlog import RunLog, read_session
from kit.results.sums import remove_unfinished, write_sums
from kit.study.load import shipped_study
from kit.study.model import Study


@dataclass(frozen=True)
class Target:
    """Where an explanation is made, of which study, and the session it explains, if any."""

    folder: Path
    study: Study
    session: Path | None = None


def target(session: Path | None, out: Path, blocks: int | None, repeats: int | None) -> Target:
    """Return where the explanation of a session, or one without any in ``out``, is made.

    Raise InputError for a session that compares nothing, a link in its place, and one that
    was begun otherwise (see ``check_there``).
    """
    folder = out if session is None else session / ABLATION
    if session is not None:
        beside = open_session(session)
        beside.session.must_compare()
        with open_results(session) as results:
            # Raises where a link would lead the explanation elsewhere.
            results.holds_folder(ABLATION)
    there = begun(folder)
    if there:
        check_there(folder, blocks, repeats)
    if session is not None:
        return Target(folder, beside.study, session)
    return Target(folder, open_session(folder).study if there else shipped_study())


def explain(
    runtime: Runtime,
    target: Target,
    pins: Pins,
    options: Options,
    blocks: int | None,
    repeats: int | None,
    allow_busy_host: bool,
) -> Ablation | None:
    """Measure, judge and write an explanation, into its session's report too.

    Return None where it holds too few runs. Raise as ``ablate`` does.
    """
    if target.session is not None:
        runtime.lock_results(target.session)
    ablate(runtime, target.study, pins, options, target.folder, blocks, repeats, allow_busy_host)
    found = explanation(target.folder, target.study)
    if found is not None:
        write(target.folder, found)
        if target.session is not None:
            report(open_session(target.session))
    return found


def ablate(
    runtime: Runtime,
    study: Study,
    pins: Pins,
    options: Options,
    folder: Path,
    blocks: int | None = None,
    repeats: int | None = None,
    allow_busy_host: bool = False,
) -> Path:
    """Make the explaining session in that folder, or go on with the one that is there.

    A session beside which it is made gives it its CPUs and memory. Returns its folder.
    Raises InputError where the one that is there was planned otherwise, see ``check_there``.
    """
    if begun(folder):
        check_there(folder, blocks, repeats)
        return resume(runtime, open_begun(folder), pins, options, allow_busy_host).folder
    blocks, repeats = blocks or BLOCKS, repeats or REPEATS
    now = check_quiet(runtime, allow_busy_host)
    limits = _limits_beside(folder) or _limits(
        resources(runtime.engine.info(), now, ResourceRequest(), runtime.host.cores()), study
    )
    plan = explaining_plan(study, limits, secrets.randbelow(2**31), blocks, repeats)
    images, _ = build_images(runtime, study, pins, options, plan.arms)
    command = f"kit ablate --blocks {blocks} --repeats {repeats}"
    header = new_header(runtime.now(), runtime.engine.info(), plan, images, command, None)
    folder.mkdir(parents=True, exist_ok=True)
    runtime.lock_results(folder)
    keep_study(study, folder)
    log = RunLog.create(folder, header)
    run_plan(runtime, study, Session(header, ()), log, folder, images)
    return folder


def begun(folder: Path) -> bool:
    """Whether a session is there. Raises InputError where something else has its log's name."""
    if not folder.exists():
        return False
    with open_results(folder) as results:
        return results.holds(RUN_LOG)


def check_there(folder: Path, blocks: int | None, repeats: int | None) -> None:
    """Raise InputError where what is in the folder is not the explanation that is asked for.

    It follows the plan it was begun with: other numbers of blocks or repeats (None: not
    asked for) would have no effect.
    """
    plan = _explaining(folder).header.plan
    for option, wanted, planned in (
        ("--blocks", blocks, plan.blocks),
        ("--repeats", repeats, plan.repeats),
    ):
        if wanted is not None and wanted != planned:
            raise InputError(
                f"{option}: {wanted} are asked for, the explanation in {folder} is planned "
                f"with {planned}",
                f"leave out {option} to go on with it, or remove {folder} to begin another",
            )


def explanation(folder: Path, study: Study) -> Ablation | None:
    """What the explaining session in that folder says. Raises InputError if it is none."""
    return judged(_explaining(folder), study)


def _explaining(folder: Path) -> Session:
    session = read_session(folder)
    if session.header.plan.purpose != EXPLAIN:
        raise InputError(
            f"{folder}: a session that compares, not one that explains",
            f"`{shown('ablate', folder)}` makes one beside it",
        )
    return session


def write(folder: Path, found: Ablation) -> None:
    """The explanation as markdown and JSON beside its log, and the sums of them all.

    What an interrupted write left there is removed.
    """
    remove_unfinished(folder)
    write_below(folder, files(found))
    write_sums(folder)


def _limits_beside(folder: Path) -> Limits | None:
    """Those of the session that the explanation is made beside, if there is one."""
    if not begun(folder.parent):
        return None
    plan = read_session(folder.parent).header.plan
    return plan.limits if plan.design == SEQUENTIAL else None


def _limits(have: Resources, study: Study) -> Limits:
    return Limits(have.cpuset, have.memory_bytes, study.protocol.run_timeout_s, have.halves)
