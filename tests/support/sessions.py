"""Builder of made-up studies, records and sessions for tests.

Everything is plain values with defaults that describe a session in which both
arms did the same work on exact components; tests change what they are about::

    session = make_session({"python-cpu": [[1.9, 1.8]], "dotnet-cpu": [[1.8, 1.7]]})
    session = change_run(session, "t0-dotnet-cpu", record=None, failure="out of memory")
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console

import kit
from kit.plan.model import Limits, Note, Plan, PlannedRun
from kit.plan.shard import Shard
from kit.records.host import EngineFacts, HostConditions, HostFacts
from kit.records.images import ArmImage, Component
from kit.records.record import Device, Fit, Identity, Record
from kit.records.session import Header, MergedShard, RunEntry, Session
from kit.report import sections
from kit.report.model import ReportModel
from kit.report.plots import Plot
from kit.report.render import html, markdown
from kit.report.sections.top import show
from kit.study.model import (
    Arm,
    Claim,
    Cost,
    MemoryNeed,
    Paper,
    Protocol,
    Published,
    Range,
    SameWorkRules,
    Study,
    Tier,
    equality_band,
)

PYTHON, DOTNET = "python-cpu", "dotnet-cpu"
SITE = "/usr/local/lib/python3.8/site-packages"


def printed(model: ReportModel) -> str:
    """The head of a report, as a terminal of 80 columns without colour shows it."""
    written = io.StringIO()
    show(model, Console(file=written, width=80, color_system=None))
    return written.getvalue()


def report_md(model: ReportModel, plots: Sequence[Plot] = ()) -> str:
    """The report in markdown."""
    return markdown.render(sections.report(model, plots))


def report_html(model: ReportModel, plots: Sequence[Plot] = ()) -> str:
    """The report as a page."""
    return html.render(sections.report(model, plots))


def sha(text: str) -> str:
    """A hash that stands for that text."""
    return hashlib.sha256(text.encode()).hexdigest()


def make_study(**changes: Any) -> Study:
    """The shipped study's facts, by hand; ``changes`` are fields of Study."""
    study = Study(
        id="lee-moon-2022",
        title="Does C# train about 6 % faster than Python through Keras?",
        baseline="python",
        contender="dotnet",
        paper=Paper(
            citation="S. Lee and S.-H. Moon, 2022 (in Korean).",
            environment={"python": "Python 3.8.2", "dotnet": ".NET 5.0"},
            claimed=("python", "tensorflow", "dotnet", "binding", "data"),
            figures={
                "python": Published(
                    "figure 4", 1.8861079216, 2.3831362724, 1.9769130826, 39.538261652
                ),
                "dotnet": Published("figure 5", 1.7851021, 2.1111208, 1.85115588, 37.0231176),
            },
            last_epoch={"loss": Range(0.6622, 0.6890), "accuracy": Range(0.7592, 0.7777)},
            training_remark="With TensorFlow 2.10.1 a loss of up to 0.72 is known.",
        ),
        workload={"dataset": "fashion_mnist", "batch_size": 10000, "epochs": 5},
        arms={PYTHON: Arm(PYTHON, "python", "cpu"), DOTNET: Arm(DOTNET, "dotnet", "cpu")},
        protocol=Protocol(
            tiers={"quick": Tier("quick", 3, 5)},
            published_repeats=20,
            minimum_repeats=3,
            identity_seed=20220501,
            same_work=SameWorkRules(
                versions=("python", "tensorflow", "keras", "numpy"),
                checks=(
                    "data",
                    "tensors",
                    "model config",
                    "initial weights",
                    "loss trajectory",
                    "native libraries",
                    "wheels",
                ),
            ),
            run_timeout_s=1800.0,
            memory=MemoryNeed(2_500_000_000, 700_000_000),
            disk_bytes={"cpu": 8_000_000_000, "cuda": 10_000_000_000},
            cost=Cost(8.0, 3.0),
            env={"PYTHONHASHSEED": "0"},
            explain=("quiet", "terminal", "probe", "kept", "allocator"),
        ),
        claims=(
            make_claim("C1", "mean", 6.5, (3.0, 10.0), "C# is faster on the average fit"),
            make_claim("C2", "min", 4.3, (2.0, 8.0), "C# is faster on the fastest fit"),
            make_claim("C3", "max", 11.3, (5.5, 17.0), "C# is faster on the slowest fit"),
            make_claim("C4", "total", 6.3, (3.0, 10.0), "C# is faster over all fits together"),
        ),
        executable=(),
        training=(),
        consistency=(),
        sha256=sha("study"),
    )
    return replace(study, **changes)


