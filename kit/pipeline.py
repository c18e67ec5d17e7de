"""The way data takes: study, images, plan, measure, judge, report."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import kit
from kit.engine.protocol import SESSION_LABEL, Engine
from kit.errors import HostError, InputError, KitError, RunError, SameWorkError
from kit.files import write_whole
from kit.images.build import Builder, Images, Options
from kit.images.hostnet import HostNet
from kit.measure.execute import Bench, execute
from kit.measure.host import Host, host_facts
from kit.measure.runlog import RunLog, drop_torn_line, read_session
from kit.measure.session import Header, RunEntry, Session
from kit.pins.load import Pins
from kit.plan.make import Resources, expected_seconds, make_plan, plan_sha256
from kit.plan.model import Plan, PlannedRun
from kit.plan.resources import Wish, resources
from kit.progress import Progress
from kit.report import markdown, results_json
from kit.report.model import ReportModel, build_report
from kit.study.model import Study

REPORT = "report.md"
RESULTS = "results.json"


@dataclass(frozen=True)
class World:
    """Everything outside the pure core.

    ``free_disk`` gives the free bytes at the engine's folder of that name, None
    where that cannot be told (a remote engine).
    """

    engine: Engine
    host: Host
    net: HostNet
    now: Callable[[], datetime]
    progress: Progress
    free_disk: Callable[[str], int | None] = lambda _folder: None


@dataclass(frozen=True)
class Request:
    """What to reproduce, as asked for. ``seed`` None: one is drawn and recorded."""

    budget: str
    arms: tuple[str, ...]
    seed: int | None
    wish: Wish
    out: Path
    options: Options


def reproduce(world: World, study: Study, pins: Pins, request: Request) -> Path:
    """Make a session from nothing; the folder of its log, not yet reported.

    The plan needs no image and is made first: what memory does not allow is
    refused before minutes are spent on building.
    """
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    have = resources(world.engine.info(), world.host.read().available_bytes, request.wish)
    plan = make_plan(study, request.budget, request.arms, seed, have)
    images = _build(world, study, pins, request.options, plan)
    header = _header(world, plan, images, _command(request, seed))
    folder = request.out / header.session_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise HostError(
            f"--out: {folder} cannot be made ({error.strerror})", "choose a writable --out"
        ) from error
    log = RunLog.create(folder, header)
    _measure(world, study, Session(header, ()), log, folder)
    return folder


def check_request(study: Study, request: Request) -> None:
    """Refuse a request that no machine could serve, before anything is started."""
    make_plan(study, request.budget, request.arms, 0, Resources("0", 2**63))


def resume(world: World, study: Study, pins: Pins, folder: Path, options: Options) -> Path:
    """Continue a session's own plan, without the runs that are done.

    Raises InputError when the study, the kit or an image is not the recorded one.
    """
    session = read_session(folder)
    header = session.header
    _refuse_changed("study", header.plan.study_sha256, study.sha256)
    _refuse_changed("kit version", header.kit_version, kit.__version__)
    images = _build(world, study, pins, options, header.plan)
    for arm, image in header.images.items():
        _refuse_changed(f"image of {arm}", image.image_id, images.arms[arm].image_id)
    drop_torn_line(folder)
    _measure(world, study, session, RunLog.reopen(folder), folder)
    return folder


def report(folder: Path, study: Study) -> ReportModel:
    """Judge a session's log and write every report beside it."""
    model = build_report(read_session(folder), study)
    write_whole(folder / REPORT, markdown.render(model).encode())
    write_whole(folder / RESULTS, results_json.dumps(model).encode())
    return model


def check_outcome(model: ReportModel, folder: Path) -> None:
    """Raise what a written report has to say against its own session, if anything."""
    if not model.same_work_held:
        raise SameWorkError(
            "the arms did not do the same work",
            f"see the section on the same work in {folder / REPORT}",
        )
    failed = [failure for failure in model.failures if not failure.mended]
    if failed:
        raise RunError(
            f"{len(failed)} of the session's runs failed; the report leaves them out",
            f"see {folder / REPORT}; `kit reproduce --resume {folder}` repeats them",
        )


def _build(world: World, study: Study, pins: Pins, options: Options, plan: Plan) -> Images:
    _check_disk(world, study)
    with world.progress.phase("images") as phase:
        builder = Builder(world.engine, pins, world.net, options, phase.step)
        return builder.build(study, plan.arms)


def _check_disk(world: World, study: Study) -> None:
    """Refuse before an image is begun that the disk cannot hold."""
    if world.engine.find_image(f"kit/python-cpu:{kit.__version__}") is not None:
        return
    root = world.engine.info().root_dir
    free = world.free_disk(root)
    if free is not None and free < study.protocol.disk_bytes:
        raise HostError(
            f"disk: the images need {study.protocol.disk_bytes / 1e9:.1f} GB, "
            f"{free / 1e9:.1f} GB are free at {root}",
            "free disk space there (`docker system prune` removes what is unused)",
        )


def _measure(world: World, study: Study, session: Session, log: RunLog, folder: Path) -> None:
    header = session.header
    done = {entry.run_id for entry in session.entries if entry.record is not None}
    bench = Bench(world.engine, world.host, header.images, header.session_id)
    left = [run for run in header.plan.runs if run.run_id not in done]
    seconds = expected_seconds(study, left)
    with world.progress.phase("runs", total=len(left), expected_s=seconds, folder=folder) as phase:

        def before(run: PlannedRun) -> None:
            where = "identity" if run.block < 0 else f"block {run.block + 1}/{header.plan.blocks}"
            phase.step(f"{where}: {run.arm}")

        def after(entry: RunEntry) -> None:
            phase.advance()
            if entry.failure:
                phase.say(f"{entry.run_id} failed: {entry.failure}\n{entry.log_tail}")

        try:
            execute(bench, study, header.plan, done, log, before, after)
        except BaseException:
            # An engine that is gone must not hide why the session ended.
            with suppress(KitError):
                world.engine.remove_by_label(SESSION_LABEL, header.session_id)
            raise


def _header(world: World, plan: Plan, images: Images, command: str) -> Header:
    now = world.now()
    return Header(
        session_id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        kit_version=kit.__version__,
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        command=command,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        images=images.arms,
        fidelity=images.fidelity,
        host=host_facts(world.engine.info()),
    )


def _command(request: Request, seed: int) -> str:
    """The command line that repeats this session."""
    words = ["kit reproduce", f"--budget {request.budget}", f"--seed {seed}"]
    if request.arms:
        words.append(f"--arms {','.join(request.arms)}")
    if request.wish.cpus:
        words.append(f"--cpus {request.wish.cpus}")
    if request.wish.memory_bytes:
        words.append(f"--memory {request.wish.memory_bytes}")
    if request.options.nuget_source:
        words.append(f"--nuget-source {shlex.quote(request.options.nuget_source)}")
    words += [f"--mirror {mirror}" for mirror in request.options.mirrors]
    if request.options.strict:
        words.append("--strict")
    return " ".join(words)


def _refuse_changed(what: str, recorded: str, found: str) -> None:
    if recorded != found:
        raise InputError(
            f"--resume: the {what} is not the recorded one ({recorded[:19]} was, {found[:19]} is)",
            "start a new session; what is measured by another one cannot be mixed in",
        )
