"""What a report tells the reader to do next, by what the verdict leaves open."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.sessions import (
    change_identity,
    change_record,
    make_fidelity,
    make_session,
    make_study,
    paired,
    sha,
    with_role,
)

from kit.report.build import build_report
from kit.report.model import ReportModel
from kit.report.next_step import next_step
from kit.study.load import shipped_study

NOISY = [1.2, 0.9, 1.1, 0.95, 1.3]
CLOSE = [1.068, 1.072, 1.06]


def model_of(ratios: list[float], *substituted: str) -> ReportModel:
    held = [row for row in make_fidelity(*substituted) if row.name != "operating system"]
    return build_report(make_session(paired(ratios), held), shipped_study())


def test_a_settled_verdict_without_substitutes_leaves_nothing_to_do() -> None:
    model = model_of([1.068, 1.0681, 1.0679, 1.068] * 3)
    assert model.lead is not None and model.lead.still_open is None
    assert next_step(model) is None


def test_substitutes_are_named_by_a_strict_session() -> None:
    step = next_step(model_of([1.068, 1.0681, 1.0679, 1.068] * 3, "python", "binding"))
    assert step is not None
    assert step.command == "kit reproduce --budget quick --strict"
    assert "python and binding" in step.purpose


@pytest.mark.parametrize(
    "ratios, command, blocks",
    [
        ([1.10, 1.04, 1.12, 1.01], "--budget standard", 25),
        ([1.15, 1.0, 1.18, 0.97], "--budget full", 45),
        ([1.25, 0.95, 1.2, 0.9], "--budget full --blocks 71", None),
    ],
)
def test_the_smallest_budget_that_suffices_is_named_with_its_blocks(
    ratios: list[float], command: str, blocks: int | None
) -> None:
    model = model_of(ratios)
    step = next_step(model)
    assert model.lead is not None and model.lead.still_open is not None and step is not None
    assert step.command.startswith(f"kit reproduce {command}")
    needed = model.lead.still_open.blocks
    assert needed is not None
    assert f"at most {blocks or needed} blocks" in step.purpose
    assert "8 of 10" in step.purpose and "seed" not in step.command


def test_minutes_are_those_of_this_session_with_the_fits_and_controls_of_the_other() -> None:
    model = model_of([1.10, 1.04, 1.12, 1.01])
    fit = 2.0
    times = {"started_at": "2026-01-02T03:04:00+00:00", "finished_at": "2026-01-02T03:04:30+00:00"}
    assert all(run.statistics is not None for run in model.raw)
    raw = tuple(
        replace(run, statistics=replace(run.statistics, mean=fit), **times) for run in model.raw
    )
    step = next_step(replace(model, raw=raw))
    wanted = model.study.protocol.tiers["standard"]
    begin = 30 - model.header.plan.repeats * fit
    runs = wanted.blocks * (2 + len(wanted.controls))
    minutes = math.ceil(runs * (begin + wanted.repeats * fit) / 60)
    assert step is not None and f"about {minutes} min" in step.purpose
    step = next_step(replace(model, raw=()))
    assert step is not None and " min" not in step.purpose
    foreign = tuple(replace(run, started_at="yesterday") for run in raw)
    assert next_step(replace(model, raw=foreign)) is not None
    huge = tuple(replace(run, statistics=replace(run.statistics, mean=1e308)) for run in raw)
    step = next_step(replace(model, raw=huge))
    assert step is not None and " min" not in step.purpose


def test_a_fit_whose_time_is_not_finite_stops_no_report() -> None:
    session = make_session(paired([1.10, 1.04, 1.12, 1.01]))
    for wall_ns in (math.inf, math.nan):
        fits = tuple(replace(fit, wall_ns=wall_ns) for fit in session.timed()[0].record.fits)
        model = build_report(change_record(session, "t0-python-cpu", fits=fits), shipped_study())
        assert next_step(model) is not None


def test_a_spread_that_no_session_overcomes_leads_to_the_doctor() -> None:
    step = next_step(model_of([3.0, 0.3, 2.0, 0.5]))
    assert step is not None and step.command == "kit doctor"


def test_a_control_that_failed_asks_for_the_other_design() -> None:
    session = with_role(
        make_session(paired([1.068] * 6)), "placebo", [1.2, 1.21, 1.2, 1.2, 1.2, 1.2]
    )
    step = next_step(build_report(session, make_study()))
    assert step is not None and step.command.endswith(" --design duet")


def test_other_work_shards_and_foreign_commands_have_no_next_step() -> None:
    session = make_session(paired(CLOSE), make_fidelity("binding"))
    assert next_step(build_report(session, make_study())) is not None
    other = change_identity(session, "i-dotnet-cpu", model_config=sha("no"))
    foreign = replace(session, header=replace(session.header, command="rm -rf /"))
    for changed in (other, foreign):
        assert next_step(build_report(changed, make_study())) is None
