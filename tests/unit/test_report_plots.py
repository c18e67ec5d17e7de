"""Plots: the same bytes each time, whole words beside them, and no injected markup."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from sessions import PYTHON, make_session, make_study, paired

from kit.report.model import build_report
from kit.report.plots import draw_all, files

EIGHT = [1.05, 1.06, 1.04, 1.05, 1.07, 1.02, 0.99, 1.1]
NAMES = ["gains", "runs", "order", "memory", "system-cpu"]
PNG = b"\x89PNG\r\n\x1a\n"


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
    assert "paper +6.5 %" in drawn[0].alt
    assert "python-cpu: 8 runs" in drawn[1].alt
    assert sorted(files(drawn)) == sorted(f"{n}.{kind}" for n in NAMES for kind in ("svg", "png"))


def test_the_same_session_gives_the_same_bytes_with_no_date_in_them():
    first, second = plots(), plots()
    assert first == second
    for plot in first:
        assert b"<dc:date>" not in plot.svg
        assert b"Matplotlib v" not in plot.svg
        assert b"Software" not in plot.png


def test_the_users_own_settings_change_nothing():
    import matplotlib as mpl

    before = plots()
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30}):
        assert plots() == before


def test_what_cannot_be_drawn_is_left_out():
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
