"""What a group-sequential session shows of its looks: in every report, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from support.bench import STUDY, Bench, StopAt, reported, varied
from support.measured import TwoCores
from support.sessions import make_session, make_study, paired

from kit.judge.statistics import Interval
from kit.judge.words import INCONCLUSIVE
from kit.records.session import Look, LookedAt, Session
from kit.report import appendix, crate, diff, results_json, sections
from kit.report.build import build_report
from kit.report.document import List, Paragraph, Table
from kit.report.headline import status_lines
from kit.report.looks import course_facts, course_line, estimate_texts
from kit.report.model import ReportModel
from kit.report.numbers import UNDETERMINED, Form
from kit.report.plots import looks as plot
from kit.report.plots.effects import EffectAxis
from kit.report.plots.looks import looks
from kit.report.plots.style import panels, styled
from kit.report.sections.session import plan
from kit.results.runlog import read_session
from kit.verify import verify_folder
from kit.verify.result import State

pytestmark = pytest.mark.drawn
_DONE = "http://schema.org/CompletedActionStatus"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of few looks: its times scatter little, and it only settles the direction."""
    made = Bench(tmp_path_factory.mktemp("looks"), varied(0.01)).reproduce(
        budget="20m", until="direction"
    )
    reported(made)
    return made


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    return read_session(folder)


@pytest.fixture(scope="module")
def model(session: Session) -> ReportModel:
    return build_report(session, STUDY)


def fixed() -> ReportModel:
    return build_report(make_session(paired([1.05, 1.06, 1.04])), make_study())


def interrupted(session: Session) -> Session:
    """The session in its last block, before its last look."""
    return replace(session, entries=session.entries[:-1], looks=session.looks[:-1])


def tables(blocks) -> dict[str, Table]:
    """The tables by the name of their first column."""
    return {block.header[0]: block for block in blocks if isinstance(block, Table)}


def settings(found: ReportModel) -> dict[str, object]:
    return dict(tables(plan(found))["property"].rows)


def block_tables(found: ReportModel) -> dict[str, Table]:
    return {block.header[1]: block for block in plan(found) if isinstance(block, Table)}


def test_results_have_every_look_as_logged(session: Session, model: ReportModel) -> None:
    document = json.loads(results_json.dumps(model))
    schema = resources.files("kit.schemas").joinpath("results.schema.json").read_text()
    jsonschema.validate(document, json.loads(schema))
    found = document["stopping"]
    assert found["ending"] == session.ending == "settled"
    assert found["blocks"] == session.looks[-1].blocks
    assert [each["blocks"] for each in found["looks"]] == [each.blocks for each in session.looks]
    assert [each["likely_blocks"] for each in found["looks"]] == [
        each.likely_blocks for each in session.looks
    ]
    assert [each["lead"][0]["low_percent"] for each in found["looks"]] == [
        each.lead[0].low_percent for each in session.looks
    ]
    assert found["looks"][-1]["lead"][0]["word"] == document["variants"][0]["verdicts"][0]["word"]


def test_a_session_that_is_judged_once_has_nothing_of_it() -> None:
    found = fixed()
    assert found.course is None
    assert "stopping" not in results_json.to_document(found)
    assert settings(found)["blocks"] == str(found.header.plan.blocks)
    assert set(block_tables(found)) == {"value", "order of its runs"}


def test_the_plan_shows_rule_end_looks_and_the_blocks_made(
    session: Session, model: ReportModel
) -> None:
    assert model.course is not None
    made = model.course.blocks
    assert made == session.looks[-1].blocks < model.header.plan.blocks
    shown = settings(model)
    assert shown["blocks"] == f"{made} of at most {model.header.plan.blocks}"
    assert shown.items() >= dict(course_facts(model.course)).items()
    looks, order = block_tables(model)["claim"], block_tables(model)["order of its runs"]
    assert [row[0] for row in looks.rows] == [str(each.blocks) for each in session.looks]
    assert looks.rows[-1][-1] == model.verdicts[0].word
    assert len(order.rows) == made


def test_the_head_says_after_how_many_blocks_it_ended(model: ReportModel) -> None:
    assert model.course is not None
    assert course_line(model.course) in status_lines(model)
    assert not any(line.startswith("Blocks") for line in status_lines(fixed()))


def test_only_its_p_values_are_called_repeated(model: ReportModel) -> None:
    def words(found: ReportModel) -> str:
        texts = [b.text for b in sections.report(found) if isinstance(b, Paragraph)]
        return " ".join(text for text in texts if isinstance(text, str))

    assert "Jennison" in words(model)
    assert "Jennison" not in words(fixed())


def test_other_reports_count_the_blocks_made(session: Session, model: ReportModel) -> None:
    assert model.course is not None
    blocks = f"{model.course.blocks} of at most {model.course.most}"
    assert any(blocks.encode() in text for text in appendix.render(session, model).values())
    graph = {e["@id"]: e for e in json.loads(crate.render(model, ()))["@graph"]}
    assert graph["#setting/blocks"]["value"] == str(model.course.blocks)
    assert graph["#session"]["actionStatus"] == _DONE
    found = {row.what: row.second for row in diff.compare(shorter(model), model).settings}
    assert found["blocks"] == blocks
    assert "stopping rule" not in found
    assert graph["#setting/ended"]["value"] == dict(course_facts(model.course))["ended"]
    once = {row.what: row.first for row in diff.compare(once_judged(model), model).settings}
    assert once["stopping rule"] == once["ended"] == "-"
    assert once["blocks"] == str(model.header.plan.blocks)


def once_judged(model: ReportModel) -> ReportModel:
    return replace(model, course=None)


def shorter(model: ReportModel) -> ReportModel:
    assert model.course is not None
    return replace(model, course=replace(model.course, blocks=model.course.blocks - 1))


