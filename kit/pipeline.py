"""The way data takes: study, images, plan, measure, judge, report."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import kit
from kit.engine.protocol import SESSION_LABEL, Engine
from kit.errors import HostError, InputError, KitError, RunError, SameWorkError
from kit.files import write_below, write_whole
from kit.gpu.facts import GpuCheck
from kit.gpu.probe import NvmlProbe, Probe
from kit.gpu.session import ask, not_testable, refuse_other_gpu, testable
from kit.images.build import Builder, Images, Options
from kit.images.describe import Description
from kit.images.fidelity import ArmImage
from kit.images.hostnet import HostNet
from kit.images.sbom import SBOMS, sbom_json, sbom_name
from kit.judge.pilot import fixed_plan
from kit.measure.device import GpuBench
from kit.measure.executable import ExecutableRun, run_executable
from kit.measure.execute import Bench, execute
from kit.measure.gather import gathered
from kit.measure.header import new_header
from kit.measure.host import Host, host_facts, machine_id
from kit.measure.runlog import NAME, RunLog, drop_torn_line, read_session
from kit.measure.session import Header, RunEntry, Session
from kit.pins.load import Pins
from kit.plan.make import cuda_arms, expected_seconds, make_plan
from kit.plan.model import SEQUENTIAL, Plan, PlannedRun
from kit.plan.resources import Resources, Wish, resources
from kit.plan.roles import MAIN
from kit.plan.shard import Shard, of_shard, parse_shard
from kit.progress import Progress
from kit.report.files import REPORT, SUMS, report_files, sums_of
from kit.report.model import ReportModel, build_report
from kit.report.outlook import outlook_lines
from kit.study.kept import keep_study, study_for
from kit.study.model import CPU, Arm, Study

BUSY_READINGS = 12
BUSY_NAMED, BUSY_REFUSED = 0.1, 0.8
"""Of all CPUs, used by others before a session: said, and refused."""
EXPLAINING = "explain"
"""The folder of a session beside another one, which it explains."""


@dataclass(frozen=True)
class World:
    """Everything outside the pure core. ``describe`` reads the image of an id.

    ``free_disk`` gives the free bytes at the engine's folder of that name, None
    where that cannot be told (a remote engine).
    """

    engine: Engine
    host: Host
    net: HostNet
    now: Callable[[], datetime]
    progress: Progress
    describe: Callable[[str], Description]
    free_disk: Callable[[str], int | None] = lambda _folder: None
    probe: Probe = field(default_factory=NvmlProbe)


@dataclass(frozen=True)
class Request:
    """What to reproduce, as asked for. ``seed`` None: one is drawn and recorded.

    ``gpu`` asks for the CUDA arms too, on ``gpu_device`` (index or UUID; "": any).
    """

    budget: str
    arms: tuple[str, ...]
    seed: int | None
    wish: Wish
    out: Path
    options: Options
    gpu: bool = False
    gpu_device: str = ""
    design: str = SEQUENTIAL
    blocks: int | None = None
    study: str = ""
    """The folder of the study as it was named; empty: the shipped one."""
    shard: Shard | None = None
    """The part of the plan to make; None: all of it."""
    noisy: bool = False
    """Go on though the machine is busy with something else."""


def reproduce(world: World, study: Study, pins: Pins, request: Request) -> Path:
    """Make a session from nothing; the folder of its log, not yet reported.

    The plan needs no image and is made first: what memory does not allow is
    refused before minutes are spent on building. CUDA arms that cannot be run here
    are left out of it; no image is built for them.
    """
    _check_shard(request)
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    now = check_quiet(world, request.noisy)
    have = resources(world.engine.info(), now, request.wish, world.host.cores())
    plan = _plan(study, request, request.arms, seed, have, request.gpu)
    gpu = _check_gpu(world, study, pins, request, plan) if request.gpu else None
    if gpu is not None and gpu.untestable:
        plan = _plan(study, request, testable(plan.arms, gpu), seed, have, False)
    images, sboms = build_images(world, study, pins, request.options, plan)
    header = new_header(
        world.now(), world.engine.info(), plan, images, repeating(request, seed), gpu,
        str(request.shard or ""),
    )  # fmt: skip
    folder = request.out / header.session_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise HostError(
            f"--out: {folder} cannot be made ({error.strerror})", "choose a writable --out"
        ) from error
    write_below(folder / SBOMS, sboms)
    keep_study(study, folder)
    log = RunLog.create(folder, header)
    _measure(world, study, Session(header, ()), log, folder, images.executable)
    return folder


def check_request(study: Study, request: Request) -> None:
    """Refuse a request that no machine could serve, before anything is started."""
    _check_shard(request)
    anything = Resources("0-1", 2**63, ("0", "1"))
    plan = _plan(study, request, request.arms, 0, anything, request.gpu)
    if request.shard is not None and plan.pilot:
        raise InputError(
            f"--shard: a pilot fixes the blocks of budget {request.budget} on one machine",
            "say how many there are with --blocks",
        )


def resume(world: World, study: Study, pins: Pins, folder: Path, options: Options) -> Path:
    """Continue a session's own plan, without the runs that are done.

    Raises InputError when the study, the kit, the GPU or an image is not the recorded one.
    """
    session = read_session(folder)
    header = session.header
    _refuse_changed("study", header.plan.study_sha256, study.sha256)
    _refuse_changed("kit version", header.kit_version, kit.__version__)
    if header.gpu is not None:
        refuse_other_gpu(header.gpu, world.probe.look())
    images = _build(world, study, pins, options, header.plan)
    for arm, image in header.images.items():
        _refuse_changed(f"image of {arm}", image.image_id, images.arms[arm].image_id)
    drop_torn_line(folder)
    log = RunLog.reopen(folder)
    _measure(world, study, session, log, folder, images.executable)
    return folder


def gather(shards: Sequence[Path], out: Path) -> tuple[Path, Study]:
    """Put shards into one session; its folder, not yet reported, and its study.

    Raises InputError for what cannot be gathered, HostError where it cannot be written.
    """
    named = [(folder, read_session(folder)) for folder in shards]
    header, entries = gathered(named)
    first, session = named[0]
    study = study_for(first, header.plan.study_sha256)
    folder = out / f"{header.session_id}-gathered"
    sboms = {p.name: p.read_bytes() for p in sorted((first / SBOMS).glob("*.json"))}
    write_below(folder / SBOMS, sboms)
    keep_study(study, folder)
    log = RunLog.create(folder, header)
    if session.executable is not None:
        log.add_executable(session.executable)
    log.add_entries(entries)
    return folder, study


def report(folder: Path, study: Study) -> ReportModel:
    """Judge a session's log and write every report beside it."""
    beside = folder / EXPLAINING
    explaining = read_session(beside) if (beside / NAME).exists() else None
    model = build_report(read_session(folder), study, explaining)
    write_below(folder, report_files(model))
    write_whole(folder / SUMS, sums_of(folder).encode())
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
    if model.header.gpu is not None and model.header.gpu.problems:
        raise not_testable(model.header.gpu)


