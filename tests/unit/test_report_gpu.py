"""The report's GPU part: facts, flags, comparisons, and nothing hostile becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace

from fakes.gpu import NO_DRIVER, T4, make_gpu
from support.sessions import (
    DOTNET,
    PYTHON,
    change_record,
    make_session,
    make_study,
    paired,
    printed,
    report_md,
    run_named,
)

from kit.host.gpu.probe import telemetry_of
from kit.records.gpu import GpuCheck, GpuIssue
from kit.report.build import build_report
from kit.report.results_json import to_document
from kit.schemas import problems
from kit.study.model import Arm

EVIL = "T4 | <script>alert(1)</script> `x` [l](javascript:1) \x1b[31m\u202e\n| a | b |\n# H"
STUDY = make_study()
STUDY = replace(
    STUDY,
    arms={**STUDY.arms, **{f"{s}-cuda": Arm(f"{s}-cuda", s, "cuda") for s in ("python", "dotnet")}},
)
CUDA = ("python-cuda", "dotnet-cuda")
CHECK = GpuCheck(CUDA, (T4,), T4.uuid, T4.uuid, (), ())


def session(check: GpuCheck = CHECK, *readings, failures=()):
    """Four arms, two blocks; every CUDA run saw those readings."""
    times = paired([1.05, 1.06])
    made = make_session({**times, CUDA[0]: times[PYTHON], CUDA[1]: times[DOTNET]})
    telemetry = telemetry_of(T4.uuid, readings or (T4,), failures)
    entries = tuple(
        replace(entry, gpu=telemetry if entry.arm in CUDA else None) for entry in made.entries
    )
    return replace(made, header=replace(made.header, gpu=check), entries=entries)


def section(text: str) -> str:
    return text.split("\n## GPU\n")[1].partition("\n## ")[0]


def test_a_session_that_asked_for_no_gpu_says_nothing_of_one() -> None:
    made = build_report(make_session(paired([1.05, 1.06])), STUDY)
    assert made.gpu is None
    assert "GPU" not in report_md(made) + printed(made)
    assert to_document(made)["gpu"] is None


def test_what_was_not_told_is_a_dash() -> None:
    silent = make_gpu(sm_mhz=None, temperature_c=None, power_w=None)
    made = build_report(session(CHECK, silent, failures=["NVML: late", "NVML: late"]), STUDY)
    text = section(report_md(made))
    row = next(line for line in text.splitlines() if "`t0-python-cuda`" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:4] == ["-", "-", "-"]
    assert text.count("- NVML: late") == 1
    assert problems("results", to_document(made)) == []


def test_the_proof_is_that_of_the_last_identity_run_and_the_largest_peak() -> None:
    made = session()
    record = run_named(made, "t1-python-cuda").record
    made = change_record(
        made, "t1-python-cuda", device=replace(record.device, peak_bytes=987_600_000)
    )
    placements = {p.arm: p for p in build_report(made, STUDY).gpu.placements}
    assert placements["python-cuda"].peak_bytes == 987_600_000
    assert (placements["python-cuda"].gpu_ops, placements["python-cuda"].cpu_ops) == (150, 14)
    assert (placements[PYTHON].gpu_ops, placements[PYTHON].peak_bytes) == (0, None)


def test_a_throttled_run_is_flagged_in_the_head_and_the_table() -> None:
    hot = make_gpu(throttle=("hardware power brake slowdown",), sm_mhz=600)
    made = build_report(session(CHECK, T4, hot), STUDY)
    assert "6 of 6 CUDA runs" in printed(made)
    text = section(report_md(made))
    assert text.count("**throttled**") == 6
    assert "600 to 1590" in text


def test_nothing_of_a_hostile_gpu_becomes_markup() -> None:
    evil = make_gpu(name=EVIL, driver=EVIL, throttle=(EVIL,))
    issue = GpuIssue(EVIL, EVIL)
    check = replace(CHECK, gpus=(evil,), warnings=(issue,))
    for made in (
        session(check, evil, failures=(EVIL,)),
        session(replace(check, problems=(issue, NO_DRIVER)), evil),
    ):
        model = build_report(made, STUDY)
        text = report_md(model)
        outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
        assert "<script" not in outside
        assert "](" not in outside.replace("\\](", "")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        assert not re.search(r"(?m)^# H", outside)
        for table in re.findall(r"(?m)(?:^\|.*\n?)+", outside):
            assert len({len(line.split("|")) for line in table.splitlines()}) == 1
        assert problems("results", to_document(model)) == []
