"""The report as one page: all that the markdown says, and nothing that acts or is loaded."""

from __future__ import annotations

import base64
import hashlib
import html as entities
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from support.sessions import (
    PYTHON,
    change_record,
    change_run,
    fail_run,
    make_fidelity,
    make_merged,
    make_session,
    make_study,
    paired,
)

from kit.records.host import EngineFacts
from kit.records.images import ArmImage, Component
from kit.report import plots, sections
from kit.report.build import build_report
from kit.report.document import (
    Answer,
    Bar,
    Chart,
    Code,
    CodeBlock,
    Command,
    Dot,
    Either,
    Figure,
    Fold,
    Heading,
    Link,
    List,
    Paragraph,
    Replaced,
    Replacements,
    Strong,
    Table,
    Tone,
)
from kit.report.render import html, markdown
from kit.report.text import plain
from kit.study.load import shipped_study

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
EVIL = (
    "1.0 | <script>alert(1)</script> `x` ``y`` [l](javascript:alert(1)) ![i](http://h.example/x) "
    "&lt;img src=x onerror=alert(1)&gt; \"' onload=x \x1b[31mred\x1b[0m \u202eabc\u2066\u200f\n"
    "| a | b |\n|---|---|\n# H\n</details></main><style>*{}</style>\n</script><b>"
)
MEGABYTE = (EVIL * (2**20 // len(EVIL) + 1))[: 2**20]
ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"}


class Page(HTMLParser):
    """What a browser would see: tags with attributes, cells of text by row, titles, words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.titles, self.words, self.inside = [], [], [], [], None
        self.other = False  # inside the form of an effect that the report does not use
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag == "span":
            self.other = dict(attrs).get("class") in {"gain", "factor"}
        if ("class", "drawing") in attrs:
            self.inside = None
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self.inside = tag
        if tag in {"h2", "style", "script", "pre", "title"}:
            self.inside = tag
        if tag == "summary" and self.inside != "th":
            self.inside = tag
        if tag == "h2":
            self.titles.append("")

    def handle_endtag(self, tag):
        # Below the name of a row, a summary, stands its reason; markdown has it below the table.
        if tag in {"tr", "h2", "style", "script", "pre", "title", "summary"}:
            self.inside = None
        if tag == "span":
            self.other = False

    def handle_data(self, data):
        if self.other:
            return
        if self.inside in {"td", "th"}:
            self.rows[-1][-1] += data
        if self.inside == "h2":
            self.titles[-1] += data
        if self.inside not in {"style", "script"}:
            self.words.append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def stock_rows(text):
    """Cells of every table row, as another parser of GitHub's tables reads them."""
    rows, inside = [], False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type in {"th_open", "td_open"}:
            rows[-1].append("")
        inside = token.type in {"th_open", "td_open"} or (inside and token.type == "inline")
        if token.type == "inline" and inside:
            rows[-1][-1] = "".join(child.content for child in token.children)
    return [row for row in rows if row]


def page_of(session, study=None):
    model = build_report(session, study or make_study())
    drawn = plots.draw_all(model)
    document = sections.report(model, drawn)
    return markdown.render(document), html.render(document)


@pytest.fixture(scope="module")
def usual():
    session = make_session(paired(SIX), make_fidelity("data"), torn=True)
    session = fail_run(session, "t1-dotnet-cpu", "out of memory", "step 1\nKilled")
    image = ArmImage(PYTHON, "kit/python-cpu:abc", "sha256:1", 1_300_000_000, "ab" * 32)
    header = replace(session.header, images={**session.header.images, PYTHON: image})
    return page_of(replace(session, header=header), shipped_study())


@pytest.fixture(scope="module")
def hostile():
    session = make_session(paired(SIX))
    record = session.timed()[0].record
    versions = {**record.versions, "python": MEGABYTE, EVIL: "x"}
    session = change_record(session, "t0-python-cpu", versions=versions, clock_name=MEGABYTE)
    log = f"```\n</details>\n<details>\n<summary>x</summary>\n\n</pre>{MEGABYTE}"
    session = fail_run(session, "t1-dotnet-cpu", MEGABYTE, log)
    session = change_run(session, "t2-python-cpu", image_id=EVIL)
    header = replace(
        session.header,
        fidelity=(*make_fidelity(), Component(EVIL, EVIL, EVIL, False, MEGABYTE)),
        host=replace(
            session.header.host,
            cpu_model=EVIL,
            kernel=EVIL,
            engine=EngineFacts(MEGABYTE, MEGABYTE, EVIL, EVIL),
        ),
        shards=(make_merged(1, 1, session_id=EVIL, cpu_model=EVIL, gpu=EVIL),),
        session_id=EVIL,
        command=f"kit {MEGABYTE}",
    )
    study = make_study(title=EVIL)
    return page_of(replace(session, header=header), study)


def test_every_section_and_cell_of_the_markdown_is_there(usual):
    text, shown = usual
    page = Page(shown)
    assert page.titles == ["Contents", *re.findall(r"(?m)^## (.*)$", text)]
    assert page.rows == stock_rows(text)
    assert len(page.rows) > 80
    said = " ".join("".join(page.words).split())
    opening = re.sub(r"(?m)<.*?>|^[|#-].*|\*\*|`+(?:text)?", "", text.split("\n## ")[0])
    for line in filter(None, entities.unescape(opening).splitlines()):
        assert line.replace("\\*", "*") in said
    assert "step 1 Killed" in said


def test_tables_with_hostile_cells_are_the_same_too(hostile):
    text, shown = hostile
    assert Page(shown).rows == stock_rows(text)


def test_folds_stay_folds_and_hold_what_they_held(usual):
    text, shown = usual
    inner = re.search(r"<p>\d+ fits of .*?</details>", shown, re.DOTALL).group()
    assert inner.count("<tr>") == 1 + 25
    sections = len(re.findall(r"(?m)^## (?!Plots)", text))
    claims = len(re.findall(r"(?m)^- \*\*C\d\*\*: ", text))
    assert text.count("<details>") == text.count("</details>") == 7
    # A page folds sections and the reasons of claims too, and no fold twice: one is a section.
    folds = shown.count("</details>")
    assert folds == len(re.findall("<details(?: class=[^>]*)?>", shown)) == 6 + sections + claims
    assert "<details open" not in shown


@pytest.mark.parametrize("which", ["usual", "hostile"])
def test_nothing_is_loaded_from_outside(which, request):
    _, shown = request.getfixturevalue(which)
    page = Page(shown)
    for tag, attrs in page.tags:
        for name in ADDRESSES & attrs.keys():
            allowed = r"data:.*" if tag in {"img", "link"} else r"#[a-z0-9-]+|sbom/[\w.-]+"
            assert re.fullmatch(allowed, attrs[name]), (tag, name, attrs[name][:80])
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert len(page.named("img")) == 5
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "link", "style", "body", "a", "header", "h1", "h2", "p",
        "nav", "ul", "li", "main", "section", "div", "table", "thead", "tbody", "tr", "th", "td",
        "strong", "code", "pre", "img", "details", "summary", "script", "span",
        "svg", "rect", "path", "circle", "text",
    }  # fmt: skip


def test_the_policy_lets_only_this_style_and_this_script_act(usual):
    _, shown = usual
    page = Page(shown)
    policy = next(m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")
    for kind in ("style", "script"):
        (inner,) = re.findall(rf"<{kind}>(.*?)</{kind}>", shown, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_nothing_of_a_hostile_session_becomes_markup(hostile):
    _, shown = hostile
    page = Page(shown)
    for tag in ("script", "style", "h1", "main"):
        assert len(page.named(tag)) == 1, tag
    runs = [attrs for attrs in page.named("path") if attrs["class"].startswith("run ")]
    assert len(page.named("title")) == 1 + len(runs) == 1 + 5
    assert not [a for a in page.named("a") if not re.match(r"#|sbom/", a["href"])]
    outside = re.sub(r"(?s)<(script|style)>.*?</\1>", "", shown)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]",
                         outside)  # fmt: skip
    assert len(page.named("details")) == outside.count("</details>")
    assert "alert(1)" in "".join(page.words)
    assert len(shown.encode()) < 600_000


MARKUP = (
    "<script>alert(1)</script>",
    "a\n\n<div onclick=x>\n\nb",
    "<details open>\n<summary>x</summary>\n\nb\n\n</details>",
    '" onclick="x',
    "' onclick='x",
    "{{ 7 * 7 }} {% include 'page.html' %} {# x #}",
    "[x](javascript:alert(1)) <javascript:alert(1)>",
    "![x](http://h.example/p.svg)",
    "&lt;img src=x onerror=alert(1)&gt;",
)


def every_block(text):
    """A document with the text in each place that holds a string."""
    inline = (
        "a ",
        text,
        Either(text, text, text),
        Strong(text),
        Strong(text, Tone.BAD),
        Code(text),
        Link(text, "sbom/x"),
    )
    blocks = (
        Heading(3, text),
        Paragraph(inline),
        List((text, inline)),
        Table((text, ""), ((text, inline), (Strong(text), text))),
        CodeBlock(text),
        Command(text),
        Answer(Strong(text, Tone.GOOD), text),
        Replacements(text, (Replaced(text, text, text, Tone.BAD),)),
        Table(("a",), ((text,),), reasons=((text, inline),), bars=(Bar(0.1, 0.0, 0.2, (0, 1)),)),
        Figure("plots/x.svg", text, b"<svg/>", b""),
        Chart(text, (text,), (Dot(0, 1, 1.5, text), Dot(7, 2, 1.5, text))),
    )
    return (Heading(1, text), Paragraph(text), Heading(2, text), *blocks, Fold(text, blocks))


@pytest.mark.parametrize("markup", MARKUP)
def test_a_string_is_text_in_every_block(markup):
    shown = html.render(every_block(markup))
    plainly = html.render(every_block("x"))
    page = Page(shown)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in Page(plainly).tags]
    for tag, attrs in page.tags:
        assert set(attrs) <= {
            "lang", "charset", "http-equiv", "content", "name", "rel", "href", "class", "id",
            "role", "tabindex", "aria-label", "aria-labelledby", "scope", "alt", "src",
            "width", "height", "viewbox", "aria-hidden", "x", "y", "cx", "cy", "r", "d",
            "data-series", "transform", "dy", "text-anchor",
        }, tag  # fmt: skip
    said = "".join(page.words)
    assert said.count(plain(markup)) >= 20
    assert page.named("img")[0]["alt"] == plain(markup)