def _check_shard(request: Request) -> None:
    if request.shard is not None and request.seed is None:
        raise InputError(
            "--shard: all shards must make one plan, and without --seed each draws its own",
            "give every shard the same --seed",
        )


def _plan(
    study: Study, request: Request, arms: Sequence[str], seed: int, have: Resources, gpu: bool
) -> Plan:
    return make_plan(
        study, request.budget, arms, seed, have, gpu,
        design=request.design, blocks=request.blocks,
    )  # fmt: skip


def check_quiet(world: World, noisy: bool) -> int:
    """Bytes of memory that are free. Refuses to begin on a machine that others keep busy."""
    cpus = world.engine.info().cpus
    # The quietest of several moments: one alone may be an engine's start or a cron job.
    now = world.host.read()
    for _ in range(BUSY_READINGS):
        if now.busy_cpus <= BUSY_NAMED * cpus:
            break
        now = min(now, world.host.read(), key=lambda reading: reading.busy_cpus)
    share = now.busy_cpus / max(cpus, 1)
    if share > BUSY_REFUSED and not noisy:
        raise HostError(
            f"the machine is busy: others use {now.busy_cpus:.1f} of {cpus} CPUs",
            "wait until it is quiet, or measure all the same with --noisy",
        )
    if share > BUSY_NAMED:
        with world.progress.phase("host") as phase:
            phase.say(
                f"the machine is not quiet: others use {now.busy_cpus:.1f} of {cpus} CPUs; "
                "runs under disturbance are flagged in the report"
            )
    return now.available_bytes


