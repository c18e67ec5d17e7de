"""Measuring a complete plan: the executable, the pilot, then the blocks that it fixed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from kit.app.runtime import Runtime
from kit.engine.protocol import SESSION_LABEL, Engine, RunRequest
from kit.errors import KitError, RunError
from kit.host.facts import host_facts, local_host_id
from kit.images.build.arms import Images
from kit.judge.pilot import fixed_plan, spent_seconds
from kit.judge.stop import look, look_due
from kit.measure.device import GpuAssignment
from kit.measure.execute import RunContext, execute
from kit.plan.make import expected_seconds
from kit.plan.model import COMPARE, IDENTITY, Limits, Plan, PlannedRun
from kit.plan.roles import MAIN
from kit.plan.spec import spec_json
from kit.records.command import shown
from kit.records.images import KINDS, ArmImage, ExecutableRun
from kit.records.record import parse_record
from kit.records.session import Header, RunEntry, Session
from kit.report.looks import look_line
from kit.report.sample_size import pilot_lines
from kit.results.runlog import RunLog
from kit.study.model import CPU, Study, by_stack_and_variant

RUN_ID = "executable"
_FOLDER = "/opt/kit/executable"
# Exit codes that the program sets: managed code ran. See images/dotnet/Program.cs.
_PROGRAMS_OWN = frozenset({0, 64, 69, 70})
_MISSING = re.compile(r"^missing: (.+)$", re.MULTILINE)
_LOG_CHARACTERS = 2000
# One stream: engines do not order a container's standard output against its standard error.
_COMMAND = f"exec 2>&1; cat {_FOLDER}/KIND; exec {_FOLDER}/Workload"


def run_to_end(
    runtime: Runtime,
    study: Study,
    session: Session,
    log: RunLog,
    folder: Path,
    images: Images,
) -> None:
    """Run the remaining plan. With a pilot, run it first and fix the number of blocks.

    ``images`` are those found now. The log names the recorded ones, which have equal content.
    """
    plan = session.header.plan
    # Ablation sessions skip the executable; the session that they explain tests it.
    executable = images.executable if plan.purpose == COMPARE else None
    if executable is not None and session.executable is None:
        with runtime.progress.phase("executable") as phase:
            phase.step("the executable on a Debian with nothing else")
            arm, session_id = _contender(study, plan), session.header.session_id
            log.add_executable(
                run_executable(runtime.engine, executable, study, arm, plan.limits, session_id)
            )
    session = run_plan(runtime, study, session, log, folder, images)
    if plan.pilot and session.outlook is None:
        fixed, found = fixed_plan(session, study)
        outlook = asdict(found) if found is not None else {}
        log.add_plan(fixed, outlook, session.header.form)
        with runtime.progress.phase("pilot") as phase:
            for line in pilot_lines(found, fixed.stopping is not None):
                phase.say(line)
        run_plan(runtime, study, session.with_plan(fixed, outlook), log, folder, images)


def unfinished(session: Session) -> bool:
    """Return whether the plan has runs to make, now or after its pilot fixed the number."""
    header = session.header
    untested = header.executable and session.executable is None
    piloting = header.plan.pilot > 0 and session.outlook is None
    return untested or piloting or look_due(session) or bool(session.missing_runs())


def run_plan(
    runtime: Runtime, study: Study, session: Session, log: RunLog, folder: Path, images: Images
) -> Session:
    """Make every run of the plan that the session lacks, in the images found now.

    Return the session with them and with the looks at it.
    """
    header = session.header
    found = {arm: image.image_id for arm, image in images.arms.items()}
    engine = runtime.engine.info()
    context = RunContext(
        runtime.engine, runtime.host, header.images, header.session_id,
        _gpu_assignment(runtime, header), local_host_id(engine), host_facts(engine).cpus, found,
    )  # fmt: skip
    left = session.missing_runs()
    if not left and not look_due(session):
        return session
    others = {run.run_id for run in header.plan.runs} - {run.run_id for run in left}
    expected_s = expected_seconds(study, (*left, *_runs_to_come(session, left)))
    resume = shown("reproduce", "--resume", folder)
    go_on = resume if header.plan.purpose == COMPARE else "repeat the command"
    with runtime.progress.phase("runs", expected_s, go_on) as phase:
        limit_s = _limit_s(session)
        phase.may_end(_fewest(session, left), limit_s)

        def before(run: PlannedRun) -> None:
            where = "identity" if run.block < 0 else f"block {run.block + 1}"
            phase.step(f"{where}: {run.arm}" + ("" if run.role == MAIN else f" ({run.role})"))

        state = [session]

        def goes_on() -> bool:
            """Look at the session if its rule asks for it; return whether it goes on."""
            if look_due(state[0]):
                found = look(state[0], study)
                log.add_look(found)
                state[0] = replace(state[0], looks=(*state[0].looks, found))
                phase.say(look_line(found, header.plan))
                phase.may_end(_fewest(state[0], left), limit_s)
            return state[0].ending is None

        def after(entry: RunEntry) -> None:
            state[0] = replace(state[0], entries=(*state[0].entries, entry))
            phase.advance()
            if entry.failure:
                phase.say(f"{entry.run_id} failed: {entry.failure}\n{entry.log_tail}")

        try:
            execute(context, study, header.plan, others, log, before, after, goes_on)
            goes_on()
        except BaseException:
            # An unreachable engine must not hide why the session ended.
            with suppress(KitError):
                runtime.engine.remove_by_label(SESSION_LABEL, header.session_id)
            raise
    return state[0]


def _fewest(session: Session, left: Sequence[PlannedRun]) -> int:
    """Return how many of the runs that were left at the start are made at least.

    These are all, or with a stopping rule those up to the next look.
    """
    plan = session.header.plan
    if plan.looks is None:
        return len(left)
    looked = session.looks[-1].blocks if session.looks else 0
    end = plan.first_judged + max(plan.looks.first, looked + 1)
    return sum(run.block < end for run in left)


def _limit_s(session: Session) -> float:
    """Return how many more seconds the session's rule allows; infinite without such a rule."""
    rule = session.header.plan.stopping
    if rule is None or rule.minutes is None:
        return math.inf
    return max(60 * rule.minutes - spent_seconds(session), 0.0)


