"""Execution of a plan: run what is left of it on the engine and append to the run log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.filesize import decimal

from kit.engine.protocol import SESSION_LABEL, Engine, RunOutcome, RunRequest
from kit.errors import RunError
from kit.host.facts import Host, conditions_between
from kit.host.gpu.probe import Watch
from kit.measure.device import GpuAssignment, device_mismatch
from kit.plan.blocks import steps_of
from kit.plan.model import IDENTITY, Limits, Plan, PlannedRun
from kit.plan.resources import cpus_of
from kit.plan.roles import role_of
from kit.plan.spec import spec_json
from kit.records.gpu import GpuTelemetry
from kit.records.host import HostConditions
from kit.records.images import ArmImage
from kit.records.record import Record, parse_record
from kit.records.session import RunEntry
from kit.results.runlog import RunLog
from kit.study.model import CUDA, Study, Variant

RECORD_FILE = "record.json"
LOG_TAIL_CHARACTERS = 4000
FAILURES_IN_A_ROW = 2
THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
"""Environment variables for the number of threads, of OpenMP and of TensorFlow.

TensorFlow's would belong in its study, but a study's ``env`` holds fixed strings, and the
number depends on a run's CPUs. A changed study would also not match any session recorded
so far.
"""

OnRun = Callable[[PlannedRun], None]
OnDone = Callable[[RunEntry], None]


@dataclass(frozen=True)
class RunContext:
    """The engine, host and images of a session's runs. ``machine`` is the host's id."""

    engine: Engine
    host: Host
    images: Mapping[str, ArmImage]
    session_id: str
    gpu: GpuAssignment | None = None
    """GPU of the CUDA arms; None for a plan without them."""
    machine: str = ""
    cpus: int | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    """Ids of images with the same content to use instead of those in ``images``, by arm."""


def execute(
    context: RunContext,
    study: Study,
    plan: Plan,
    done: Collection[str],
    log: RunLog,
    before: OnRun,
    after: OnDone,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Make every run of the plan that is not done, and log each.

    Before each step ``goes_on`` is asked whether the session does; if not, no further run is made.
    The two runs of a duet start together; if one is not done, both are made again. A failed
    timed run, or one whose container could not be started, is logged and the session goes on.
    Raises RunError, after logging the run, when an identity run fails or an arm fails twice
    in a row: further runs would not help. Raises HostError when the engine is unreachable;
    no run is logged as failed for that.
    """
    failures = dict.fromkeys(plan.arms, 0)
    for together in steps_of(plan.runs):
        if all(run.run_id in done for run in together):
            continue
        if not goes_on():
            return
        for run in together:
            before(run)
        for run, entry in zip(together, _measure(context, study, plan, together, log), strict=True):
            after(entry)
            failures[run.arm] = failures[run.arm] + 1 if entry.failure else 0
            if entry.failure and (run.kind == IDENTITY or failures[run.arm] >= FAILURES_IN_A_ROW):
                raise RunError(
                    f"run {run.run_id}: {entry.failure}",
                    "see the end of its output above and in the run log; then go on (see --resume)",
                )


def _measure(
    context: RunContext, study: Study, plan: Plan, together: tuple[PlannedRun, ...], log: RunLog
) -> list[RunEntry]:
    """Run these concurrently, read the host before and after, and log each."""
    requests = [_request(context, study, plan.limits, run) for run in together]
    variant = study.arms[together[0].arm].variant
    others = context.engine.info().containers_running
    before = context.host.read()
    with _watch(context, variant) as watch:
        outcomes = _run_all(context, requests)
    after = context.host.read()
    conditions = conditions_between(before, after, others)
    telemetry = watch.telemetry() if watch is not None else None
    entries = []
    for run, request, outcome in zip(together, requests, outcomes, strict=True):
        record, document, failure = _judge_outcome(run, outcome, request, variant)
        entry = _entry(context, run, outcome, conditions, record, failure, telemetry)
        log.add(entry, document)
        entries.append(entry)
    return entries


def _run_all(context: RunContext, requests: list[RunRequest]) -> list[RunOutcome]:
    if len(requests) == 1:
        return [_run(context.engine, requests[0])]
    with ThreadPoolExecutor(len(requests)) as pool:
        started = [pool.submit(_run, context.engine, request) for request in requests]
        try:
            return [each.result() for each in started]
        except BaseException:
            # Otherwise leaving the pool would wait until the other container ends.
            context.engine.remove_by_label(SESSION_LABEL, context.session_id)
            raise