def _check_gpu(world: World, study: Study, pins: Pins, request: Request, plan: Plan) -> GpuCheck:
    """Whether the plan's CUDA arms can be run; the engine is tried with a CPU arm's image."""
    cuda = cuda_arms(study, plan.arms)
    arm = next((a.name for a in study.arms.values() if a.variant == CPU), plan.arms[0])
    with world.progress.phase("GPU") as phase:

        def image() -> str:
            _check_disk(world, study, (arm,))
            builder = Builder(world.engine, pins, world.net, request.options, phase.step)
            return builder.build(study, (arm,)).arms[arm].image_id

        found = ask(world.engine, world.probe, request.gpu_device, plan.arms, cuda, image)
        for finding in (*found.problems, *found.warnings):
            phase.say(f"GPU: {finding.what}; {finding.remedy}")
    return found


def build_images(
    world: World, study: Study, pins: Pins, options: Options, plan: Plan
) -> tuple[Images, Mapping[str, bytes]]:
    """The images of the plan's arms, described, and their bills of materials by file name."""
    return _described(world, _build(world, study, pins, options, plan))


def _build(world: World, study: Study, pins: Pins, options: Options, plan: Plan) -> Images:
    _check_disk(world, study, plan.arms)
    with world.progress.phase("images") as phase:
        builder = Builder(world.engine, pins, world.net, options, phase.step)
        return builder.build(study, plan.arms)


def _described(world: World, images: Images) -> tuple[Images, Mapping[str, bytes]]:
    """The images with their content digests, and a bill of materials for each arm."""
    arms = {}
    sboms = {}
    with world.progress.phase("content") as phase:
        for name, image in images.arms.items():
            phase.step(f"reading {image.reference}")
            found = world.describe(image.image_id)
            arms[name] = replace(image, content_sha256=found.content_sha256)
            sboms[sbom_name(name)] = sbom_json(image.reference, found.content_sha256, found.parts)
    return replace(images, arms=arms), sboms


def _check_disk(world: World, study: Study, arms: Sequence[str]) -> None:
    """Refuse before an image is begun that the disk cannot hold."""
    missing = dict.fromkeys(
        arm.variant
        for arm in (study.arms[name] for name in arms)
        if world.engine.find_image(_image_name(study, arm)) is None
    )
    needed = sum(study.protocol.disk_bytes[variant] for variant in missing)
    root = world.engine.info().root_dir
    free = world.free_disk(root)
    if free is not None and free < needed:
        raise HostError(
            f"disk: the {' and '.join(missing)} images need {needed / 1e9:.1f} GB, "
            f"{free / 1e9:.1f} GB are free at {root}",
            "free disk space there (`docker system prune` removes what is unused)",
        )


def _image_name(study: Study, arm: Arm) -> str:
    """What the arm's image is called, or the largest part of it."""
    name = f"python-{arm.variant}" if arm.recipe is None else f"{study.id}-{arm.name}"
    return f"kit/{name}:{kit.__version__}"


