"""The reports, every one derived again from the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import kit
from kit.errors import InputError, KitError
from kit.images.sbom import sbom_name
from kit.judge.explain import explain
from kit.measure.runlog import read_session
from kit.measure.session import Session
from kit.plan.model import EXPLAIN
from kit.report import appendix, explanation
from kit.report.files import (
    PAGE,
    REPORT,
    is_picture,
    picture_address,
    report_files,
    without_pictures,
)
from kit.report.model import build_report
from kit.results.folder import SBOMS, open_results
from kit.study.model import Study
from kit.verify.finding import UNREADABLE, Finding, said
from kit.verify.sums import Known

WHAT = "reports"
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Derived:
    """What was found, and the names of the session's files; None: they cannot be told."""

    finding: Finding
    files: Known | None = None


def check(
    folder: Path, session: Session, study: Study, beside: Path | None, beside_unfinished: bool
) -> Derived:
    """Every report made anew. Plots may differ, by the drawing library alone: that is said."""
    if session.header.plan.purpose == EXPLAIN:
        if session.unfinished:
            return Derived(
                Finding(WHAT, ("it is unfinished: the same `kit explain` goes on with it",), "")
            )
        return _derived(folder, session, lambda: _explanation(session, study))
    found = _derived(folder, session, lambda: _report(session, study, beside))
    if found.finding.wrong and beside_unfinished:
        # The reports may be older than the explanation that is still being made.
        older = _derived(folder, session, lambda: _report(session, study, None))
        return found if older.finding.wrong else older
    return found


def _explanation(session: Session, study: Study) -> Files:
    found = explain(session, study)
    return explanation.files(found) if found is not None else {}


def _report(session: Session, study: Study, beside: Path | None) -> Files:
    other = read_session(beside) if beside is not None else None
    return report_files(build_report(session, study, other))


def _derived(folder: Path, session: Session, make: Callable[[], Files]) -> Derived:
    try:
        made = make()
    except KitError as error:
        return Derived(Finding(WHAT, (error.problem,), ""))
    except UNREADABLE as error:
        return Derived(Finding(WHAT, (f"cannot be derived: {said(error)}",), ""))
    good = "derived again, byte for byte"
    found, wrong = _read(folder, made)
    redrawn = _redrawn(made, found)
    for name, content in found.items():
        if name == PAGE:
            wrong += _page(made, found)
        elif content != made[name] and name not in redrawn:
            wrong.append(f"{name} does not follow from the log")
    names = set(made)
    if session.header.plan.purpose != EXPLAIN:
        sboms = [f"{SBOMS}/{sbom_name(arm)}" for arm in session.header.images]
        names |= {*sboms, appendix.MARKDOWN, appendix.LATEX}
        wrong += _unlinked(folder, sboms, made[REPORT])
    version = session.header.kit_version
    if wrong and version != kit.__version__:
        # Another kit may word and round otherwise: that is no tampering.
        other = f"written by kit {version}, this is kit {kit.__version__}"
        return Derived(Finding(WHAT, (f"{other}, which derives other ones",), ""))
    if redrawn:
        good += f"; otherwise drawn by the drawing library here: {', '.join(redrawn)}"
    return Derived(Finding(WHAT, tuple(wrong), good), Known(frozenset(names)))


def _read(folder: Path, made: Files) -> tuple[dict[str, bytes], list[str]]:
    """The folder's own files of those names, and what is wrong where there is none."""
    found: dict[str, bytes] = {}
    wrong: list[str] = []
    with open_results(folder) as results:
        for name in made:
            try:
                if results.holds(name):
                    found[name] = results.read(name)
                else:
                    wrong.append(f"{name} is missing")
            except InputError as error:
                wrong.append(error.problem)
    return found, wrong


def _redrawn(made: Files, found: Files) -> list[str]:
    """The plots that another drawing library explains: it draws none of them the same.

    PNGs may differ where the SVGs are the same, for other libraries (of fonts, of packing)
    make their bytes too; again then all of them do.
    """
    plots = [name for name in made if is_picture(name) and name in found]
    same = [name for name in plots if found[name] == made[name]]
    other = [name for name in plots if name not in same]
    if same:
        other = [name for name in other if name.endswith(".png")]
    return other if not any(name.endswith(".png") for name in same) else []


def _page(made: Files, found: Files) -> Iterator[str]:
    """What differs in the page: its text is the one made anew, its plots the folder's own."""
    text, pictures = without_pictures(found[PAGE])
    wanted_text, wanted = without_pictures(made[PAGE])
    if text != wanted_text or len(pictures) != len(wanted):
        yield f"{PAGE} does not follow from the log"
        return
    here = {**made, **found}
    plots = [name for name in made if is_picture(name)]
    plot_of = {picture_address(name, made[name]): PurePosixPath(name).stem for name in plots}
    for shown, due in zip(pictures, wanted, strict=True):
        plot = plot_of[due]
        # Drawn otherwise, a plot may pass the size up to which the page holds the SVG.
        if shown not in {
            picture_address(name, here[name]) for name in plots if PurePosixPath(name).stem == plot
        }:
            yield f"{PAGE} shows another picture of {plot} than the folder holds"


def _unlinked(folder: Path, names: list[str], report: bytes) -> Iterator[str]:
    """The bills of materials that the report links and that are not there."""
    with open_results(folder) as results:
        for name in names:
            if f"({name})".encode() in report and not results.has(name):
                yield f"{name} is missing, which {REPORT} links"