def test_a_session_that_was_interrupted_has_not_ended(session: Session) -> None:
    found = build_report(interrupted(session), STUDY)
    assert found.course is not None
    assert found.course.blocks == session.looks[-2].blocks
    assert results_json.to_document(found)["stopping"]["ending"] is None
    graph = {e["@id"]: e for e in json.loads(crate.render(found, ()))["@graph"]}
    assert "actionStatus" not in graph["#session"]


def test_blocks_made_are_those_after_a_pilot(tmp_path: Path) -> None:
    made = Bench(tmp_path, varied(0.01), TwoCores()).reproduce(
        budget="standard", design="auto", until="direction"
    )
    found = build_report(read_session(made), STUDY)
    assert found.course is not None
    pilot = found.header.plan.first_judged
    assert pilot > 0
    order = block_tables(found)["order of its runs"]
    assert [row[0] for row in order.rows] == [str(n) for n in range(pilot + found.course.blocks)]


def test_a_session_in_its_pilot_has_no_blocks_of_looks(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(4), TwoCores()).reproduce(budget="standard", design="auto")
    (folder,) = tmp_path.iterdir()
    stopped = read_session(folder)
    assert stopped.header.plan.stopping is not None
    found = build_report(stopped, STUDY)
    assert found.course is None
    assert not any(line.startswith("Blocks") for line in status_lines(found))
    assert not any(isinstance(block, List) for block in plan(found))  # no result of the pilot


def test_only_such_a_session_has_the_plot_of_its_looks(folder: Path, model: ReportModel) -> None:
    with styled():
        drawn = looks(model)
        assert looks(fixed()) is None
    assert drawn is not None
    assert (folder / "plots" / "looks.svg").is_file()
    assert b"plots/looks.svg" in (folder / "report.md").read_bytes()
    first, last = model.course.looks[0].blocks, model.course.looks[-1].blocks
    assert f"after {first} blocks" in drawn.alt
    assert f"after {last} blocks" in drawn.alt


def test_without_an_interval_there_is_no_plot(model: ReportModel) -> None:
    assert model.course is not None
    course = replace(model.course, looks=tuple(map(unmeasured, model.course.looks)))
    with styled():
        assert looks(replace(model, course=course)) is None
        assert looks(replace(model, course=replace(course, looks=()))) is None


def test_an_interval_beyond_an_upright_axis_ends_in_arrow_heads() -> None:
    with styled():
        _, (axes,) = panels(2, 1)
        scale = EffectAxis.over(axes, Form.GAIN, (-10.0, 10.0), (), upright=True)
        drawn = len(axes.lines)
        scale.bar(6, Interval(-40.0, 30.0), "black", 2)
        bar, low, high = axes.lines[drawn:]
    assert list(bar.get_xdata()) == [6, 6]
    assert list(bar.get_ydata()) == [scale.low, scale.high] == list(axes.get_ylim())
    assert (low.get_marker(), high.get_marker()) == ("v", "^")


def test_early_intervals_do_not_hide_the_others(
    model: ReportModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The axis reaches at most half as far again as the claim, the estimates and the last look."""
    assert model.course is not None
    first, *others = model.course.looks
    wide = replace(
        first, lead=tuple(replace(at, low_percent=-300.0, high_percent=70.0) for at in first.lead)
    )
    found = replace(model, course=replace(model.course, looks=(wide, *others)))
    made = []
    monkeypatch.setattr(plot, "panels", lambda *sizes: made.append(panels(*sizes)) or made[-1])
    with styled():
        looks(found)
    ((_, (axes,)),) = made
    low, high = axes.get_ylim()
    assert -20 < low < -2
    assert 10 < high < 20
    assert axes.get_xlim() == (first.blocks - 1, model.header.plan.blocks + 1)


def test_no_number_of_a_look_stops_a_report(model: ReportModel) -> None:
    assert model.course is not None
    odd = (-1e308, -100.0, 0.0, 99.9, 100.0, 1e308)
    at = model.course.looks[-1].lead[0]
    lead = [
        replace(at, variant=variant, gain_percent=low, low_percent=low, high_percent=high)
        for low in odd
        for high in odd
        for variant in (at.variant, "cuda")
    ]
    look = replace(model.course.looks[-1], lead=tuple(lead))
    found = replace(model, course=replace(model.course, looks=(look,)))
    assert len(block_tables(found)["claim"].rows) == len(lead)
    with styled():
        assert looks(found) is not None


@pytest.mark.parametrize(
    ("gain", "low", "high", "shown"),
    [
        (6.4, 3.0, 10.0, ("+6.4 %", "[+3.0, +10.0]")),
        (20.0, 4.0, 60.0, ("1.25x faster", "[1.04x, 2.5x]")),
        (-60.0, -150.0, -20.0, ("1.60x slower", "[1.20x, 2.5x]")),
        (6.4, None, None, ("+6.4 %", "-")),
        (None, None, None, ("-", "-")),
        (6.4, -3000.0, 99.0, ("+6.4 %", UNDETERMINED)),
    ],
)
def test_a_gain_and_its_interval_have_one_form(
    gain: float | None, low: float | None, high: float | None, shown: tuple[str, str]
) -> None:
    at = LookedAt("cpu", "C1", 6, gain, low, high, INCONCLUSIVE)
    assert estimate_texts(at, Form.GAIN) == shown


def unmeasured(look: Look) -> Look:
    lead = (replace(at, low_percent=None, high_percent=None) for at in look.lead)
    return replace(look, lead=tuple(lead))


def test_verify_makes_the_whole_folder_again(folder: Path) -> None:
    assert {found.state for found in verify_folder(folder)} <= {State.OK, State.ABSENT}
