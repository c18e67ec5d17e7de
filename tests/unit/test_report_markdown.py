"""The markdown report and the terminal's head: what they must say, and must not let in."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from support.headings import heading, opening, section
from support.sessions import (
    DOTNET,
    PYTHON,
    change_identity,
    change_record,
    change_run,
    fail_run,
    make_claim,
    make_fidelity,
    make_merged,
    make_session,
    make_study,
    paired,
    printed,
    report_md,
    sha,
)

from kit.judge.pairing import NeverRan
from kit.plan.model import FEWER_REPEATS, Note
from kit.records.host import EngineFacts
from kit.records.images import Component
from kit.report.build import build_report
from kit.report.conditions import TORN, exclusion
from kit.report.sections import checks, environment, samples
from kit.report.sections import session as session_parts
from kit.report.sections.top import show
from kit.study.load import shipped_study
from kit.study.model import Arm

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
SLOWER = [0.70, 0.72, 0.69]
EVIL = "1.0 | <script>alert(1)</script> `x` [l](javascript:1) \x1b[31m\u202e\n| a | b |\n# H"


def report(session, study=None):
    return report_md(build_report(session, study or make_study()))


def rows(text):
    """Cells of every table row, header and rule lines included."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_the_verdict_comes_first_in_one_sentence():
    lines = [line for line in report(make_session(paired(SIX))).splitlines() if line]
    assert lines[0].startswith("# Does C# train")
    assert make_study().paper.citation in lines[1]
    answer = "**REPRODUCED** Holds: dotnet took 6.4 % less time than python (95 % interval "
    assert lines[2].startswith(answer)
    assert lines[2].endswith(" %), published 6.5 % less (C1, 3 blocks).")
    assert lines[3] == "Of 4 claims: 4 reproduced."
    assert lines[4].startswith("| claim ")


@pytest.mark.parametrize(
    "ratios, word, sentence",
    [
        (SLOWER, "OPPOSITE", "Does not hold"),
        ([1.0, 1.001, 0.999], "EQUIVALENT", "Does not hold, equally fast"),
        ([1.3, 0.8, 1.1], "INCONCLUSIVE", "Undecided"),
        ([1.5, 1.51, 1.52], "SAME DIRECTION", "Holds in direction only"),
        (SIX, "REPRODUCED", "Holds"),
    ],
)
def test_each_outcome_has_its_word_and_a_short_sentence(ratios, word, sentence):
    line = next(x for x in report(make_session(paired(ratios))).splitlines() if f"**{word}**" in x)
    assert line.startswith(f"**{word}** {sentence}: dotnet ")
    words = [each for each in line.partition("** ")[2].split() if re.search(r"\w", each)]
    assert len(words) <= 25
    substituted = report(make_session(paired(ratios), make_fidelity("binding")))
    assert f"**INDICATIVE: {word}** {sentence}: " in substituted


def test_what_was_replaced_is_at_the_top_and_what_verdicts_depend_on_is_strong():
    text = opening(report(make_session(paired(SIX), make_fidelity("binding"))))
    assert "- **binding**: Keras.NET (version not stated) → another\n" in text
    assert "- operating system: not stated, probably Windows → Debian 12\n" in text
    held = [row for row in make_fidelity() if row.exact]
    assert "Substitutes: none." in opening(report(make_session(paired(SIX), held)))


def test_nothing_is_ever_plainly_reproduced_over_a_substitute():
    text = report(make_session(paired(SIX), make_fidelity("dotnet")))
    assert "INDICATIVE: REPRODUCED" in text
    assert "REPRODUCED" not in text.replace("INDICATIVE: REPRODUCED", "")


def test_the_claims_table_shows_text_and_figures_beside_the_measurement():
    text = opening(report(make_session(paired(SIX))))
    table = rows(text)
    first = dict(zip(table[0], table[2], strict=True))
    assert first["published"] == "+6.5 %"
    assert first["measured, 95 % CI"].startswith("+6.4 % [")
    assert first["verdict"] == "**REPRODUCED**"
    reason = next(line for line in text.splitlines() if line.startswith("- **C1**: "))
    assert "within the claim's band" in reason and "+6.4 %" in reason
    assert [row[0].split()[0] for row in table[2:6]] == ["**C1**", "**C2**", "**C3**", "**C4**"]