def make_claim(
    name: str = "C1",
    statistic: str = "mean",
    gain: float = 6.5,
    band: tuple[float, float] = (3.0, 10.0),
    statement: str = "C# is faster on the average fit",
) -> Claim:
    """A claim in the study's form."""
    return Claim(name, statement, "section 3.2", statistic, gain, Range(*band))


def make_equal(
    percent: float = 5.0,
    name: str = "C1",
    statistic: str = "mean",
    statement: str = "Both take equal time on the average fit",
) -> Claim:
    """A claim of equality within a margin of so many percent."""
    return Claim(name, statement, "section 3.2", statistic, 0.0, equality_band(percent))


def make_fits(walls: Sequence[float], growth: int = 0, **changes: Any) -> tuple[Fit, ...]:
    """Fits of those wall seconds; resident memory grows by ``growth`` bytes a fit."""
    return tuple(
        replace(
            Fit(
                index=index,
                wall_ns=round(wall * 1e9),
                paper_clock_s=wall + 0.0001,
                user_ns=round(wall * 1.5e9),
                system_ns=round(wall * 0.2e9),
                minor_faults=1000 + index,
                rss_before_bytes=1_000_000_000 + index * growth,
                rss_after_bytes=1_000_000_000 + (index + 1) * growth,
                losses=(1.2, 0.9, 0.8, 0.7, 0.68 + index / 10000),
                accuracies=(0.5, 0.6, 0.7, 0.75, 0.765 + index / 10000),
            ),
            **changes,
        )
        for index, wall in enumerate(walls)
    )


def make_identity(arm: str, kind: str = "identity", **changes: Any) -> Identity:
    """Hashes of an arm that did the study's work; timed runs lack what they do not record."""
    full = kind == "identity"
    libraries = {
        "/usr/local/lib/libpython3.8.so.1.0": sha("libpython"),
        f"{SITE}/tensorflow/libtensorflow_framework.so.2": sha("tensorflow"),
        "/lib/x86_64-linux-gnu/libc.so.6": sha("libc"),
    }
    if arm.startswith("dotnet"):
        libraries["/usr/share/dotnet/shared/libcoreclr.so"] = sha("coreclr")
    identity = Identity(
        data={"train-images": sha("train"), "test-images": sha("test")},
        tensors={"x_train": sha("x"), "y_train": sha("y")},
        model_config=sha("model"),
        initial_weights=sha("weights") if full else None,
        libraries=libraries if full else {},
        wheels={"numpy": "ok", "tensorflow-cpu": "ok"} if full else {},
    )
    return replace(identity, **changes)


def make_device(arm: str, kind: str = "timed") -> Device:
    """Where an arm's work is done as it should be."""
    deep = kind == "identity"
    if arm.endswith("cuda"):
        return Device("gpu", "Example GPU", {"GPU": 150, "CPU": 14} if deep else {}, 400_000_000)
    return Device("cpu", "", {"CPU": 164} if deep else {}, None)


