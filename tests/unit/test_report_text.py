"""Text from containers is data: nothing in it can open markup or an escape sequence."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kit.report.document import NUMBER, Link, List, Paragraph, Table
from kit.report.render.markdown import code, escape, fence, render, started
from kit.report.text import plain

# Heavy in what could break out, so that few examples meet many combinations.
NASTY = st.text(alphabet=st.one_of(st.sampled_from("|`<>\\*_[]()~$&#-\n\r\t\x1b\x9b[];0m\u202e"),
                                   st.characters()), max_size=60)  # fmt: skip
MANY = settings(max_examples=50)  # cheap ones
CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def inline(value, limit=300):
    """The string as a paragraph of one line shows it."""
    return started(escape(plain(value, limit)))


def controls(text):
    return [c for c in text if unicodedata.category(c) in CONTROL]


@MANY
@given(NASTY)
def test_inline_lets_nothing_raw_through(value):
    shown = inline(value)
    assert not controls(shown)
    assert not set(re.sub(r"<(?=\d)", "", shown)) & set("|`<>$")
    without_escapes = re.sub(r"\\.", "", shown)
    # An interval of numbers that no destination and no definition follows is no link.
    without_escapes = re.sub(rf"\[{NUMBER}, {NUMBER}\](?![(:\[])", "", without_escapes)
    assert not set(without_escapes) & set("\\*[]~")
    shown.encode()


@pytest.mark.parametrize(
    "value",
    ["[1, 2](http://e.org)", "[1, 2]: http://e.org", "[1, 2][3, 4](x)", "![1, 2](x)", "<1>", "<a>"],
)
def test_numbers_in_brackets_make_no_markup(value):
    page = MarkdownIt("commonmark").render(render((Paragraph(value),)))
    assert re.fullmatch(r"<p>[^<>]*</p>\n", page)
    assert html.unescape(page)[3:-5] == value


@pytest.mark.parametrize("first", ["# ", "- ", "1. ", "> ", "| ", "```\n", "    ", "\n---\n", "+ "])
def test_no_paragraph_or_item_opens_another_block(first):
    blocks = (Paragraph(f"{first}x | y"), List((f"{first}x | y",)))
    page = MarkdownIt("commonmark").enable("table").render(render(blocks))
    assert re.findall(r"<(\w+)", page) == ["p", "ul", "li"]


def test_parts_of_a_line_make_no_markup_together():
    parts = ("a [x]", "(http://e.org) !", Link("own", "sbom/x"), " b_", "_c **", "d** `", "e`")
    page = MarkdownIt("commonmark").render(render((Paragraph(parts),)))
    assert re.findall(r"<(\w+)", page) == ["p", "a"]
    text = html.unescape(re.sub("<[^>]*>", "", page)).strip()
    assert text == "a [x](http://e.org) !own b__c **d** `e`"


@MANY
@given(NASTY)
def test_plain_is_one_line_without_controls(value):
    assert not controls(plain(value))
    assert len(plain(value, 20)) <= 20


@MANY
@given(NASTY)
def test_code_never_holds_what_would_end_its_span_or_cell(value):
    shown = code(value)
    assert "|" not in shown
    assert "\n" not in shown
    assert shown.count("`") in {0, 2}
    assert not controls(shown)


@MANY
@given(NASTY)
def test_a_block_cannot_be_left_from_inside(value):
    first, *inside, last = fence(value).split("\n")
    mark = first.removesuffix("text")
    assert last == mark
    assert set(mark) == {"`"}
    assert not any(mark in line for line in inside)
    assert not controls("".join(inside))


@MANY
@given(NASTY, st.integers(1, 30))
def test_cutting_cannot_undo_escaping(value, limit):
    shown = inline(value, limit)
    assert not set(re.sub(r"<(?=\d)", "", shown)) & set("|`<>\n")


@pytest.mark.parametrize(
    "value, shown",
    [
        ("a|b", "a&#124;b"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[x](http://e.org)", "\\[x\\](http://e.org)"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://e.org\x07link\x1b]8;;\x07", "link"),
        ("two\nlines\r\nthree", "two lines three"),
        ("gnp.exe\u202eevil", "gnp.exeevil"),
        ("x86_64 perf_counter_ns", "x86_64 perf_counter_ns"),
        ("_emphasis_", "\\_emphasis\\_"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("2.10.1", "2.10.1"),
        ("R&D", "R&amp;D"),
        ("p <0.001", "p <0.001"),
        ("+6.4 % [+4.1, +8.6]", "+6.4 % [+4.1, +8.6]"),
        ("\ud800", "\ufffd"),
        ("", ""),
    ],
)
def test_known_strings(value, shown):
    assert inline(value) == shown


def test_every_character_that_is_dropped_or_replaced_is_found_by_itself():
    for char in map(chr, (*range(0x3100), 0xD800, 0xE000, 0xFEFF, 0xFFFF, 0x1F4A9, 0xE0001)):
        bad = unicodedata.category(char) in {*CONTROL, "Co"} or (char.isspace() and char != " ")
        assert (plain(f"a{char}b") == f"a{char}b") != bad, char


def test_a_megabyte_is_cut():
    assert len(plain("x" * 1_000_000)) == 300
    assert plain("x" * 1_000_000).endswith("…")
    assert len(fence("x" * 1_000_000)) < 4100


def test_a_block_keeps_the_end_and_outfences_the_text():
    text = "start\n" + "x" * 5000 + "\n````\nKilled"
    shown = fence(text)
    assert shown.startswith("`````text\n…")
    assert shown.endswith("Killed\n`````")


def test_a_progress_bar_becomes_lines_without_backspaces():
    assert fence("1/6\x08\x08\x08 2/6\r3/6") == "```text\n1/6 2/6\n3/6\n```"


def test_code_spans():
    assert code("sha256:ab") == "`sha256:ab`"
    assert code("a`b") == "a&#96;b"
    assert code("") == ""


def test_a_table_is_padded_alike_whatever_is_installed() -> None:
    text = render((Table(("title",), (("한국어 논문",), ("x",))),))
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
