"""report.md as GitHub shows it: its column's width, and no HTML that its sanitizer strips."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from selenium.webdriver.common.by import By
from test_report_browser import browser, report  # noqa: F401

# A file's page on GitHub: a column of at most 1012 px with 32 px of padding, and tables
# that scroll by themselves where a row does not fit (primer's markdown-body).
COLUMN_PX = 948
STYLE = """
body { margin: 0; font: 16px/1.5 sans-serif; width: 948px }
table { display: block; width: max-content; max-width: 100%; overflow: auto;
        border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid }
code { font: 85% monospace; padding: .2em .4em }
pre { overflow: auto; padding: 16px }
img { max-width: 100% }
"""
# Of the tags that GitHub's sanitizer lets through, those that a report may hold as raw HTML.
KEPT = {"details", "summary"}


def tokens(text):
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    return [part for token in parsed for part in (token, *(token.children or ()))]


def test_raw_html_is_what_github_keeps(report):  # noqa: F811
    raw = [t.content for t in tokens(report[1]) if t.type in ("html_block", "html_inline")]
    tags = {tag for text in raw for tag in re.findall(r"</?([a-zA-Z][\w-]*)", text)}
    assert tags == KEPT
    assert all(re.fullmatch(r"\s*(</?\w+>|[^<>]+)*\s*", text) for text in raw)


def test_no_table_scrolls_and_nothing_is_wider_than_the_column(browser, report, tmp_path):  # noqa: F811
    body = MarkdownIt("commonmark").enable("table").render(report[1])
    page = tmp_path / "report.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}")
    browser.get(page.as_uri())
    tables = browser.find_elements(By.XPATH, "//table[not(ancestor::details)]")
    assert len(tables) >= 6
    wide = [
        (table.text.split("\n")[0], table.get_property("scrollWidth"))
        for table in tables
        if table.get_property("scrollWidth") > COLUMN_PX
    ]
    assert wide == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280
