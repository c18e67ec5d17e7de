"""Explaining a difference: a separate session whose runs each change one thing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from kit.app.images import build_images
from kit.app.pipeline import report, resume
from kit.app.runner import run_plan
from kit.app.runtime import Runtime, check_quiet
from kit.app.session import begin, new_header
from kit.errors import InputError
from kit.files.write import write_tree
from kit.images.build.arms import BuildOptions
from kit.judge.ablation import Ablation, judge_ablation
from kit.plan.ablation import BLOCKS, REPEATS, explaining_plan
from kit.plan.model import ALTERNATING, EXPLAIN, Limits
from kit.plan.resources import ResourceRequest, Resources, resources
from kit.records.command import shown
from kit.records.session import Session
from kit.report.ablation import files
from kit.results import ABLATION, RUN_LOG
from kit.results.folder import open_results, remove_unfinished, write_sums
from kit.results.opened import open_begun, open_session
from kit.results.runlog import read_session
from kit.study.load import shipped_study
from kit.study.model import Study


@dataclass(frozen=True)
class Target:
    """The folder and study of an explanation (ablation), and the session it explains, if any."""

    folder: Path
    study: Study
    session: Path | None = None


def target(session: Path | None, out: Path, blocks: int | None, repeats: int | None) -> Target:
    """Return the folder and study in which to explain ``session``, or ``out`` without a session.

    Raises InputError for a session without a comparison, for a link in place of the folder, and
    for an explanation begun with other options (see ``check_there``).
    """
    folder = out if session is None else session / ABLATION
    if session is not None:
        explained = open_session(session)
        explained.session.must_compare()
        with open_results(session) as results:
            # Raises if the folder is a link: the explanation would be written elsewhere.
            results.holds_folder(ABLATION)
    there = begun(folder)
    if there:
        check_there(folder, blocks, repeats)
    if session is not None:
        return Target(folder, explained.study, session)
    return Target(folder, open_session(folder).study if there else shipped_study())


def explain(
    runtime: Runtime,
    target: Target,
    options: BuildOptions,
    blocks: int | None,
    repeats: int | None,
) -> Ablation | None:
    """Measure, judge and write an explanation (ablation), also into its session's report.

    Returns None if it has too few runs to judge. Raises as ``ablate`` does.
    """
    if target.session is not None:
        runtime.lock_results(target.session)
    ablate(runtime, target.study, options, target.folder, blocks, repeats)
    found = explanation(target.folder, target.study)
    if found is not None:
        write(target.folder, found)
        if target.session is not None:
            report(open_session(target.session))
    return found


def ablate(
    runtime: Runtime,
    study: Study,
    options: BuildOptions,
    folder: Path,
    blocks: int | None = None,
    repeats: int | None = None,
) -> Path:
    """Start the explaining session (ablation) in ``folder``, or resume it; return its folder.

    It takes CPUs and memory from the session in the parent folder, if there is one. ``blocks`` and
    ``repeats`` None: the plan's defaults. Raises InputError if the folder has an explanation with
    another plan, see ``check_there``.
    """
    if begun(folder):
        check_there(folder, blocks, repeats)
        return resume(runtime, open_begun(folder), options).folder
    blocks, repeats = blocks or BLOCKS, repeats or REPEATS
    now = check_quiet(runtime)
    limits = _limits_of_session(folder) or _limits(
        resources(runtime.engine.info(), now, ResourceRequest(), runtime.host.cores()), study
    )
    plan = explaining_plan(study, limits, secrets.randbelow(2**31), blocks, repeats)
    images, _ = build_images(runtime, study, options, plan.arms)
    command = f"kit ablate --blocks {blocks} --repeats {repeats}"
    header = new_header(runtime, plan, images, command)
    folder.mkdir(parents=True, exist_ok=True)
    log = begin(runtime, study, header, folder)
    run_plan(runtime, study, Session(header, ()), log, folder, images)
    return folder


def begun(folder: Path) -> bool:
    """Return whether an explaining session was begun in the folder, that is, has a log.

    Raises InputError if its log is not a regular file.
    """
    if not folder.exists():
        return False
    with open_results(folder) as results:
        return results.holds(RUN_LOG)


def check_there(folder: Path, blocks: int | None, repeats: int | None) -> None:
    """Raise InputError unless the folder's explanation has that many blocks and repeats.

    A resumed explanation follows its recorded plan: other numbers (None: no request) would have no
    effect.
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
    """Judge the explaining session in the folder; return its contrasts.

    None if it has too few runs. Raises InputError for a session that compares arms.
    """
    return judge_ablation(_explaining(folder), study)


def _explaining(folder: Path) -> Session:
    session = read_session(folder)
    if session.header.plan.purpose != EXPLAIN:
        raise InputError(
            f"{folder}: a session that compares, not one that explains",
            f"`{shown('ablate', folder)}` makes one in this folder",
        )
    return session


def write(folder: Path, found: Ablation) -> None:
    """Write the explanation as markdown and JSON next to its log, and the sums of all files.

    Removes the files that an interrupted write left there.
    """
    remove_unfinished(folder)
    write_tree(folder, files(found))
    write_sums(folder)


def _limits_of_session(folder: Path) -> Limits | None:
    """Return the limits of the alternating session in the parent folder, if there is one."""
    if not begun(folder.parent):
        return None
    plan = read_session(folder.parent).header.plan
    return plan.limits if plan.design == ALTERNATING else None


def _limits(have: Resources, study: Study) -> Limits:
    return Limits(have.cpuset, have.memory_bytes, study.protocol.run_timeout_s, have.halves)