@pytest.mark.parametrize("value", [EVIL, "a|b", "`a`", "*a* _b_ ~c~", "&amp; &lt;", "1. x", "$x$"])
def test_a_value_reads_as_it_came(value):
    table = Table(("a", "b"), ((value, Code(value)),), 900)
    shown = html.render((Heading(1, "T"), Heading(2, "S"), Paragraph(value), table))
    page = Page(shown)
    assert page.rows[1] == [plain(value, 900)] * 2
    assert plain(value, 900) in "".join(page.words)


def test_a_fold_shows_its_summary_as_text_and_its_body_as_blocks():
    body = CodeBlock("</details>\n<details>\n<summary>x</summary>\n```\n")
    fold = Fold("a <b> & `c` \\ |", (body,))
    shown = html.render((Heading(1, "T"), Heading(2, "S"), fold, Paragraph("after")))
    assert "<summary>a &lt;b&gt; &amp; `c` \\ |</summary>" in shown
    assert shown.count("<details>") == shown.count("</details>") == 1
    assert "<p>after</p>" in shown
    assert "&lt;/details&gt;\n&lt;details&gt;" in shown


def test_a_verdict_has_the_colour_of_its_tone():
    shown = html.render((Heading(1, "T"), Paragraph(Strong("OPPOSITE", Tone.BAD))))
    assert '<strong class="bad">OPPOSITE</strong>' in shown
    style = shown.partition("<style>")[2].partition("</style>")[0]
    assert all(f".{tone.value} {{" in style for tone in Tone)


