"""Checking a results folder as an outsider: does everything in it follow from its log?

This finds what was changed after the fact, a file at a time. Whoever can rewrite the whole
folder can make another one: only a signature tells that one from the first.
An appendix, in which authors fill in blanks, is known by its sum alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import kit
from kit.errors import InputError, KitError, TamperedError
from kit.plan.model import EXPLAIN
from kit.records.command import shown
from kit.records.session import Session
from kit.results.folder import REMEDY, open_results
from kit.results.names import ABLATION, RUN_LOG, SUMS
from kit.results.opened import open_session
from kit.results.runlog import broken_chain
from kit.results.sign import Signers
from kit.study.model import Study
from kit.verify import header, plan, reports, runs, sboms, signature, sums
from kit.verify.result import UNREADABLE, CheckResult, check_result, said

__all__ = ["CheckResult", "verified_sums", "verify"]


@dataclass(frozen=True)
class _Session:
    """What was found of one session, and its files; None where those cannot be told."""

    results: tuple[CheckResult, ...]
    files: sums.Known | None = None
    unfinished: bool = False
    """An explanation with runs still to make: its files are not what they will be."""
    session: Session | None = None
    """Itself; None where it cannot be read."""


def verify(folder: Path, signers: Signers | None = None) -> tuple[CheckResult, ...]:
    """Every check of the folder.

    Raises InputError where there is no session at all, HostError where a signature is asked
    for and this machine cannot check it.
    """
    content = _sums(folder)
    signed = signature.check(folder, content, signers)
    return (*_follows(folder, content), signed)


def verified_sums(folder: Path) -> bytes:
    """Return the sums of a folder in which everything holds, whoever signed it.

    Raise TamperedError that names what does not hold, InputError where there is no session.
    """
    content = _sums(folder)
    wrong = [found.what for found in _follows(folder, content) if found.wrong]
    if wrong or content is None:
        raise TamperedError(
            f"{folder}: {', '.join(wrong)}: not as the session wrote it",
            f"see `{shown('verify', folder)}`; "
            f"`{shown('report', folder)}` makes reports again from the log",
        )
    return content


def _sums(folder: Path) -> bytes | None:
    """The list of sums, read once for all that is said of it; None: ``sums.check`` says why."""
    with open_results(folder) as results:
        try:
            return results.read(SUMS) if results.holds(SUMS) else None
        except InputError:
            return None


def _follows(folder: Path, content: bytes | None) -> tuple[CheckResult, ...]:
    """Everything but the signature."""
    with open_results(folder) as results:
        if not results.holds(RUN_LOG):
            raise InputError(f"{folder}: holds no {RUN_LOG}", REMEDY)
        explained = results.has(f"{ABLATION}/{RUN_LOG}")
    inside = _session(folder / ABLATION, None) if explained else None
    own = _session(folder, inside)
    found = [sums.check(folder, _known(own, inside), content), *own.results]
    if inside is not None:
        found += [replace(each, what=f"explanation: {each.what}") for each in inside.results]
    return tuple(found)


def _known(own: _Session, inside: _Session | None) -> sums.Known:
    """The files of the session and of the explanation in its folder."""
    known = own.files or sums.ANY
    if inside is None:
        return known
    if inside.unfinished:
        return replace(known, unfinished=f"{ABLATION}/")
    return known.with_folder(ABLATION, inside.files or sums.ANY)


def _session(folder: Path, inside: _Session | None) -> _Session:
    """Whether log, plan, runs and reports of one session belong together.

    ``inside`` is what was found of the explanation in its folder.
    """
    chain = check_result("chain of the log", lambda: broken_chain(folder), "whole")
    what = "log and study"
    try:
        opened = open_session(folder)
    except KitError as error:
        return _Session((chain, CheckResult(what, (error.problem,), "")))
    except UNREADABLE as error:
        # Such as a file of the study whose name is no text.
        return _Session((chain, CheckResult(what, (f"cannot be read: {said(error)}",), "")))
    session, study = opened.session, opened.study
    if inside is not None and inside.session is None:
        derived = reports.Derived(CheckResult(reports.WHAT, inside.results[-1].wrong, ""))
    else:
        beside = None if inside is None else inside.session
        derived = reports.check(folder, session, study, beside)
    found = (
        chain,
        CheckResult(what, (), "by their schemas; the study is the plan's"),
        check_result("header", lambda: header.differences(session, study), "agrees with itself"),
        _plan(session, study),
        check_result(
            "runs",
            lambda: runs.differences(session, study),
            "each as it was planned",
            lambda: runs.missing(session),
        ),
        sboms.check(folder, session),
        derived.result,
    )
    explains = session.header.plan.purpose == EXPLAIN
    return _Session(found, derived.files, explains and session.unfinished, session)


def _plan(session: Session, study: Study) -> CheckResult:
    """Compare the plan with the one made again; another kit may plan otherwise."""
    what = "plan"
    found = check_result(what, lambda: plan.differences(session, study), "made again, the same")
    version = session.header.kit_version
    if found.wrong and version != kit.__version__:
        why = f"written by kit {version}, this is kit {kit.__version__}, which plans otherwise"
        return CheckResult(what, (), "", (why,))
    return found
