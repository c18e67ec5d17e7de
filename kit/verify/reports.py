"""Check of the reports: kit derives every one again from the log.

Words and structure must be equal; ``kit.verify.numbers`` and ``kit.verify.plots`` define
how numbers and plots may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import kit
from kit.environment import load_matplotlib
from kit.errors import InputError, KitError
from kit.judge.ablation import judge_ablation
from kit.plan.model import EXPLAIN
from kit.records.session import Session
from kit.report import ablation as explanation
from kit.report.build import build_report
from kit.report.files import is_picture, report_files, without_pictures
from kit.results import APPENDIX, APPENDIX_LATEX, PAGE, REPORT, SBOMS, sbom_name
from kit.results.folder import open_results
from kit.study.model import Study
from kit.verify import plots
from kit.verify.numbers import FileComparison, compare
from kit.verify.result import UNREADABLE, CheckResult, message_of
from kit.verify.sums import ExpectedFiles

WHAT = "reports"
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class DerivedReports:
    """The result of checking the reports, and the session's files by name; None: unknown."""

    result: CheckResult
    files: ExpectedFiles | None = None


def check(folder: Path, session: Session, study: Study, ablation: Session | None) -> DerivedReports:
    """Make every report again, compare it with the folder's file, and return the result.

    Differences that other versions of the libraries may cause are noted or unverified, not wrong.
    ``ablation`` is the ablation session in the session's folder, None if there is none.
    """
    if session.header.plan.purpose == EXPLAIN:
        if session.unfinished:
            return DerivedReports(
                CheckResult(WHAT, (), "", ("unfinished: repeat `kit ablate` to go on with it",))
            )
        return _derived(folder, session, lambda: _explanation(session, study))
    found = _derived(folder, session, lambda: _report(session, study, ablation))
    if found.result.wrong and ablation is not None and ablation.unfinished:
        # The reports may be older than the unfinished ablation.
        older = _derived(folder, session, lambda: _report(session, study, None))
        return found if older.result.wrong else older
    return found


def _explanation(session: Session, study: Study) -> Files:
    found = judge_ablation(session, study)
    return explanation.files(found) if found is not None else {}


def _report(session: Session, study: Study, ablation: Session | None) -> Files:
    load_matplotlib()
    return report_files(build_report(session, study, ablation))


def _derived(folder: Path, session: Session, make: Callable[[], Files]) -> DerivedReports:
    try:
        made = make()
    except KitError as error:
        return DerivedReports(CheckResult(WHAT, (error.problem,), ""))
    except ImportError as error:
        # Without matplotlib, kit derives no report, so it compares none.
        return DerivedReports(
            CheckResult(WHAT, (), "", (f"cannot be derived on this machine: {error}",))
        )
    except UNREADABLE as error:
        return DerivedReports(CheckResult(WHAT, (f"cannot be derived: {message_of(error)}",), ""))
    found, wrong = _read(folder, made)
    drawn = plots.compare(made, found)
    rest = _compared(made, found)
    wrong += [f"{name} does not follow from the log" for name in rest.wrong]
    wrong += drawn.wrong
    if PAGE in found and PAGE not in rest.wrong:
        wrong += plots.in_page(made, found)
    names = set(made)
    if session.header.plan.purpose != EXPLAIN:
        sboms = [f"{SBOMS}/{sbom_name(arm)}" for arm in session.header.images]
        names |= {*sboms, APPENDIX, APPENDIX_LATEX}
        wrong += _unlinked(folder, sboms, made[REPORT])
    version = session.header.kit_version
    if wrong and version != kit.__version__:
        # Another version of kit may word and round differently: that is not tampering.
        by = f"written by kit {version}, this is kit {kit.__version__}"
        return DerivedReports(CheckResult(WHAT, (), "", (f"{by}, which derives other ones",)))
    other = [f"last digits of numbers differ in {', '.join(rest.rounded)}"] if rest.rounded else []
    other += [drawn.note] if drawn.note else []
    good = f"derived again; {'; '.join(other)}" if other else "derived again, byte for byte"
    derived = CheckResult(WHAT, tuple(wrong), good, drawn.unverified)
    return DerivedReports(derived, ExpectedFiles(frozenset(names)))


def _read(folder: Path, made: Files) -> tuple[dict[str, bytes], list[str]]:
    """Return the folder's files of those names, and an error for each that is not there."""
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


def _compared(made: Files, found: Files) -> FileComparison:
    """Compare the files that are not plots, the page without the plots inside it."""

    def without_plots(files: Files) -> Files:
        return {
            name: without_pictures(content)[0] if name == PAGE else content
            for name, content in files.items()
            if not is_picture(name)
        }

    return compare(without_plots(made), without_plots(found))


def _unlinked(folder: Path, names: list[str], report: bytes) -> Iterator[str]:
    """Yield an error for each missing bill of materials that the report links."""
    with open_results(folder) as results:
        for name in names:
            if f"({name})".encode() in report and not results.has(name):
                yield f"{name} is missing, which {REPORT} links"