def test_screen_readers_find_their_way(usual):
    text, shown = usual
    page = Page(shown)
    assert shown.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>Does C# train" in shown
    for tag in ("header", "nav", "main", "h1"):
        assert len(page.named(tag)) == 1
    skip = page.named("a")[0]
    assert skip["href"] == f"#{page.named('main')[0]['id']}"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for a in page.named("a") if a["href"].startswith("#")]
    assert set(targets) <= set(ids)
    assert len(targets) == 1 + len(re.findall(r"(?m)^## ", text))
    assert {th["scope"] for th in page.named("th")} == {"col", "row"}
    charts = [svg for svg in page.named("svg") if svg["class"] == "chart"]
    assert len(charts) == 1
    labels = [div["aria-label"] for div in page.named("div") if "aria-label" in div]
    assert (
        len(labels) == len(set(labels)) == len([*page.named("table"), *page.named("img"), *charts])
    )
    alts = [img["alt"] for img in page.named("img")]
    assert alts[0].startswith("Gain by claim. C1 mean: measured")
    assert all(len(alt) > 20 for alt in alts)


def test_plots_are_inside_as_they_were_drawn():
    model = build_report(make_session(paired(SIX)), make_study())
    drawn = plots.draw_all(model)
    large = replace(drawn[1], svg=drawn[1].svg + b" " * html.PLOT_LIMIT_BYTES)
    hard = replace(drawn[2], alt='a "b" <c> | d & `e`')
    drawn = (drawn[0], large, hard, *drawn[3:])
    images = Page(html.render(sections.report(model, drawn))).named("img")
    found = [img["src"].split(",", 1) for img in images]
    assert [base64.b64decode(content) for _, content in found] == [
        plot.png if plot is large else plot.svg for plot in drawn
    ]
    assert found[0][0] == "data:image/svg+xml;base64"
    assert found[1][0] == "data:image/png;base64"
    assert images[2]["alt"] == hard.alt


