"""Explaining a difference: a session of its own, with one thing changed in each run."""

from __future__ import annotations

import secrets
from pathlib import Path

from kit.campaign import run_plan
from kit.errors import InputError
from kit.files import write_below, write_whole
from kit.images.build import Options
from kit.images.ready import build_images
from kit.judge.explain import Explanation
from kit.judge.explain import explain as judge
from kit.measure.header import new_header
from kit.measure.runlog import NAME, RunLog, read_session
from kit.measure.session import Session
from kit.pins.load import Pins
from kit.pipeline import resume
from kit.plan.explain import BLOCKS, REPEATS, explaining_plan
from kit.plan.model import EXPLAIN, SEQUENTIAL, Limits
from kit.plan.resources import Resources, Wish, resources
from kit.report.explanation import files
from kit.report.files import sums_of
from kit.results.folder import SUMS, open_results
from kit.study.kept import keep_study
from kit.study.model import Study
from kit.world import World, check_quiet


def explain(
    world: World,
    study: Study,
    pins: Pins,
    options: Options,
    folder: Path,
    blocks: int | None = None,
    repeats: int | None = None,
    noisy: bool = False,
) -> Path:
    """Make the explaining session in that folder, or go on with the one that is there.

    A session beside which it is made gives it its CPUs and memory. Returns its folder.
    Raises InputError where the one that is there was planned otherwise, see ``check_there``.
    """
    if begun(folder):
        check_there(folder, blocks, repeats)
        return resume(world, study, pins, folder, options, noisy)
    blocks, repeats = blocks or BLOCKS, repeats or REPEATS
    now = check_quiet(world, noisy)
    limits = _limits_beside(folder) or _limits(
        resources(world.engine.info(), now, Wish(), world.host.cores()), study
    )
    plan = explaining_plan(study, limits, secrets.randbelow(2**31), blocks, repeats)
    images, _ = build_images(world, study, pins, options, plan.arms)
    command = f"kit explain --blocks {blocks} --repeats {repeats}"
    header = new_header(world.now(), world.engine.info(), plan, images, command, None)
    folder.mkdir(parents=True, exist_ok=True)
    world.claim(folder)
    keep_study(study, folder)
    log = RunLog.create(folder, header)
    run_plan(world, study, Session(header, ()), log, folder, images)
    return folder


def begun(folder: Path) -> bool:
    """Whether a session is there. Raises InputError where something else has its log's name."""
    if not folder.exists():
        return False
    with open_results(folder) as results:
        return results.holds(NAME)


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


def explanation(folder: Path, study: Study) -> Explanation | None:
    """What the explaining session in that folder says. Raises InputError if it is none."""
    return judge(_explaining(folder), study)


def _explaining(folder: Path) -> Session:
    session = read_session(folder)
    if session.header.plan.purpose != EXPLAIN:
        raise InputError(
            f"{folder}: a session that compares, not one that explains",
            f"`kit explain {folder}` makes one beside it",
        )
    return session


def write(folder: Path, found: Explanation) -> None:
    """The explanation as markdown and JSON beside its log, and the sums of them all."""
    write_below(folder, files(found))
    write_whole(folder / SUMS, sums_of(folder))


def _limits_beside(folder: Path) -> Limits | None:
    """Those of the session that the explanation is made beside, if there is one."""
    if not begun(folder.parent):
        return None
    plan = read_session(folder.parent).header.plan
    return plan.limits if plan.design == SEQUENTIAL else None


def _limits(have: Resources, study: Study) -> Limits:
    return Limits(have.cpuset, have.memory_bytes, study.protocol.run_timeout_s, have.halves)
