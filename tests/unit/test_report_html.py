"""report.html: one file, the markdown's content, and nothing of a container becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from sessions import change_run, fail_run, make_session, make_study, paired, with_role

from kit.report import html, markdown
from kit.report.model import build_report
from kit.report.plots import draw_all

SESSION = with_role(make_session(paired([1.07, 1.06, 1.068])), "placebo", [1.0, 1.01, 0.99])


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text of cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.text = [], [], ""
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data):
        self.text += data
        if self.inside:
            self.cells[-1] += data


def page_of(session=SESSION, plots=False):
    model = build_report(session, make_study())
    drawn = draw_all(model) if plots else ()
    return html.render(model, markdown.render(model, drawn), drawn)


def test_it_needs_no_other_file_and_no_network():
    text = page_of(plots=True)
    page = Page(text)
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "object", "base", "form")
        for name in ("src", "href", "srcset", "action"):
            value = attrs.get(name)
            assert value is None or value.startswith(("data:image/", "#section-", "#report"))
        assert "style" not in attrs and not any(name.startswith("on") for name in attrs)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == 5
    assert all(len(attrs["alt"]) > 40 for attrs in images)
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_it_holds_what_the_markdown_holds():
    model = build_report(SESSION, make_study())
    text = markdown.render(model)
    page = Page(html.render(model, text))
    for title in re.findall(r"^## (.+)$", text, re.MULTILINE):
        assert page.text.count(title.replace("\\", "")) >= 2  # heading and contents
    cells = sum(line.count("|") - 1 for line in text.splitlines() if line.startswith("|"))
    rules = sum(line.count("|") - 1 for line in text.splitlines() if line.startswith("|-"))
    assert len(page.cells) == cells - rules
    assert "INCONCLUSIVE" in page.text or "REPRODUCED" in page.text
    assert sum(tag == "details" for tag, _ in page.tags) == text.count("<details>")


def test_heads_have_a_scope_and_the_page_its_landmarks():
    page = Page(page_of())
    assert {a.get("scope") for t, a in page.tags if t == "th"} == {"col"}
    names = [t for t, _ in page.tags]
    assert {"main", "nav"} <= set(names)
    assert next(a for t, a in page.tags if t == "html")["lang"] == "en"
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


HOSTILE = [
    "</td></table><script>alert(1)</script>",
    "<details>\n<summary>x</summary>\n<img src=http://evil.example/x onerror=alert(1)>",
    "[link](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "`code` | pipe **bold** $x$",
    "\x1b[31mred\x1b[0m \u202eright to left\u202c",
    "<" * 1_000_000,
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_a_container_becomes_markup(value):
    session = fail_run(SESSION, "t1-dotnet-cpu", value, f"{value}\n<details>\n</details>\n{value}")
    session = change_run(session, "t0-python-cpu", machine=value)
    record = session.entries[-1].record
    session = change_run(
        session,
        session.entries[-1].run_id,
        record=replace(record, versions={**record.versions, "os": value, "runtime": value}),
    )
    text = page_of(session)
    plain = page_of(fail_run(SESSION, "t1-dotnet-cpu", "x", "x"))
    counted = [sum(tag == name for tag, _ in Page(p).tags) for p in (text, plain) for name in
               ("script", "details", "img", "a", "table", "iframe")]  # fmt: skip
    assert counted[:6] == counted[6:]
    assert "\x1b" not in text and "\u202e" not in text
    assert len(text) < 1_000_000


def test_the_same_session_gives_the_same_bytes():
    assert page_of(plots=True) == page_of(plots=True)


def test_a_thousand_runs_stay_below_five_megabytes():
    many = make_session(paired([1.05 + 0.001 * (i % 7) for i in range(500)], fits=5))
    assert len(page_of(many, plots=True).encode()) < 5_000_000