def _run(engine: Engine, request: RunRequest) -> RunOutcome:
    """Run the request; if its container cannot start, return no times and no exit code."""
    try:
        return engine.run(request)
    except RunError as error:
        return RunOutcome(
            exit_code=None,
            oom_killed=False,
            timed_out=False,
            started_at="",
            finished_at="",
            logs="",
            files={},
            broken=error.problem,
        )


def _watch(context: RunContext, variant: Variant) -> AbstractContextManager[Watch | None]:
    if variant != CUDA or context.gpu is None:
        return nullcontext()
    return Watch(context.gpu.probe, context.gpu.uuid)


def _request(context: RunContext, study: Study, limits: Limits, run: PlannedRun) -> RunRequest:
    role = role_of(run.role)
    cpuset = run.cpuset or limits.cpuset
    request = RunRequest(
        image=context.found.get(run.arm, context.images[run.arm].image_id),
        env={
            **study.protocol.env,
            **_threads(cpuset),
            **role.env,
            "KIT_SPEC": spec_json(run, study),
        },
        cpuset=cpuset,
        memory_bytes=limits.memory_bytes,
        timeout_s=limits.timeout_s,
        terminal=role.terminal,
        labels={SESSION_LABEL: context.session_id},
    )
    if study.arms[run.arm].variant != CUDA or context.gpu is None:
        return request
    return context.gpu.added_to(request, first=run.kind == IDENTITY)


def _threads(cpuset: str) -> dict[str, str]:
    """Return variables that set one thread per CPU in every library that reads its own."""
    return dict.fromkeys(THREAD_VARIABLES, str(len(cpus_of(cpuset))))


def _judge_outcome(
    run: PlannedRun, outcome: RunOutcome, request: RunRequest, variant: Variant
) -> tuple[Record | None, Mapping[str, Any] | None, str | None]:
    """Return the record, typed and as written, or how the run failed."""
    # A changed limit may be why memory or time ran out.
    failure = _limited(outcome) or _failure(outcome, request)
    if failure:
        return None, None, failure
    text = outcome.files[RECORD_FILE]
    try:
        record = parse_record(text, f"run {run.run_id}")
    except RunError as error:
        return None, None, error.problem
    failure = _mismatch(run, record, request.env["KIT_SPEC"]) or device_mismatch(variant, record)
    if failure:
        return None, None, failure
    return record, json.loads(text), None


def _limited(outcome: RunOutcome) -> str:
    each = (f"{limit.name} from {limit.asked} to {limit.found}" for limit in outcome.changed)
    named = ", ".join(each)
    return f"another program changed the container's limits: {named}" if named else ""


def _failure(outcome: RunOutcome, request: RunRequest) -> str | None:
    if outcome.oom_killed:
        return f"out of memory at the limit of {decimal(request.memory_bytes or 0)}"
    if outcome.timed_out:
        return f"not done within {request.timeout_s:g} s"
    if outcome.broken and not outcome.exit_code:
        return outcome.broken
    if outcome.exit_code != 0:
        return f"the program ended with exit code {outcome.exit_code}"
    if RECORD_FILE not in outcome.files:
        return "the program wrote no record"
    return None


def _mismatch(run: PlannedRun, record: Record, spec: str) -> str | None:
    """Return why the record does not match the run and its spec; None if it does."""
    wanted = {
        "run_id": run.run_id,
        "arm": run.arm,
        "kind": run.kind,
        "spec_sha256": hashlib.sha256(spec.encode()).hexdigest(),
    }
    for name, value in wanted.items():
        if getattr(record, name) != value:
            return f"the record's {name} is {getattr(record, name)!r}, not {value!r}"
    if len(record.fits) != run.repeats:
        return f"the record holds {len(record.fits)} fits, not {run.repeats}"
    return None


def _entry(
    context: RunContext,
    run: PlannedRun,
    outcome: RunOutcome,
    conditions: HostConditions,
    record: Record | None,
    failure: str | None,
    gpu: GpuTelemetry | None,
) -> RunEntry:
    return RunEntry(
        run_id=run.run_id,
        block=run.block,
        position=run.position,
        arm=run.arm,
        kind=run.kind,
        image_id=context.images[run.arm].image_id,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        exit_code=outcome.exit_code,
        failure=failure,
        log_tail=outcome.logs[-LOG_TAIL_CHARACTERS:] if failure else "",
        host=conditions,
        record=record,
        gpu=gpu,
        role=run.role,
        pair=run.pair,
        machine=context.machine,
        cpus=context.cpus,
    )
