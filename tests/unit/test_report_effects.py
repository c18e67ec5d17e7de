"""Effects of every size, in every sentence and table: one form, and no absurd number."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist, stdev
from typing import Any

import pytest
import scipy
from rich.console import Console
from support.headings import heading, opening, section
from support.sessions import (
    PYTHON,
    change_record,
    make_claim,
    make_fits,
    make_session,
    make_study,
    paired,
    report_html,
    report_md,
    with_role,
)

from kit.judge.pilot import DesignEstimate, PilotResult
from kit.judge.power import SampleSize
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, OPPOSITE, REPRODUCED, SAME_DIRECTION
from kit.records.host import HostConditions
from kit.report import appendix, crate, diff
from kit.report.build import build_report
from kit.report.export import render_all
from kit.report.numbers import OUT_OF_RANGE, UNDETERMINED, Form
from kit.report.plots import draw_all
from kit.report.results_json import to_document
from kit.report.sample_size import pilot_lines
from kit.report.sections import samples, top
from kit.report.sections import session as session_parts
from kit.report.sections.top import show

FACTORS = (20.0, 6.7, 1.05, 1 / 6.7, 1 / 20)
TIGHT, WIDE = 0.01, 0.6
FASTER = make_claim(gain=85.0, band=(75.0, 91.7))
SLOWER = make_claim(gain=-400.0, band=(-900.0, -300.0), statement="dotnet is slower")
SMALL = make_claim()
NUMBER = r"(over )?(\d+(?:\.\d+)?)x"


def spread(centre: float, sd: float, blocks: int) -> list[float]:
    """Ratios around the centre, as a normal sample of that size lies."""
    normal = NormalDist()
    return [centre * math.exp(sd * normal.inv_cdf((n + 0.5) / blocks)) for n in range(blocks)]


def session_of(factor: float, sd: float, blocks: int) -> Any:
    return with_role(
        make_session(paired(spread(factor, sd, blocks))),
        "placebo",
        spread(1.0, sd, blocks)[::-1],
    )


def outputs(session, study, plots=()) -> dict[str, str]:
    """Everything that a person reads of a session."""
    model = build_report(session, study)
    written = io.StringIO()
    show(model, Console(file=written, width=80))
    made, formats = appendix.render(session, model), render_all(model)
    return {
        "report.md": report_md(model, plots),
        "report.html": report_html(model, plots),
        "terminal": written.getvalue(),
        "appendix.md": made["appendix.md"].decode(),
        "appendix.tex": made["appendix.tex"].decode(),
        "junit": formats["claims.junit.xml"].decode(),
        "summary.md": formats["summary.md"].decode(),
        "diff": diff.shown(diff.compare(model, model)),
        "plots": "\n".join(plot.alt for plot in plots),
    }


def cells(text: str, make: Callable[..., Any]) -> list[dict[str, str]]:
    part = opening(text) if make is top.basis else section(text, make)
    first = re.search(r"(?m)(?:^\|.*\n)+", part)
    assert first is not None
    lines = [[c.strip() for c in row.strip("|").split("|")] for row in first[0].splitlines()]
    return [dict(zip(lines[0], row, strict=True)) for row in lines[2:]]


def log_in(text: str) -> float:
    """The log ratio of the first gain or factor of a text, plus for faster."""
    factor = re.search(NUMBER + r"(?: (faster|slower))?", text)
    if factor is not None:
        sign = -1 if factor[3] == "slower" else 1
        return sign * math.log(float(factor[2]))
    gain = re.search(r"([-+]?\d+\.\d+) %", text)
    assert gain is not None, text
    return -math.log1p(-float(gain[1]) / 100)


def is_factor(text: str) -> bool:
    return re.search(NUMBER, text) is not None


CLAIMS = (FASTER, SLOWER, SMALL)
SPREADS = tuple((sd, blocks) for sd in (TIGHT, WIDE) for blocks in (2, 3, 6))
# Every factor with every claim; spreads and numbers of blocks take turns.
CASES = [
    (CLAIMS[(place + turn) % len(CLAIMS)], factor, *SPREADS[(place + 3 * turn) % len(SPREADS)])
    for place, factor in enumerate(FACTORS)
    for turn in range(3)
]


@pytest.mark.parametrize("claim, factor, sd, blocks", CASES)
def test_no_number_is_absurd_and_each_is_the_same_everywhere(claim, factor, sd, blocks):
    session, study = session_of(factor, sd, blocks), make_study(claims=(claim,))
    got = outputs(session, study)
    own = f"{claim.published_gain_percent:+.1f} %"
    for name, text in got.items():
        said = re.sub(r"[0-9a-f]{12,}|base64,[\w+/=]+|<style>.*?</style>|<script>.*?</script>", "",
                      text, flags=re.DOTALL)  # fmt: skip
        said = said.replace("{}", "").replace("\\%", "%")
        assert not re.search(r"\d[eE][-+]?\d", said), name
        assert not re.search(r"(?i)\b(nan|inf|infinity)\b", said), name
        for percent in re.findall(r"[-+]?\d+(?:\.\d+)? ?%", said.replace(own, "")):
            assert abs(float(percent.rstrip("% "))) <= 100, (name, percent)

    row = cells(got["report.md"], top.basis)[0]
    shown = row["measured, 95 % CI"]
    table = cells(got["report.md"], samples.published)
    assert next(r for r in table if r["statistic of a run"] == "mean")["measured gain"] == shown
    flat = {name: " ".join(text.split()) for name, text in got.items()}
    for name in ("junit", "diff"):
        assert shown in flat[name], name
    assert shown in flat["appendix.md"].replace("\\", "")
    if len(shown) < 30:  # a longer one is wrapped inside its cell
        assert shown in flat["terminal"]

    headline = build_report(session, study).headline
    paper, _, measured = headline.partition("; published ")[2].partition(", measured ")
    word = row["verdict"].strip("*")
    if shown == UNDETERMINED:
        assert measured.startswith(UNDETERMINED) and word == INCONCLUSIVE
        return
    assert is_factor(paper) == is_factor(measured) == is_factor(shown)
    assert is_factor(row["published"]) == is_factor(shown)
    assert measured.startswith(shown.partition(" [")[0])
    # What the words say is what was measured, to the digits that are shown.
    assert log_in(shown) == pytest.approx(math.log(factor), abs=0.03 * max(1, sd / TIGHT / 20))
    claimed = -math.log1p(-claim.published_gain_percent / 100)
    assert log_in(paper.partition("(")[2] or paper) == pytest.approx(claimed, abs=0.03)
    if word in (REPRODUCED, SAME_DIRECTION):
        assert log_in(shown) * claimed > 0
    if word == OPPOSITE:
        assert log_in(shown) * claimed < 0
    assert word != EQUIVALENT


@pytest.mark.parametrize(
    "claim, sd, blocks",
    [
        (FASTER, 0.005, 20), (SMALL, 0.02, 6), (SMALL, 0.06, 3), (SLOWER, 0.06, 20),
        (FASTER, 0.8, 6), (FASTER, 2.0, 3), (SLOWER, 2.0, 6),
    ],
)  # fmt: skip
def test_one_pair_against_the_claim_is_told_on_one_scale(claim, sd, blocks):
    ratios = spread(1.0, sd, blocks)
    study = make_study(claims=(claim,))
    text = report_md(build_report(session_of(6.7, sd, blocks), study))
    said = re.search(
        r"differ by up to (.*?) in 95 .* protocol (could|cannot) distinguish (.*?) from", text
    )
    assert said is not None
    off, can, effect = said.groups()
    # The textbook's prediction interval and the claim, both as log ratios.
    half = (
        scipy.stats.t.ppf(0.975, blocks - 1)
        * stdev(map(math.log, ratios))
        * math.sqrt(1 + 1 / blocks)
    )
    size = abs(math.log1p(-claim.published_gain_percent / 100))
    assert (can == "cannot") == (half >= size)
    assert is_factor(off) == is_factor(effect)
    if "over" in off:
        assert half > math.log(1000)
        return
    same = log_in(off) if claim.published_gain_percent > 0 or is_factor(off) else None
    if same is not None:
        assert same == pytest.approx(half, rel=0.06, abs=0.005)


def test_a_gain_of_85_percent_is_not_below_a_factor_of_three():
    """What a ratio minus one and a gain, both in percent, got wrong."""
    session = session_of(6.7, 0.37, 6)
    text = report_md(build_report(session, make_study(claims=(FASTER,))))
    assert "protocol could distinguish +85.0 % (6.7x faster) from no" in text


@pytest.mark.parametrize("ratios", [[0.1, 8.0], [0.2, 0.9], [0.01, 9.0, 0.3]])
def test_blocks_that_say_nothing_are_said_to_say_nothing(ratios):
    session, study = make_session(paired(ratios)), make_study(claims=(SMALL,))
    plots = draw_all(build_report(session, study))
    got = outputs(session, study, plots)
    for name in ("report.md", "terminal", "junit", "appendix.md", "diff", "plots"):
        assert UNDETERMINED in " ".join(got[name].split()), name
    document = to_document(build_report(session, study))
    measured = document["variants"][0]["verdicts"][0]["measured"]
    assert isinstance(measured["gain_percent"], float)  # the files for machines stay raw


@pytest.mark.parametrize("factor", [6.7, 1 / 20, 1.05])
def test_a_plot_of_any_size_is_drawn_with_words_of_one_form(factor):
    session, study = (
        session_of(factor, 0.1, 6),
        make_study(claims=(FASTER, replace(SMALL, id="C2"))),
    )
    entries = tuple(replace(e, machine="ab"[e.block % 2]) for e in session.entries)
    model = build_report(replace(session, entries=entries), study)
    words = {plot.name: plot.alt for plot in draw_all(model)}
    assert model.variants[0].form is Form.FACTOR
    for part in words["gains"].split("; "):
        measured, _, paper = part.partition(", published ")
        assert is_factor(measured) and is_factor(paper)
    assert all(is_factor(part) for part in words["hosts"].split("; "))


def test_two_sessions_are_compared_in_one_form():
    study = make_study(claims=(SMALL,))
    one = build_report(session_of(1.06, TIGHT, 6), study)
    two = build_report(session_of(3.0, TIGHT, 6), study)
    told = [line for line in diff.shown(diff.compare(one, two)).splitlines() if "measured" in line]
    assert len(told) == 2 and all(map(is_factor, told))
    same = diff.shown(diff.compare(one, one))
    assert not is_factor(same.partition("Claims:")[2])


@pytest.mark.parametrize(
    "wanted, smallest", [(85.0, 4.0), (6.5, 70.0), (-400.0, 4.0), (6.5, 4.0), (6.5, 100.0)]
)
def test_a_pilots_numbers_are_in_one_form(wanted, smallest):
    design = DesignEstimate(
        "alternating", 5, 0.05, 0.06, 0.06, 30.0, (SampleSize(0.8, 9, 3, 9, 4),)
    )
    found = PilotResult(
        "alternating",
        9,
        "C1",
        wanted,
        0.8,
        6.95,
        5.0,
        smallest,
        (design,),
        {},
        False,
        "power",
        None,
    )
    lines = pilot_lines(found)
    assert is_factor(lines[0]) == is_factor(lines[1])
    assert is_factor(lines[0]) == (max(abs(wanted), smallest) >= 50)


@pytest.mark.parametrize("large", [10**400, 2**63 - 1], ids=["hundreds of digits", "64 bits"])
def test_no_number_of_a_log_stops_a_report(large):
    session = session_of(6.7, 0.1, 6)
    fits = make_fits(
        [1.9] * 5, paper_clock_s=1e308, losses=(1e308,), accuracies=(-1e308,),
        minor_faults=2**63 - 1, rss_after_bytes=2**63 - 1,
    )  # fmt: skip
    session = change_record(session, f"t0-{PYTHON}", fits=fits)
    session = change_record(session, f"t1-{PYTHON}", fits=fits)
    host = HostConditions(
        1e308, -1e308, large, 2**63, 1e308, large, large, 1e3, 1e308, 2**63, large
    )
    header = session.header
    limits = replace(header.plan.limits, memory_bytes=large, timeout_s=1e308)
    images = {arm: replace(image, size_bytes=large) for arm, image in header.images.items()}
    design = DesignEstimate(
        "alternating", 5, 1e308, 1e308, 1e308, 1e308, (SampleSize(0.8, large, large, large, None),)
    )
    outlook = PilotResult(
        "alternating", large, "C1", -1e308, 0.8, 1e308, 1e308, 1e308, (design,), {"C1": large},
        True, "blocks", large,
    )  # fmt: skip
    session = replace(
        session,
        header=replace(
            header,
            plan=replace(header.plan, limits=limits, pilot=5),
            images=images,
            host=replace(header.host, memory_bytes=large),
        ),
        entries=tuple(replace(entry, host=host) for entry in session.entries),
    )
    study = make_study()
    model = replace(build_report(session, study), outlook=outlook)
    drawn = draw_all(model)
    text = report_md(model, drawn)
    report_html(model, drawn)
    crate.render(model, ())
    json.dumps(to_document(model), allow_nan=False)
    appendix.render(session, model)
    assert OUT_OF_RANGE in text
    numbers = text.split(f"\n## {heading(session_parts.interference)}")[0]
    assert not re.search(r"\d{20}", re.sub(r"[0-9a-f]{64}", "", numbers))