def test_published_against_measured_names_figures_and_fits():
    text = section(report(make_session(paired(SIX))), samples.published)
    table = rows(text)
    assert table[0][1:3] == ["python, figure 4 (s)", "dotnet, figure 5 (s)"]
    assert [row[0].split(" (")[0] for row in table[2:]] == [
        "min", "max", "mean", "total", "warm median",
    ]  # fmt: skip
    assert "5 fits" in table[5][0]
    assert table[5][1:4] == ["39.5383", "37.0231", "+6.4 % / +6.3 %"]
    assert re.search(r"\b20 fits\b.* 5: compare", text)
    assert table[4][6].startswith("1.068 [")


def test_every_claim_on_a_statistic_has_its_published_gain():
    gains = {"C1": 6.5, "C2": 9.0, "C3": 6.5}
    claims = tuple(make_claim(name, "mean", gain, (3, 10), "") for name, gain in gains.items())
    model = build_report(make_session(paired(SIX)), make_study(claims=claims))
    table = rows(section(report_md(model), samples.published))
    assert table[4][0] == "mean" and table[4][3] == "+6.4 % / +6.5 %, +9.0 %"
    (row,) = (row for row in model.variants[0].rows if row.statistic == "mean")
    assert row.text_gain_percent == model.lead.claim.published_gain_percent == 6.5


def test_a_measured_total_is_not_scaled():
    session = make_session({PYTHON: [[2.0, 2.0]] * 2, DOTNET: [[1.0, 1.0]] * 2})
    table = rows(section(report(session), samples.published))
    assert table[5][4:6] == ["4.0000", "2.0000"]


def test_substitutes_are_a_table_with_the_operating_system_as_a_row():
    table = rows(
        section(report(make_session(paired(SIX), make_fidelity("data"))), environment.fidelity)
    )
    by_name = {row[0]: row for row in table}
    assert by_name["data"][3] == "**substituted**"
    assert by_name["python"][3] == "exact"
    assert "Linux container" in by_name["operating system"][4]


def test_other_work_is_said_at_the_top_and_named():
    session = change_identity(make_session(paired(SIX)), "i-dotnet-cpu", model_config=sha("no"))
    text = report(session)
    assert "Same work: FAILED. model config: model config differs" in text
    assert "**FAILED**" in opening(text)
    assert "<summary>Same work: FAILED</summary>" in opening(text)
    assert "**INCONCLUSIVE** Undecided: " in text
    assert "Same work: FAILED." in printed(build_report(session, make_study()))


def test_failed_runs_show_their_output_and_what_they_took_along():
    session = fail_run(
        make_session(paired(SIX)), "t1-dotnet-cpu", "out of memory", "step 1\nKilled"
    )
    text = section(report(session), session_parts.left_out)
    assert "out of memory" in text
    assert "```text\nstep 1\nKilled\n```" in text
    assert "block 1 has no usable run of dotnet-cpu" in text
    raw = rows(section(report(session), session_parts.raw))
    assert {row[5] for row in raw[2:] if row[4] == "t1-python-cpu"} == {"no"}


def test_notes_of_plan_and_log_are_shown():
    session = make_session(paired(SIX), torn=True)
    plan = replace(session.header.plan, notes=(Note(FEWER_REPEATS, 5, 10**9, 9 * 10**8),))
    text = section(
        report(replace(session, header=replace(session.header, plan=plan))),
        session_parts.left_out,
    )
    cut, torn = (line for line in text.splitlines() if line.startswith("- "))
    assert "not 5" in cut and "1.0 GB" in cut and torn == f"- {TORN}"


def test_nothing_left_out_is_said():
    text = section(report(make_session(paired(SIX))), session_parts.left_out)
    assert text.strip() == "No run failed or was excluded."


def test_the_command_stands_in_a_fence_as_it_is():
    text = opening(report(make_session(paired(SIX))))
    assert "\n\n```text\nkit reproduce --budget quick --seed 1\n```\n\n" in text


def test_every_fit_is_in_the_folded_raw_table():
    text = section(report(make_session(paired(SIX))), session_parts.raw)
    assert "<summary>30 fits of 6 timed runs</summary>" in text
    table = rows(text)
    assert len(table) == 2 + 30
    assert all(len(row) == 16 for row in table)


def test_costs_name_the_growth_of_memory_by_arm():
    table = rows(section(report(make_session(paired(SIX))), samples.cost))
    by_arm = {row[0]: dict(zip(table[0], row, strict=True)) for row in table[2:]}
    assert by_arm[DOTNET]["RSS growth per fit (MB)"] == "600.0"
    assert by_arm[PYTHON]["RSS growth per fit (MB)"] == "5.0"