def _measure(
    world: World,
    study: Study,
    session: Session,
    log: RunLog,
    folder: Path,
    executable: ArmImage | None,
) -> None:
    """What is left of the plan; a pilot first says how much that is."""
    plan = session.header.plan
    if executable is not None and session.executable is None:
        with world.progress.phase("executable") as phase:
            phase.step("the executable on a Debian with nothing else")
            log.add_executable(_run_executable(world, study, session.header, executable))
    run_plan(world, study, session, log, folder)
    if plan.pilot and session.outlook is None:
        piloted = read_session(folder)
        fixed, found = fixed_plan(piloted, study)
        log.add_plan(fixed, asdict(found) if found is not None else {})
        with world.progress.phase("pilot") as phase:
            for line in outlook_lines(found):
                phase.say(line)
        run_plan(world, study, read_session(folder), log, folder)


def run_plan(world: World, study: Study, session: Session, log: RunLog, folder: Path) -> None:
    """Every run of the plan that the session lacks."""
    header = session.header
    done = {entry.run_id for entry in session.entries if entry.record is not None}
    bench = Bench(
        world.engine, world.host, header.images, header.session_id, _gpu_bench(world, header),
        machine_id(host_facts(world.engine.info())),
    )  # fmt: skip
    shard = parse_shard(header.shard) if header.shard else None
    others = {run.run_id for run in header.plan.runs} - {
        run.run_id for run in of_shard(header.plan.runs, shard)
    }
    left = [run for run in header.plan.runs if run.run_id not in done | others]
    if not left:
        return
    seconds = expected_seconds(study, left)
    with world.progress.phase("runs", total=len(left), expected_s=seconds, folder=folder) as phase:

        def before(run: PlannedRun) -> None:
            where = "identity" if run.block < 0 else f"block {run.block + 1}"
            phase.step(f"{where}: {run.arm}" + ("" if run.role == MAIN else f" ({run.role})"))

        def after(entry: RunEntry) -> None:
            phase.advance()
            if entry.failure:
                phase.say(f"{entry.run_id} failed: {entry.failure}\n{entry.log_tail}")

        try:
            execute(bench, study, header.plan, done | others, log, before, after)
        except BaseException:
            # An engine that is gone must not hide why the session ended.
            with suppress(KitError):
                world.engine.remove_by_label(SESSION_LABEL, header.session_id)
            raise


def _run_executable(world: World, study: Study, header: Header, image: ArmImage) -> ExecutableRun:
    arm = next(a for a in header.plan.arms if study.arms[a].stack == study.contender)
    return run_executable(world.engine, image, study, arm, header.plan.limits, header.session_id)


def _gpu_bench(world: World, header: Header) -> GpuBench | None:
    gpu = header.gpu
    if gpu is None or gpu.chosen is None or gpu.problems:
        return None
    return GpuBench(world.probe, gpu.chosen, gpu.request, gpu.first_start_s)


def repeating(request: Request, seed: int) -> str:
    """The command line that repeats this session."""
    words = ["kit reproduce", f"--budget {request.budget}", f"--seed {seed}"]
    if request.study:
        words.append(f"--study {shlex.quote(request.study)}")
    if request.design != SEQUENTIAL:
        words.append(f"--design {request.design}")
    if request.blocks is not None:
        words.append(f"--blocks {request.blocks}")
    if request.arms:
        words.append(f"--arms {','.join(request.arms)}")
    if request.gpu:
        words.append("--gpu")
    if request.gpu_device:
        words.append(f"--gpu-device {shlex.quote(request.gpu_device)}")
    if request.wish.cpus:
        words.append(f"--cpus {request.wish.cpus}")
    if request.wish.memory_bytes:
        words.append(f"--memory {request.wish.memory_bytes}")
    if request.options.nuget_source:
        words.append(f"--nuget-source {shlex.quote(request.options.nuget_source)}")
    words += [f"--mirror {mirror}" for mirror in request.options.mirrors]
    if request.options.strict:
        words.append("--strict")
    # Last, so that the command of the whole plan is what stands before it.
    if request.shard is not None:
        words.append(f"--shard {request.shard}")
    return " ".join(words)


def _refuse_changed(what: str, recorded: str, found: str) -> None:
    if recorded != found:
        raise InputError(
            f"--resume: the {what} is not the recorded one ({recorded[:19]} was, {found[:19]} is)",
            "start a new session; what is measured by another one cannot be mixed in",
        )
