"""The artifact appendix: filled from the log, safe in markdown and in LaTeX."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import (
    LatexCharsNode,
    LatexEnvironmentNode,
    LatexGroupNode,
    LatexMacroNode,
    LatexWalker,
)
from support.bench import STUDY, Bench, reported, varied
from support.sessions import (
    DOTNET,
    fail_run,
    make_fidelity,
    make_merged,
    make_session,
    make_study,
    paired,
)

import kit.cli
from kit.records.host import EngineFacts
from kit.records.images import ExecutableRun
from kit.report.appendix import render
from kit.report.appendix.checklist import TO_FILL_IN
from kit.report.build import build_report
from kit.report.files import SUMS
from kit.report.render.latex import escape
from kit.results import APPENDIX, APPENDIX_LATEX, RUN_LOG
from kit.study.load import shipped_study
from kit.study.model import Tier
from kit.verify import verify_folder

pytestmark = pytest.mark.slow

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
SPECIALS = "\\input{/etc/passwd} \\write18{rm} 100% $x$ #1 a_b & ~ ^^41 {} [x] -- `` '' \" <|>"
EVIL = f"| `x` <script>alert(1)</script> ]]> \x1b[31m\u202e\x00 {SPECIALS} \\end{{document}}"
COMMANDS = {
    "documentclass", "usepackage", "setlength", "emergencystretch", "section", "subsection",
    "textbf", "texttt",
    "item", "ttfamily", "raggedright", "char", "ensuremath", "times", "pm", "ldots", "ss",
    "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar",
    "textasciigrave", "textquotesingle", "allowbreak",
    *"{}$%&#_`'^~\"rcv",
}  # fmt: skip
ENVIRONMENTS = {"document", "quote", "itemize"}


def made(session=None, study=None):
    """The two files of the session; those of a good one are made once."""
    return once() if session is None and study is None else written(session, study)


@cache
def once():
    return written(None, None)


def written(session, study):
    session = session or make_session(paired(SIX, fits=4))
    files = render(session, build_report(session, study or make_study()))
    return files[APPENDIX].decode(), files[APPENDIX_LATEX].decode()


def nodes(tex):
    """Every node of the document, by a parser that forgives nothing."""
    found, _, _ = LatexWalker(tex, tolerant_parsing=False).get_latex_nodes()

    def walk(items):
        for node in items:
            yield node
            arguments = getattr(node, "nodeargd", None)
            inner = list(getattr(node, "nodelist", None) or [])
            inner += [a for a in (arguments.argnlist if arguments else ()) or () if a is not None]
            yield from walk(inner)

    return list(walk(found))


def check_latex(tex):
    """Only commands that the kit writes, in ASCII, nothing after the document's end."""
    assert tex.isascii()
    assert tex.rstrip().endswith("\\end{document}")
    assert tex.count("\\end{document}") == tex.count("\\begin{document}") == 1
    for node in nodes(tex):
        if isinstance(node, LatexMacroNode):
            assert node.macroname in COMMANDS, node.macroname
        elif isinstance(node, LatexEnvironmentNode):
            assert node.environmentname in ENVIRONMENTS
        else:
            assert isinstance(node, (LatexGroupNode, LatexCharsNode)), node


def test_every_claim_has_its_experiment():
    markdown, tex = made(study=replace(STUDY, sha256=make_study().sha256))
    for claim in STUDY.claims:
        assert f"### {claim.id}, cpu: " in markdown
        assert f"\\subsection*{{{claim.id}, cpu: " in tex
    for name in ("C5", "C6", "K1", "K9"):
        assert name in markdown and name in tex
    for row in (
        "Human time", "Compute time", "Disk", "Memory", "Expected result", "Allowed variation",
        "Result of this session", "Requirements",
    ):  # fmt: skip
        assert markdown.count(f"- **{row}**: ") >= 6
    assert "kit reproduce --budget quick --seed 1" in markdown
    check_latex(tex)


def test_a_small_session_is_of_the_same_study():
    session = make_session(paired(SIX, fits=4))
    command = "kit reproduce --budget long --seed 1 --study 'my studies/x' --blocks 9"
    session = replace(session, header=replace(session.header, command=command))
    tiers = {name: Tier(name, blocks, 5) for name, blocks in (("long", 9), ("brief", 2))}
    study = make_study()
    study = replace(study, protocol=replace(study.protocol, tiers=tiers))
    markdown, _ = made(session, study)
    assert "kit reproduce --budget brief --study 'my studies/x'\n" in markdown


def test_the_check_list_is_whole():
    markdown, tex = made()
    for row in (
        "Algorithm", "Program", "Data set", "Run-time environment", "Hardware", "Metrics",
        "Output", "Experiments", "Disk space required", "Time to prepare workflow",
        "Time to complete", "Publicly available", "Licences",
    ):  # fmt: skip
        assert f"- **{row}" in markdown
        assert f"\\item \\textbf{{{row.replace('-', '-{}')}" in tex
    assert markdown.count(TO_FILL_IN) == 3


def test_costs_are_the_measured_ones():
    markdown, _ = made()
    assert "2.7 minutes in 8 containers" in markdown
    assert ": 0.4 minutes from" in markdown
    assert "2.6 GB of images at most" in markdown
    assert ": 3.4 GB of peak" in markdown
    assert ": 6.0 GB\n" in markdown
    assert "8.0 GB to build" in markdown


