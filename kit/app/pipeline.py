"""The pipeline: study, images, plan, measurement, judgement, report."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import kit
from kit.app.images import build_images, builder, find_or_build
from kit.app.runner import run_to_end, unfinished
from kit.app.runtime import Runtime, check_quiet
from kit.app.session import Request, begin, check_out, check_shard, new_header, repeating
from kit.environment import load_matplotlib
from kit.errors import HostError, InputError, RunError, SameWorkError
from kit.files.write import write_tree
from kit.host.facts import local_host_id
from kit.host.gpu.preflight import check_gpu_arms, not_testable, refuse_other_gpu, testable_arms
from kit.images.build.arms import BuildOptions
from kit.images.stored import check_disk
from kit.judge.comparison import judge
from kit.measure.merge import executable_of, merge_shards
from kit.plan.budget import FIXED, LOOKS
from kit.plan.make import cuda_arms, make_plan
from kit.plan.model import SIZE, Plan
from kit.plan.resources import UNLIMITED, Resources, refuse_shortage, resources
from kit.plan.shard import refuse_empty
from kit.records.command import shown
from kit.records.gpu import GpuCheck
from kit.records.images import ArmImage
from kit.records.session import Session
from kit.report.build import build_report
from kit.report.files import report_files
from kit.report.model import ReportModel
from kit.results import REPORT, SBOMS, sbom_name
from kit.results.folder import open_results, remove_unfinished, write_sums
from kit.results.opened import Opened, open_session, save_snapshot
from kit.results.runlog import RunLog, drop_torn_line
from kit.study.model import CPU, Study


def reproduce(runtime: Runtime, study: Study, request: Request) -> Path:
    """Measure a new session; return the folder of its log, without a report.

    The plan needs no image and is made first, so that a lack of memory is refused before
    minutes are spent on building. It leaves out CUDA arms that cannot run here; no image is
    built for them.
    """
    check_shard(request)
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    now = check_quiet(runtime)
    have = resources(runtime.engine.info(), now, request.requested, runtime.host.cores())
    plan = _plan(study, request, request.arms, seed, have, request.gpu)
    gpu = _check_gpu(runtime, study, request, plan) if request.gpu else None
    if gpu is not None and gpu.untestable:
        plan = _plan(study, request, testable_arms(plan.arms, gpu), seed, have, False)
    refuse_empty(request.shard, plan.blocks)
    images, sboms = build_images(runtime, study, request.options, plan.arms)
    command = repeating(request, seed)
    header = new_header(runtime, plan, images, command, gpu, request.shard, sboms)
    folder = request.out / header.session_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise HostError(
            f"--out: {folder} cannot be made ({error.strerror})", "choose a writable --out"
        ) from error
    log = begin(runtime, study, header, folder, sboms)
    run_to_end(runtime, study, Session(header, ()), log, folder, images)
    return folder


def check_request(study: Study, request: Request) -> None:
    """Raise InputError for a request that no machine could serve, before starting anything."""
    check_shard(request)
    check_out(request, study)
    plan = _plan(study, request, request.arms, 0, UNLIMITED, request.gpu)
    if request.until != SIZE and plan.stopping is None:
        raise InputError(
            "--until: no look can end this session; its blocks are all made and judged once",
            "leave it out, or let a longer --budget alone decide the number of blocks",
        )
    refuse_empty(request.shard, plan.blocks)


def resume(runtime: Runtime, opened: Opened, options: BuildOptions) -> Opened:
    """Make the missing runs of a session's plan; return the session with them.

    Without missing runs it needs no image, GPU or quiet machine. Raises InputError if the kit,
    the GPU or the content of an image differs from the recorded one, HostError if the machine is
    busy or lacks resources that the plan's runs need.
    """
    folder = opened.folder
    runtime.lock_results(folder)
    opened = opened.again()  # another kit may have added runs before this one got the lock
    session, study = opened.session, opened.study
    header = session.header
    _refuse_changed("kit version", header.kit_version, kit.__version__)
    if not unfinished(session):
        drop_torn_line(folder)
        return opened.again()
    if header.gpu is not None:
        refuse_other_gpu(header.gpu, runtime.probe.look())
    available = check_quiet(runtime)
    refuse_shortage(header.plan, runtime.engine.info(), available)
    _name_other_machine(runtime, session)
    images = find_or_build(runtime, study, options, header.plan.arms)
    for arm, image in header.images.items():
        _refuse_other_image(runtime, image, images.arms[arm])
    drop_torn_line(folder)
    log = RunLog.reopen(folder)
    run_to_end(runtime, study, session, log, folder, images)
    return opened.again()


def merge(shards: Sequence[Opened], out: Path) -> Opened:
    """Write the shards of one plan as one session into ``out``, without a report; return it.

    Raises InputError for shards that cannot be merged, HostError if the write fails.
    """
    named = [(shard.folder, shard.session) for shard in shards]
    header, entries = merge_shards(named)
    executable = executable_of(named)
    first, study = shards[0].folder, shards[0].study
    for shard in shards:
        # Checked per shard: the merged session keeps only the first one's identity runs.
        if not all(part.same_work.held for part in judge(shard.session, study).comparisons):
            raise InputError(
                f"{shard.folder}: its arms did not do the same work",
                "see its report; measure that shard again",
            )
    folder = out / f"{header.session_id}-merged"
    with open_results(first) as results:
        names = [f"{SBOMS}/{sbom_name(arm)}" for arm in header.images]
        sboms = {name: results.read(name) for name in names if results.holds(name)}
    write_tree(folder, sboms)
    save_snapshot(study, folder)
    log = RunLog.create(folder, header)
    if executable is not None:
        log.add_executable(executable)
    log.add_entries(entries)
    return open_session(folder)


def report(opened: Opened) -> ReportModel:
    """Judge a session and write every report next to its log; return the report's model.

    Removes the files that an interrupted write left there.
    """
    load_matplotlib()
    folder, explanation = opened.folder, opened.explanation
    remove_unfinished(folder)
    model = build_report(opened.session, opened.study, explanation)
    write_tree(folder, report_files(model))
    write_sums(folder)
    return model


def check_outcome(model: ReportModel, folder: Path) -> None:
    """Raise SameWorkError, RunError or HostError if the reported session is not sound."""
    if not model.same_work_held:
        raise SameWorkError(
            "the arms did not do the same work",
            f"see the section on the same work in {folder / REPORT}",
        )
    failed = [failure for failure in model.failures if not failure.recovered]
    if failed:
        again = f"`{shown('reproduce', '--resume', folder)}` repeats them"
        if model.course is not None and model.course.ending is not None:
            again = "none is repeated, as the session's rule has ended it"
        raise RunError(
            f"{len(failed)} of the session's runs failed; the report leaves them out",
            f"see {folder / REPORT}; {again}",
        )
    if model.header.gpu is not None and model.header.gpu.problems:
        raise not_testable(model.header.gpu)


def _plan(
    study: Study, request: Request, arms: Sequence[str], seed: int, have: Resources, gpu: bool
) -> Plan:
    return make_plan(
        study, request.budget, arms, seed, have, gpu,
        design=request.design, blocks=request.blocks, until=request.until,
        sizing=LOOKS if request.shard is None else FIXED,
    )  # fmt: skip


def _check_gpu(runtime: Runtime, study: Study, request: Request, plan: Plan) -> GpuCheck:
    """Check whether the plan's CUDA arms can run, trying the engine with a CPU arm's image."""
    cuda = cuda_arms(study, plan.arms)
    arm = next((a.name for a in study.arms.values() if a.variant == CPU), plan.arms[0])
    with runtime.progress.phase("GPU") as phase:

        def image() -> str:
            check_disk(runtime.engine, runtime.free_disk, study, (arm,))
            built = builder(runtime, request.options, phase).build(study, (arm,))
            return built.arms[arm].image_id

        found = check_gpu_arms(
            runtime.engine, runtime.probe, request.gpu_device, plan.arms, cuda, image
        )
        for issue in (*found.problems, *found.warnings):
            phase.say(f"GPU: {issue.what}; {issue.remedy}")
    return found


def _name_other_machine(runtime: Runtime, session: Session) -> None:
    """Tell the user if the session began on another machine: kit does not compare the times."""
    before = {entry.machine for entry in session.entries}
    if before and local_host_id(runtime.engine.info()) not in before:
        with runtime.progress.phase("host") as phase:
            phase.say(
                "this is not the machine that the session began on, or its kernel was changed: "
                "a block with runs from before and after counts for nothing"
            )


def _refuse_other_image(runtime: Runtime, recorded: ArmImage, found: ArmImage) -> None:
    """Raise InputError unless the image has the recorded content, or else the recorded id.

    An image that was built again has another id.
    """
    if found.image_id != recorded.image_id and recorded.content_sha256:
        content = runtime.describe(found.image_id).content_sha256
        _refuse_changed(f"content of the image of {recorded.arm}", recorded.content_sha256, content)
    else:
        _refuse_changed(f"image of {recorded.arm}", recorded.image_id, found.image_id)


def _refuse_changed(what: str, recorded: str, found: str) -> None:
    if recorded != found:
        raise InputError(
            f"--resume: the {what} is not the recorded one ({recorded[:19]} was, {found[:19]} is)",
            "start a new session; what is measured by another one cannot be mixed in",
        )