def make_record(
    run_id: str, arm: str, kind: str = "timed", walls: Sequence[float] = (1.9,), **changes: Any
) -> Record:
    """A record of a run; ``changes`` are fields of Record."""
    dotnet = arm.startswith("dotnet")
    record = Record(
        run_id=run_id,
        arm=arm,
        kind=kind,
        spec_sha256=sha("spec"),
        versions={
            "python": "3.8.20",
            "tensorflow": "2.10.1",
            "keras": "2.10.0",
            "numpy": "1.24.4",
            "runtime": ".NET Core 3.1.32" if dotnet else "CPython 3.8.20",
            "binding": "pythonnet 3.0.5" if dotnet else "none",
            "os": "Debian GNU/Linux 12",
        },
        identity=make_identity(arm, kind),
        clock_name="Stopwatch" if dotnet else "perf_counter_ns",
        clock_resolution_ns=1.0,
        device=make_device(arm, kind),
        fits=make_fits(walls, growth=600_000_000 if dotnet else 5_000_000),
    )
    return replace(record, **changes)


def make_fidelity(*substituted: str) -> tuple[Component, ...]:
    """A row a component, exact but for the named ones; the operating system never is."""
    wanted = {
        "python": "Python 3.8.2",
        "tensorflow": "TensorFlow (version not stated)",
        "dotnet": ".NET 5.0",
        "binding": "Keras.NET (version not stated)",
        "data": "Fashion-MNIST",
    }
    rows = [
        Component(n, w, "another" if n in substituted else w, n not in substituted,
                  "not available" if n in substituted else "as wanted")
        for n, w in wanted.items()
    ]  # fmt: skip
    rows.append(
        Component("operating system", "not stated, probably Windows", "Debian 12", False,
                  "a Linux container never is the paper's system")
    )  # fmt: skip
    return tuple(rows)


def make_plan(arms: Sequence[str], blocks: int, repeats: int, notes: Sequence[Note] = ()) -> Plan:
    """Identity runs, then blocks whose order of arms alternates."""
    runs = [
        PlannedRun(f"i-{arm}", -1, position, arm, "identity", 2, 20220501)
        for position, arm in enumerate(arms)
    ]
    for block in range(blocks):
        order = list(arms) if block % 2 == 0 else list(reversed(arms))
        runs += [
            PlannedRun(f"t{block}-{arm}", block, position, arm, "timed", repeats, None)
            for position, arm in enumerate(order)
        ]
    return Plan(
        study_id="lee-moon-2022",
        study_sha256=sha("study"),
        tier="quick",
        seed=1,
        arms=tuple(arms),
        blocks=blocks,
        repeats=repeats,
        limits=Limits("0-1", 6_000_000_000, 1800.0),
        runs=tuple(runs),
        notes=tuple(notes),
    )


def make_entry(run: PlannedRun, walls: Sequence[float], **changes: Any) -> RunEntry:
    """A good run of that plan line."""
    entry = RunEntry(
        run_id=run.run_id,
        block=run.block,
        position=run.position,
        arm=run.arm,
        kind=run.kind,
        image_id=f"sha256:{sha('image ' + run.arm)}",
        started_at="2026-01-02T03:04:05Z",
        finished_at="2026-01-02T03:04:25Z",
        exit_code=0,
        failure=None,
        log_tail="",
        host=HostConditions(0.5, 1.5, 12_000_000_000, 3),
        record=make_record(run.run_id, run.arm, run.kind, walls),
    )
    return replace(entry, **changes)


def make_merged(number: int, of: int, **changes: Any) -> MergedShard:
    """One of so many shards of a merged session."""
    made = MergedShard(
        Shard(number, of),
        f"session-{number}",
        "Example CPU",
        4,
        "0-3",
        6_000_000_000,
        "",
        (),
        False,
        {},
    )
    return replace(made, **changes)