def test_what_was_not_measured_is_said():
    session = make_session(paired(SIX, fits=4))
    entries = tuple(replace(entry, started_at="", finished_at="") for entry in session.entries)
    markdown, _ = made(replace(session, entries=entries))
    assert "not measured in this session" in markdown
    for block in range(3):
        session = fail_run(session, f"t{block}-{DOTNET}")
    markdown, tex = made(session)
    assert "NOT TESTABLE HERE: measured -" in markdown
    check_latex(tex)


def test_substitutes_are_named():
    markdown, _ = made(make_session(paired(SIX, fits=4), make_fidelity("binding")))
    assert "SUBSTITUTED: another; published: Keras.NET" in markdown
    assert "INDICATIVE: REPRODUCED" in markdown


def test_the_executable_has_its_size():
    run = ExecutableRun("kit/x:1", "sha256:0", 300_000_000, "apphost", True, False, "x", 70, "")
    session = replace(make_session(paired(SIX, fits=4)), executable=run)
    markdown, _ = made(session, replace(shipped_study(), sha256=make_study().sha256))
    assert "0.3 GB" in markdown


def test_gathered_shards_are_named_with_the_hardware():
    session = make_session(paired(SIX, fits=4))
    markdown, _ = made(
        replace(session, header=replace(session.header, shards=(make_merged(1, 2),)))
    )
    assert "merged from: 1/2: session session-1 on Example CPU" in markdown


def test_the_same_session_gives_the_same_bytes():
    assert made() == written(None, None)


def test_escaped_text_reads_as_it_was():
    shown = LatexNodes2Text(strict_latex_spaces=True).latex_to_text(escape(SPECIALS))
    plainly = shown.replace("{}", "").replace(" ", "")
    for part in ("\\input", "/etc/passwd", "100%", "$x$", "#1", "a_b", "&", "~", "[x]"):
        assert part in plainly


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é ü ñ ç å š", "{\\' e} {\\\" u} {\\~ n} {\\c c} {\\r a} {\\v s}"),
        ("가", "{[}U+AC00{]}"),
        ("\N{PILE OF POO}", "{[}U+1F4A9{]}"),
        ("--gpu", "-{}-{}gpu"),
        ("a — b … “c”", "a --- b \\ldots{} ``c''"),
    ],
)
def test_other_letters_have_a_form_any_engine_can_set(text, shown):
    assert escape(text) == shown


def hostile(text):
    session = make_session(paired(SIX, fits=4))
    header = session.header
    header = replace(
        header,
        command=text,
        created=text,
        kit_version=text,
        host=replace(
            header.host,
            cpu_model=text,
            engine=EngineFacts(text, text, text, text),
            operating_system=text,
            kernel=text,
        ),
        fidelity=tuple(replace(row, got=text, why=text, wanted=text) for row in header.fidelity),
    )
    entries = tuple(
        replace(e, finished_at=text, record=replace(e.record, versions={text: text}))
        for e in session.entries
    )
    study = make_study(title=text, workload={text: text})
    claims = tuple(
        replace(c, statement=text, where=text, needs=text, id=f"{c.id} {text}")
        for c in study.claims
    )
    study = replace(study, claims=claims, paper=replace(study.paper, citation=text))
    return made(replace(session, header=header, entries=entries), study)


def test_a_long_word_can_be_broken_and_a_short_one_is_left_whole():
    digest = "sha256:" + "0123456789abcdef" * 4
    parts = escape(f"a {digest} b").split("\\allowbreak{}")
    assert "".join(parts) == f"a {digest} b"
    assert max(len(part) for part in parts) <= 18
    assert escape("a-word-of-thirty-letters-or-so").count("allowbreak") == 0


def test_long_strings_are_cut():
    for content in hostile("|`\\{" * 20_000):
        assert len(content) < 600_000


@pytest.mark.parametrize("text", [EVIL, SPECIALS], ids=["evil", "tex"])
def test_hostile_strings_stay_data(text):
    markdown, tex = hostile(text)
    check_latex(tex)
    for content in (markdown, tex):
        assert not set("\x1b\u202e\x00") & set(content)
    page = MarkdownIt("commonmark").enable("table").render(markdown)
    assert not re.search("<(script|a|img|table|hr)", page)
    clean_markdown, clean_tex = made()
    clean = MarkdownIt("commonmark").enable("table").render(clean_markdown)
    for tag in ("<h1", "<h2", "<h3", "<ul", "<li", "<pre", "<strong"):
        assert page.count(tag) == clean.count(tag), tag
    assert tex.count("\\section*") == clean_tex.count("\\section*")
    assert tex.count("\\item ") == clean_tex.count("\\item ")


def test_the_command_writes_both_and_hides_no_other_change(tmp_path: Path, capsys) -> None:
    folder = Bench(tmp_path / "made", varied()).reproduce()
    reported(folder)
    assert kit.cli.run(["appendix", str(folder)]) == 0
    out = capsys.readouterr().out
    assert APPENDIX in out and APPENDIX_LATEX in out
    check_latex((folder / APPENDIX_LATEX).read_text())
    before = (folder / SUMS).read_bytes()
    assert kit.cli.run(["appendix", str(folder)]) == 0
    assert (folder / SUMS).read_bytes() == before
    # Nor does it hide a change of another file.
    (folder / "report.md").write_text("better")
    assert kit.cli.run(["appendix", str(folder)]) == 0
    (files,) = (f for f in verify_folder(folder) if f.what == "files")
    assert files.wrong == ("report.md was changed",)


def test_a_folder_without_a_session_is_refused(tmp_path: Path, capsys) -> None:
    assert kit.cli.run(["appendix", str(tmp_path)]) == 2
    assert RUN_LOG in capsys.readouterr().err
