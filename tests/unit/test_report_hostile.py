"""Strings of a log, a study or a record are text in every output, never markup."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from rich.console import Console
from support.sessions import (
    DOTNET,
    PYTHON,
    fail_run,
    make_claim,
    make_fidelity,
    make_merged,
    make_session,
    make_study,
    paired,
    report_html,
    report_md,
    with_role,
)

from kit.judge.ablation import Ablation, ContrastName, judge_ablation
from kit.judge.pilot import Limit
from kit.judge.reasons import Aim, PlaceboDiffers, Side
from kit.judge.samework import SameWork
from kit.plan.model import DUET_CORES, Note
from kit.plan.roles import ROLES
from kit.plan.shard import Shard
from kit.records.gpu import Gpu, GpuCheck, GpuIssue, GpuTelemetry
from kit.records.images import ExecutableRun
from kit.report import ablation as explanation
from kit.report import appendix, crate, diff
from kit.report.build import build_report
from kit.report.export import render_all, times
from kit.report.model import ReportModel
from kit.report.plots import draw_all, files
from kit.report.sections.top import show
from kit.study.load import shipped_study

pytestmark = pytest.mark.drawn

MARK = "Zq7"
EVIL = (
    f"{MARK}\n# {MARK} heading\n\n![{MARK}](https://example.org/{MARK}.png) "
    f"[{MARK}](javascript:alert(1)) <script>alert('{MARK}')</script><img src=x onerror=alert(1)> "
    f"| {MARK} | `{MARK}` ``` ~~~ **{MARK}** </summary></details> <!-- &lt;b&gt; --> "
    f"\x1b[31m{MARK}\x1b[0m\x1b]8;;https://example.org\x07{MARK}\x1b]8;;\x07 \u202e\u200b\x00\x9b "
    f"\\input{{/etc/passwd}} \\end{{document}} $\\frac{{{MARK}$ %n % & # _ ^ ~ {{}} "
    f"]]> <?php ?> =cmd|'/c calc'!A1 @{MARK}"
)
FENCED = re.compile(r"(?ms)^(`{3,})text\n.*?^\1$")
KNOWN = frozenset({
    *ROLES, *get_args(ContrastName),
    "placebo-reference", "timed", "identity", "alternating", "duet", "auto", "compare",
    "min", "max", "mean", "total", "warm_median", "cpu", "cuda", "cold", "loss", "accuracy",
    "python", "dotnet", "1/1", PYTHON, DOTNET, "REPRODUCED", "SAME DIRECTION", "OPPOSITE",
    "EQUIVALENT", "INCONCLUSIVE", "NOT TESTABLE HERE", "CONSISTENT", "INCONSISTENT", "",
    *get_args(Aim), *get_args(Side), *get_args(Limit),
})  # fmt: skip
"""Words of closed lists, and names that loading holds to a pattern."""


def spoiled(value: Any, text: str, known: frozenset[str] = KNOWN) -> Any:
    """The value with every string in it, names in mappings too, replaced by the text."""
    if isinstance(value, str):
        return value if value in known or type(value) is not str else text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: spoiled(getattr(value, field.name), text, known)
            for field in dataclasses.fields(value)
        }
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {
            (key if key in known or not isinstance(key, str) else f"{text}{place}"): spoiled(
                found, text, known
            )
            for place, (key, found) in enumerate(value.items())
        }
    if isinstance(value, (tuple, list)):
        return tuple(spoiled(found, text, known) for found in value)
    return value


@cache
def session_and_model():
    """A session in which every part of a report has something to say."""
    session = with_role(make_session(paired([1.07, 1.06, 1.05, 1.08])), "placebo", [1.0] * 4)
    session = fail_run(session, "t1-dotnet-cpu", log="Killed")
    gpu = Gpu(
        index=0, name="x", uuid="x", driver="x", compute_capability=(8, 0),
        memory_total_bytes=1, memory_free_bytes=1, sm_mhz=None, memory_mhz=None,
        temperature_c=None, power_w=None, utilisation_percent=None, throttle=("x",), processes=(),
    )  # fmt: skip
    check = GpuCheck(
        arms=("x",), gpus=(gpu,), chosen="x", request="x",
        problems=(GpuIssue("x", "x"),), warnings=(GpuIssue("x", "x"),), first_start_s=1.0,
    )  # fmt: skip
    telemetry = GpuTelemetry(
        uuid="x", name="x", driver="x", readings=1, sm_mhz_min=1, sm_mhz_max=2,
        temperature_max_c=1, power_max_w=1.0, power_mean_w=1.0, memory_max_bytes=1,
        throttle=("sw_thermal_slowdown",), pids=(1,), failures=("x",),
    )  # fmt: skip
    header = replace(
        session.header, gpu=check, shard=Shard(1, 1),
        shards=(make_merged(1, 1, gpu="x", differing={"x": ("x",)}),),
        plan=replace(session.header.plan, notes=(Note(DUET_CORES),), pilot=5),
    )  # fmt: skip
    entries = tuple(
        replace(entry, gpu=telemetry, machine="ab"[entry.block % 2]) for entry in session.entries
    )
    ran = ExecutableRun(**{
        field.name: {"str": "x", "int": 1, "bool": True}.get(str(field.type), "x")
        for field in dataclasses.fields(ExecutableRun)
    })  # fmt: skip
    session = replace(
        session, header=header, entries=entries, torn=True, executable=ran,
        outlook={
            "design": "alternating", "blocks": 9, "claim": "x", "wanted_gain_percent": 6.5,
            "power": 0.8, "slowdown_percent": 6.95, "minutes_left": 1.0,
            "detectable_gain_percent": 5.0,
            "designs": [{
                "design": "x", "blocks": 5, "sd_log": 0.1, "planning_sd": 0.1,
                "control_sd": 0.1, "block_s": 1.0,
                "needs": [
                    {"power": 0.8, "blocks": 9, "direction": 3, "size": 9, "slowed": None}
                ],
            }],
            "undecided": {"x": None}, "sooner": True, "limit": "minutes", "budget": 60,
        },
    )  # fmt: skip
    shipped = shipped_study()
    study = make_study(
        executable=shipped.executable, training=shipped.training, consistency=shipped.consistency
    )
    study = replace(study, paper=replace(study.paper, training_remark="x"))
    return session, replace(build_report(session, study), explanation=explained(session, study))


def explained(session, study) -> Ablation:
    found = judge_ablation(session, study)
    assert found is not None
    return found


def visible(char: str) -> bool:
    return char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


class Page(HTMLParser):
    """What a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def check_markdown(text: str) -> None:
    assert all(map(visible, set(text)))
    outside = FENCED.sub("", text)
    outside = re.sub(r"(?m)^!\[.*\]\(plots/[\w-]+\.svg\)$", "", outside)
    outside = re.sub(r"\[CycloneDX\]\(sbom/[\w./-]+\)", "", outside)
    bare = re.sub(r"\\.", "x", outside)
    assert "](" not in bare and "![" not in bare
    assert set(re.findall(r"<(?!\d)[^>]*>", bare)) <= {
        "<details>", "</details>", "<summary>", "</summary>",
    }  # fmt: skip
    assert bare.count("<details>") == bare.count("</details>")
    assert not [line for line in bare.splitlines()[1:] if line.startswith("#") and MARK in line
                and not line.startswith(("## ", "### "))]  # fmt: skip
    assert not re.search(rf"(?m)^\s*(```|~~~|>|={{2,}}|-{{2,}}).*{MARK}", bare)
    assert f"**{MARK}**" not in bare and f"`{MARK}`" not in bare
    for table in re.findall(r"(?m)(?:^\|.*\n?)+", outside):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table[:200]