def test_the_same_session_gives_the_same_bytes():
    sessions = [make_session(paired(SIX), make_fidelity("data")) for _ in range(2)]
    first, second = (report(session).encode() for session in sessions)
    assert first == second


def test_a_gathered_session_says_whose_host_is_shown():
    session = make_session(paired(SIX))
    assert "shard" not in section(report(session), environment.where)
    shards = (make_merged(1, 2), make_merged(2, 2, torn=True))
    session = replace(session, header=replace(session.header, shards=shards))
    shown = section(report(session), environment.where)
    assert " 2 shards" in shown
    (second,) = (row[1] for row in rows(shown) if row[0] == "shard 2")
    assert "session-2" in second and "0-3 of 4" in second
    assert f"shard 2/2: {TORN}" in section(report(session), session_parts.left_out)


def test_nothing_of_a_hostile_session_becomes_markup():
    session = make_session(paired(SIX))
    record = session.timed()[0].record
    session = change_record(
        session,
        "t0-python-cpu",
        versions={**record.versions, "python": EVIL, EVIL: "x"},
        clock_name=EVIL,
    )
    session = fail_run(session, "t1-dotnet-cpu", EVIL, f"```\n</details>\n{EVIL}\x1b]0;t\x07")
    session = change_run(session, "t2-python-cpu", image_id=EVIL)
    header = replace(
        session.header,
        fidelity=(*make_fidelity(), Component(EVIL, EVIL, EVIL, False, EVIL)),
        host=replace(
            session.header.host,
            cpu_model=EVIL,
            kernel=EVIL,
            engine=EngineFacts(EVIL, EVIL, EVIL, EVIL),
        ),
        shards=(make_merged(1, 1, session_id=EVIL, cpu_model=EVIL, gpu=EVIL),),
        session_id=EVIL,
        command=f"kit {EVIL}",
    )
    session = replace(session, header=header)
    text = report(session)
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "<script" not in outside
    assert "](" not in outside.replace("\\](", "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert set(re.findall(r"<[^>]*>", outside)) == {
        "<details>", "</details>", "<summary>", "</summary>",
    }  # fmt: skip
    assert not re.search(r"(?m)^# H", outside)
    widths = {}
    for table in re.findall(r"(?m)(?:^\|.*\n?)+", outside):
        widths[table[:40]] = {len(line.split("|")) for line in table.splitlines()}
    assert all(len(counts) == 1 for counts in widths.values()), widths


def test_a_report_of_one_arm_stands():
    rows_had = [row for row in make_fidelity() if row.name not in {"dotnet", "binding"}]
    session = make_session({PYTHON: paired(SIX)[PYTHON]}, rows_had)
    text = report(session)
    assert "\n- operating system: " in text
    assert "**NOT TESTABLE HERE** Not testable here: " in text
    assert "no dotnet arm of variant cpu" in text
    assert "Same work: not applicable" in text
    assert "means over all usable runs" in text
    assert {row[5] for row in rows(section(text, session_parts.raw))[2:]} == {"yes"}


def test_a_report_of_a_session_that_never_ran_stands():
    session = replace(make_session(paired(SIX)), entries=())
    text = report(session)
    assert "**NOT TESTABLE HERE** Not testable here: " in text
    assert text.count(exclusion(NeverRan())) >= 6
    assert printed(build_report(session, make_study()))


def test_several_variants_are_told_apart():
    study = make_study()
    cuda = {f"{s}-cuda": Arm(f"{s}-cuda", s, "cuda") for s in ("python", "dotnet")}
    study = replace(study, arms={**study.arms, **cuda})
    times = paired(SIX)
    session = make_session({**times, "python-cuda": times[PYTHON], "dotnet-cuda": times[DOTNET]})
    text = report(session, study)
    assert "cuda: Same work: passed" in text
    names = [row[0] for row in rows(opening(text))]
    assert any(name.startswith("**C1 cpu** ") for name in names)
    assert any(name.startswith("**C1 cuda** ") for name in names)
    assert "C1 mean cuda" in printed(build_report(session, study))


@pytest.mark.parametrize("ratios", [SIX, SLOWER, [1.06], [9.0, 0.01]])
def test_the_head_fits_a_terminal(ratios):
    session = make_session(paired(ratios), make_fidelity("python", "dotnet", "binding", "data"))
    session = fail_run(session, "t0-python-cpu", EVIL) if len(ratios) > 2 else session
    text = printed(build_report(session, make_study()))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    assert "C1 mean" in text
    assert "Substitutes: python, dotnet, binding, data, operating system." in text
    assert "\x1b" not in text