def _runs_to_come(session: Session, left: Sequence[PlannedRun]) -> tuple[PlannedRun, ...]:
    """Return runs like those that a pilot may plan at most; none without a pilot."""
    plan = session.header.plan
    if not plan.pilot or session.outlook is not None or plan.bounds is None:
        return ()
    last = [run for run in left if run.block == left[-1].block]
    return tuple(last) * plan.bounds.blocks


def run_executable(
    engine: Engine, image: ArmImage, study: Study, arm: str, limits: Limits, session_id: str
) -> ExecutableRun:
    """Run the published executable on its Debian image, with an identity run's spec for that arm.

    Returns what happened. Raises RunError only if the container could not be started: a program
    that fails is a result.
    """
    planned = PlannedRun(RUN_ID, -1, 0, arm, IDENTITY, 1, study.protocol.identity_seed)
    outcome = engine.run(
        RunRequest(
            image=image.image_id,
            command=("sh", "-c", _COMMAND),
            env={**study.protocol.env, "KIT_SPEC": spec_json(planned, study)},
            cpuset=limits.cpuset,
            memory_bytes=limits.memory_bytes,
            timeout_s=limits.timeout_s,
            labels={SESSION_LABEL: session_id},
        )
    )
    kind, _, output = outcome.logs.partition("\n")
    found = _MISSING.search(output)
    return ExecutableRun(
        reference=image.reference,
        image_id=image.image_id,
        size_bytes=image.size_bytes,
        kind=kind if kind in KINDS else "",
        started=outcome.exit_code in _PROGRAMS_OWN,
        trained=outcome.exit_code == 0 and _is_record(outcome.files.get("record.json", b"")),
        missing=found[1].strip() if found else "",
        exit_code=outcome.exit_code,
        output=output[-_LOG_CHARACTERS:],
    )


def _contender(study: Study, plan: Plan) -> str:
    # The executable is built on the CPU image, regardless of the order of the arms.
    arms = by_stack_and_variant((study.arms[name] for name in plan.arms), "the plan")
    return arms[study.contender, CPU].name


def _gpu_assignment(runtime: Runtime, header: Header) -> GpuAssignment | None:
    gpu = header.gpu
    if gpu is None or gpu.chosen is None or gpu.problems:
        return None
    return GpuAssignment(runtime.probe, gpu.chosen, gpu.request, gpu.first_start_s)


def _is_record(content: bytes) -> bool:
    try:
        parse_record(content, RUN_ID)
    except RunError:
        return False
    return True
