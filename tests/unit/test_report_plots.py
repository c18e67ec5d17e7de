"""Plots: the same bytes each time, whole words beside them, and no injected markup."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib import resources
from xml.etree import ElementTree

import jsonschema
import matplotlib
import pytest
import scipy
from support.sessions import PYTHON, make_session, make_study, paired, report_md

from kit.plan.roles import MAIN, PILOT, PLACEBO, SLOWED
from kit.report.build import build_report
from kit.report.plots import draw_all, files, renderer_of
from kit.report.plots.style import marks
from kit.report.results_json import to_document

pytestmark = pytest.mark.drawn

EIGHT = [1.05, 1.06, 1.04, 1.05, 1.07, 1.02, 0.99, 1.1]
NAMES = ["gains", "runs", "order", "memory", "system-cpu"]
PNG = b"\x89PNG\r\n\x1a\n"


def validate(document):
    schema = resources.files("kit.schemas").joinpath("results.schema.json").read_text()
    jsonschema.validate(document, json.loads(schema))


def plots(session=None, study=None):
    session = session or make_session(paired(EIGHT, fits=5))
    return draw_all(build_report(session, study or make_study()))


def test_every_plot_is_a_picture_in_both_forms_with_words_for_it():
    drawn = plots()
    assert [plot.name for plot in drawn] == NAMES
    for plot in drawn:
        assert plot.png.startswith(PNG)
        assert ElementTree.fromstring(plot.svg).tag.endswith("svg")
        assert plot.alt.startswith(plot.title)
    assert "+6.5 %" in drawn[0].alt
    assert "python-cpu: 8 runs" in drawn[1].alt
    assert sorted(files(drawn)) == sorted(f"{n}.{kind}" for n in NAMES for kind in ("svg", "png"))


def test_the_same_session_gives_the_same_bytes_with_no_date_in_them_but_the_library():
    first, second = plots(), plots()
    assert first == second
    for plot in first:
        assert b"<dc:date>" not in plot.svg
        assert renderer_of(plot.svg) == matplotlib.__version__
        assert b"Software" not in plot.png


def test_the_users_own_settings_change_nothing():
    import matplotlib as mpl

    before = plots()
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30}):
        assert plots() == before


def test_what_cannot_be_drawn_is_left_out(empty_plots):
    session = make_session({PYTHON: paired(EIGHT, fits=5)[PYTHON]})
    assert [plot.name for plot in plots(session)] == NAMES[1:]
    empty = replace(session, entries=())
    assert plots(empty) == ()


def test_a_hostile_name_is_text():
    study = make_study()
    claim = replace(study.claims[0], id="C1", statistic="mean")
    study = replace(study, claims=(claim,), title="</svg><script>")
    for plot in plots(study=study):
        assert b"<script" not in plot.svg


def on_hosts(*machines):
    """EIGHT's session, its blocks dealt out to the machines in turn."""
    session = make_session(paired(EIGHT, fits=5))
    return replace(
        session,
        entries=tuple(
            replace(entry, machine=machines[entry.block % len(machines)])
            for entry in session.entries
        ),
    )


def test_several_hosts_have_a_forest_plot_and_a_table():
    model = build_report(on_hosts("aaa", "b|`<b>"), make_study())
    drawn = {plot.name: plot for plot in draw_all(model)}
    assert list(drawn) == [NAMES[0], "hosts", *NAMES[1:]]
    assert "host 2: " in drawn["hosts"].alt and "all: " in drawn["hosts"].alt
    text = report_md(model)
    section = text.partition("## Results per host\n")[2].partition("\n## ")[0]
    assert "| host 1" in section and "<b>" not in section
    ones, twos = EIGHT[::2], EIGHT[1::2]
    expected = scipy.stats.ttest_ind(
        [math.log(r) for r in ones], [math.log(r) for r in twos], equal_var=False
    ).pvalue
    # Of two groups, Welch's one-way test is Welch's t test.
    assert f"{expected:.3f}" in section
    found = model.judged.comparisons[0].hosts
    assert [part.blocks for part in found.parts] == [(0, 2, 4, 6), (1, 3, 5, 7)]
    assert found.agreement["mean"] == pytest.approx(expected)
    validate(to_document(model))


def test_over_several_hosts_no_drift_is_told(empty_plots):
    model = build_report(on_hosts("aaa", "bbb"), make_study())
    text = report_md(model)
    assert "Drift over the session: not estimated, since its blocks ran on several hosts." in text
    assert "Drift of" not in text
    drawn = {plot.name: plot for plot in draw_all(model)}
    assert "runs of several hosts" in drawn["order"].alt


def test_every_series_has_marks_of_its_own():
    roles = (MAIN, PLACEBO, SLOWED, PILOT, "placebo-reference")
    found = [tuple(sorted(marks(arm, role).items())) for arm in range(4) for role in roles]
    assert len(set(found)) == len(found)


def test_one_host_has_neither(empty_plots):
    model = build_report(on_hosts("aaa"), make_study())
    assert [plot.name for plot in draw_all(model)] == NAMES
    assert "Results per host" not in report_md(model)


def test_hosts_of_one_block_do_not_break_the_test():
    names = [f"m{i}" for i in range(8)]
    model = build_report(on_hosts(*names), make_study())
    assert model.judged.comparisons[0].hosts.agreement["mean"] is None
    assert "too few blocks" in report_md(model)