def check_html(text: str, written: str) -> None:
    page = Page()
    page.feed(text)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    for tag, attrs in page.tags:
        assert tag not in {"iframe", "object", "embed", "form", "base"}
        assert tag != "svg" or attrs["class"] in {"bar", "chart", "mark", "mark bar"}
        assert not [name for name in attrs if name.startswith("on")]
        assert (attrs.get("href") or "#").startswith(("#", "sbom/", "data:,"))
        assert (attrs.get("src") or "data:image/").startswith("data:image/")
    own = sum(line.startswith(("# ", "## ")) for line in FENCED.sub("", written).splitlines())
    assert sum(tag in {"h1", "h2", "h3"} for tag, _ in page.tags) == own + 1  # the contents' own


def check_tex(text: str) -> None:
    assert text.isascii() and "\x1b" not in text
    for word in ("\\input", "\\frac", "\\end{document}\n\n", "^^"):
        assert word not in text
    assert text.count("\\end{document}") == 1
    assert not re.search(r"(?<!\\)[$%&#^~]", text.replace("\\char34", ""))


def check_cells(content: bytes) -> None:
    for row in csv.reader(io.StringIO(content.decode(), newline="")):
        for cell in row:
            assert all(map(visible, cell)) and "\n" not in cell
            assert not cell.startswith(("=", "+", "@")) and not re.match(r"-(?!\d)", cell)