def test_the_head_starts_with_question_and_verdict():
    text = printed(build_report(make_session(paired(SLOWER)), make_study()))
    assert text.startswith("Does C# train about 6 % faster than Python through Keras?\n\nDoes not")
    assert re.search(r"C1 mean +\+6\.5 % +-4\d\.\d % \[.*\] +OPPOSITE", text)


def test_a_study_without_measured_claims_stands():
    study = make_study(claims=())
    session = make_session(paired(SIX))
    assert "**NO CLAIM** Inconclusive: " in report(session, study)
    assert "C1" not in printed(build_report(session, study))


def test_consistency_findings_stand_in_the_report_with_their_arithmetic():
    text = section(report(make_session(paired(SIX)), shipped_study()), checks.consistency)
    found = {row[0]: row for row in rows(text)[2:]}
    assert list(found) == [f"K{n}" for n in range(1, 10)]
    assert found["K1"][2] == "**INCONSISTENT**"
    assert "5.36 %" in found["K1"][3]
    assert found["K3"][2] == "**CONSISTENT**"
    assert heading(checks.consistency) not in report(make_session(paired(SIX)))


def test_other_tests_order_and_outliers_are_shown():
    ratios = [1.05, 1.06, 1.04, 1.05, 1.07, 1.9]
    text = section(report(make_session(paired(ratios))), checks.sensitivity)
    assert rows(text)[2][0] == "C1"
    assert rows(text)[2][5] == "0.031"  # 2 of 2^6 flips
    assert "Outlying blocks" in text
    assert "kept" in text
    alone = section(report(make_session({PYTHON: paired(SIX)[PYTHON]})), checks.sensitivity)
    assert rows(alone)[2][2:] == ["-"] * 5


def shown(**console):
    """What the terminal gets."""
    study = make_study()
    study = replace(study, claims=(replace(study.claims[0], id="[red]C1"), *study.claims[1:]))
    written = io.StringIO()
    show(build_report(make_session(paired(SIX)), study), Console(file=written, **console))
    return written.getvalue()


def test_a_terminal_gets_colour_and_a_pipe_none(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = {"force_terminal": True, "color_system": "standard", "width": 100}
    assert "\x1b[32m" in shown(**terminal)
    assert "\x1b" not in shown(width=100)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(**terminal)


def test_a_claims_brackets_are_no_markup_and_a_small_terminal_is_wrapped():
    assert "[red]C1" in shown(width=80)
    narrow = shown(width=48)
    assert max(map(len, narrow.splitlines())) <= 48
    assert "REPRODUCED" in narrow


def test_a_long_reason_is_short_in_the_table_and_whole_below_it():
    why, details = "no image", (f"python@sha256:{'ab' * 32}: it did not answer", "b: no")
    session = make_session(paired(SIX), make_fidelity("python"))
    rows = tuple(
        replace(row, why=why, details=details) if row.name == "python" else row
        for row in session.header.fidelity
    )
    session = replace(session, header=replace(session.header, fidelity=rows))
    text = section(report(session), environment.fidelity)
    table, _, below = text.partition("<details>")
    assert re.search(r"\| no image +\|", table) and "sha256" not in table
    assert f"- python: {why} ({'; '.join(details)})" in below


def test_few_blocks_do_not_tell_whether_the_order_matters():
    text = report(make_session(paired(SIX)))
    assert "too few blocks to test whether it matters." in text and "p = -" not in text


def test_what_there_is_nothing_to_say_of_takes_no_line():
    assert "\n\n\n" not in shown(width=80) and shown(width=80).endswith(".\n\n")


def test_a_narrow_terminal_gets_whole_verdicts():
    narrow = shown(width=40)
    assert max(map(len, narrow.splitlines())) <= 40
    assert "C2 min\n" in narrow and "verdict: REPRODUCED" in narrow and "\u2026" not in narrow


def test_wide_letters_are_wrapped_by_their_cells():
    study = replace(make_study(), title="한국어로 쓴 아주 긴 논문의 제목입니다 " * 5)
    written = io.StringIO()
    show(build_report(make_session(paired(SIX)), study), Console(file=written, width=80))
    assert max(map(cell_len, written.getvalue().splitlines())) <= 80