def make_session(
    times: Mapping[str, Sequence[Sequence[float]]],
    fidelity: Sequence[Component] | None = None,
    torn: bool = False,
) -> Session:
    """A session: per arm, per block, the wall seconds of that run's fits."""
    arms = list(times)
    blocks = max(len(runs) for runs in times.values())
    repeats = len(next(iter(times.values()))[0])
    plan = make_plan(arms, blocks, repeats)
    entries = [
        make_entry(run, (1.9, 1.8) if run.kind == "identity" else times[run.arm][run.block])
        for run in plan.runs
        if run.kind == "identity" or run.block < len(times[run.arm])
    ]
    header = Header(
        session_id="20260102-030405-abcd",
        kit_version=kit.__version__,
        created="2026-01-02T03:04:00Z",
        command="kit reproduce --budget quick --seed 1",
        plan=plan,
        plan_sha256=sha("plan"),
        images={
            arm: ArmImage(arm, f"kit/{arm}:abc", f"sha256:{sha('image ' + arm)}", 1_300_000_000)
            for arm in arms
        },
        fidelity=tuple(make_fidelity() if fidelity is None else fidelity),
        host=HostFacts(
            cpu_model="Example CPU",
            cpus=2,
            governor="",
            memory_bytes=16_000_000_000,
            kernel="6.1.0",
            operating_system="Debian GNU/Linux 12",
            virtualization="kvm",
            engine=EngineFacts("Docker", "24.0.5", "", ""),
            cgroup_version="2",
        ),
    )
    return Session(header, tuple(entries), torn)


def paired(
    ratios: Sequence[float], fits: int = 5, base: float = 1.8
) -> dict[str, list[list[float]]]:
    """Times with exactly those ratios python/dotnet, one a block, in every statistic."""
    shape = [1.2, *(1.0 + 0.01 * i for i in range(fits - 1))][:fits]
    drift = [1.0 + 0.02 * block for block in range(len(ratios))]
    dotnet = [[base * d * s for s in shape] for d in drift]
    python = [[t * r for t in run] for r, run in zip(ratios, dotnet, strict=True)]
    return {PYTHON: python, DOTNET: dotnet}


def run_named(session: Session, run_id: str) -> RunEntry:
    """That entry of the session."""
    return next(entry for entry in session.entries if entry.run_id == run_id)


def change_run(session: Session, run_id: str, **changes: Any) -> Session:
    """The session with fields of one entry changed."""
    assert any(e.run_id == run_id for e in session.entries), run_id
    entries = tuple(replace(e, **changes) if e.run_id == run_id else e for e in session.entries)
    return replace(session, entries=entries)


def change_record(session: Session, run_id: str, **changes: Any) -> Session:
    """The session with fields of one record changed."""
    record = next(e.record for e in session.entries if e.run_id == run_id)
    assert record is not None
    return change_run(session, run_id, record=replace(record, **changes))


def change_identity(session: Session, run_id: str, **changes: Any) -> Session:
    """The session with fields of one record's identity changed."""
    record = next(e.record for e in session.entries if e.run_id == run_id)
    assert record is not None
    return change_record(session, run_id, identity=replace(record.identity, **changes))


def fail_run(session: Session, run_id: str, failure: str = "exit code 1", log: str = "") -> Session:
    """The session with one run failed."""
    return change_run(session, run_id, record=None, failure=failure, exit_code=1, log_tail=log)


def with_role(
    session: Session, role: str, ratios: Sequence[float], arm: str = PYTHON, pair: int | None = None
) -> Session:
    """The session with one more run a block, so many times as slow as the arm's main run."""
    plan = session.header.plan
    runs, entries = list(plan.runs), list(session.entries)
    for block, ratio in enumerate(ratios):
        main = next(e for e in entries if e.block == block and e.arm == arm and e.role == "main")
        assert main.record is not None
        walls = [fit.wall_ns / 1e9 * ratio for fit in main.record.fits]
        run = PlannedRun(
            f"t{block}-{arm}-{role}", block, 2, arm, "timed", len(walls), None, role, pair
        )
        runs.append(run)
        entries.append(make_entry(run, walls, role=role, pair=pair))
    changed = replace(plan, runs=tuple(runs), roles=(*plan.roles, role))
    return replace(session, header=replace(session.header, plan=changed), entries=tuple(entries))