def check_values(value: Any) -> None:
    """No string of a JSON document has control characters, its names too."""
    if isinstance(value, str):
        assert all(map(visible, value)) and "\n" not in value
    elif isinstance(value, dict):
        check_values(list(value))
        check_values(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            check_values(each)


def check_everything(session, model: ReportModel, draw: bool = False) -> None:
    plots = draw_all(model) if draw else ()
    text = report_md(model, plots)
    check_markdown(text)
    check_html(report_html(model, plots), text)
    for name, content in files(plots).items():
        if name.endswith(".svg"):
            ElementTree.fromstring(content)
            assert b"<script" not in content
    made = appendix.render(session, model)
    check_markdown(made["appendix.md"].decode())
    check_tex(made["appendix.tex"].decode())
    if model.explanation is not None:
        check_markdown(explanation.files(model.explanation)["explanation.md"].decode())
        assert all(map(visible, explanation.plain_text(model.explanation)))
    for width in (80, 40):
        written = io.StringIO()
        show(model, Console(file=written, width=width, color_system=None))
        assert all(map(visible, set(written.getvalue())))
    assert all(map(visible, diff.shown(diff.compare(model, model))))
    other = replace(
        model, header=replace(model.header, kit_version="other", host=spoil_host(model))
    )
    assert all(map(visible, diff.shown(diff.compare(model, other))))
    formats = render_all(model)
    check_markdown(formats.pop("summary.md").decode())
    root = ElementTree.fromstring(formats.pop("claims.junit.xml"))
    for node in root.iter():
        assert node.tag in {"testsuites", "testsuite", "testcase", "failure", "skipped",
                            "system-out"}  # fmt: skip
        assert all(map(visible, "".join([*node.attrib.values(), node.text or ""])))
    check_cells(formats.pop("fits.csv"))
    for content in (*formats.values(), crate.render(model, ())):
        check_values(json.loads(content))


def spoil_host(model: ReportModel) -> Any:
    return replace(model.header.host, kernel=f"{model.header.host.kernel}{EVIL}")


# All that a string may start with is tried on the functions that escape it: below, and in
# `test_report_text.py`.
@pytest.mark.parametrize("first", ["", "\n---\n"])
def test_no_string_of_a_session_or_study_becomes_markup(first):
    session, model = session_and_model()
    text = first + EVIL
    check_everything(spoiled(session, text), spoiled(model, text), draw=not first)


@pytest.mark.parametrize("first", ["=cmd()", "+1", "-1", "@SUM(1)", "\t=1", "\n+1"])
def test_no_cell_is_a_formula(first):
    _, model = session_and_model()
    check_cells(times.render_csv(spoiled(model, first + EVIL)))


@pytest.mark.parametrize("field", ["role", "kind"])
def test_a_word_that_is_on_no_list_becomes_no_markup_either(field):
    session, model = session_and_model()
    if field == "role":
        model = replace(model, raw=tuple(replace(run, role=EVIL) for run in model.raw))
    else:
        model = replace(model, failures=tuple(replace(f, kind=EVIL) for f in model.failures))
    check_everything(session, model)


def test_names_of_stacks_variants_statistics_and_arms_become_no_markup():
    session, model = session_and_model()
    study = replace(
        model.study,
        baseline=EVIL,
        contender=f"2{EVIL}",
        paper=replace(
            model.study.paper,
            figures={EVIL: replace(next(iter(model.study.paper.figures.values())), where=EVIL)},
        ),
    )
    variants = tuple(
        replace(
            part,
            cold={EVIL: 1.0},
            comparison=replace(
                part.comparison,
                pair=replace(part.comparison.pair, baseline=EVIL, contender=EVIL),
                drifts=tuple(replace(drift, arm=EVIL) for drift in part.comparison.drifts),
                controls=tuple(
                    replace(control, arm=EVIL, reason=PlaceboDiffers(EVIL, 0.01))
                    for control in part.comparison.controls
                ),
                estimates={
                    name: replace(found, unrecorded=(1,))
                    for name, found in part.comparison.estimates.items()
                },
            ),
        )
        for part in model.variants
    )
    trained = tuple(replace(row, quantity=EVIL, arm=EVIL) for row in model.trained)
    check_everything(session, replace(model, study=study, variants=variants, trained=trained))


def test_a_badge_is_one_line_of_text():
    _, model = session_and_model()
    model = replace(model, study=replace(model.study, id=EVIL, title=EVIL))
    document = json.loads(render_all(model)["badge.json"])
    check_values(document)
    assert len(document["label"]) <= 60


def test_the_spoiling_reaches_what_it_should():
    session, model = session_and_model()
    text = report_md(spoiled(model, EVIL))
    assert text.count(MARK) > 300
    assert make_claim().id not in text and make_fidelity()[0].got not in text
    assert isinstance(model.variants[0].comparison.same_work, SameWork)
    assert spoiled(session, EVIL).entries[0].machine == EVIL