def test_sections_of_one_title_have_anchors_of_their_own():
    titles = ("A b", "A b", "???")
    shown = html.render((Heading(1, "T"), *(Heading(2, title) for title in titles)))
    assert re.findall(r'<h2 id="([^"]+)"', shown) == ["a-b", "a-b-2", "section"]


def test_the_same_session_gives_the_same_bytes(usual):
    session = make_session(paired(SIX), make_fidelity("data"))
    first, second = (page_of(session)[1] for _ in range(2))
    assert first == second


def test_a_session_that_never_ran_has_a_page():
    _, shown = page_of(replace(make_session(paired(SIX)), entries=()))
    assert "Not testable here" in shown
    assert not Page(shown).named("img")


@pytest.mark.slow
def test_a_session_of_a_thousand_runs_stays_below_five_megabytes():
    model = build_report(make_session(paired(SIX, fits=20)), make_study())
    raw = tuple(
        replace(run, run_id=f"t{block}-{run.arm}", block=block)
        for block in range(500)
        for run in model.raw[:2]
    )
    judged = tuple(
        replace(run, run_id=f"t{block}-{run.arm}", block=block)
        for block in range(500)
        for run in model.judged.runs[:2]
    )
    model = replace(model, raw=raw, judged=replace(model.judged, runs=judged))
    drawn = plots.draw_all(model)
    shown = html.render(sections.report(model, drawn))
    assert "20000 fits of 1000 timed runs" in shown
    assert shown.count("<tr>") > 20000
    assert len(shown.encode()) < 5_000_000
