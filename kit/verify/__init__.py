"""Checks of a results folder by an outsider: does everything in it follow from its log?

They find single files that were changed later. Somebody who can rewrite all of the folder
can make another consistent one: only a signature distinguishes it from the original.
Authors edit the appendix, so kit checks only its checksum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import kit
from kit.errors import InputError, KitError, TamperedError
from kit.plan.model import EXPLAIN
from kit.records.command import shown
from kit.records.session import Session
from kit.results import ABLATION, RUN_LOG, SUMS
from kit.results.folder import REMEDY, open_results
from kit.results.opened import open_session
from kit.results.runlog import broken_chain
from kit.results.sign import Signers
from kit.study.model import Study
from kit.verify import log, plan, reports, sums
from kit.verify.result import UNREADABLE, CheckResult, check_result, message_of

__all__ = ["CheckResult", "verified_sums", "verify"]


@dataclass(frozen=True)
class _Session:
    """The results for one session, and its files; None if those are unknown."""

    results: tuple[CheckResult, ...]
    files: sums.ExpectedFiles | None = None
    unfinished: bool = False
    """Whether it is an ablation session with runs still to make, whose files will change."""
    session: Session | None = None
    """The session; None if it cannot be read."""


def verify_folder(folder: Path, signers: Signers | None = None) -> tuple[CheckResult, ...]:
    """Return the result of every check of the folder.

    Raise InputError if there is no session at all, HostError if ``signers`` are given and this
    machine cannot check a signature.
    """
    content = _sums(folder)
    signed = sums.check_signature(folder, content, signers)
    return (*_follows(folder, content), signed)


def verified_sums(folder: Path) -> bytes:
    """Return the sums of a folder that passes every check but that of the signature.

    Raise TamperedError naming the checks that fail, InputError if there is no session.
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
    """Return the list of sums, read once for all checks; None: ``check_files`` says why."""
    with open_results(folder) as results:
        try:
            return results.read(SUMS) if results.holds(SUMS) else None
        except InputError:
            return None


def _follows(folder: Path, content: bytes | None) -> tuple[CheckResult, ...]:
    """Return the result of every check but that of the signature."""
    with open_results(folder) as results:
        if not results.holds(RUN_LOG):
            raise InputError(f"{folder}: holds no {RUN_LOG}", REMEDY)
        explained = results.has(f"{ABLATION}/{RUN_LOG}")
    inside = _session(folder / ABLATION, None) if explained else None
    own = _session(folder, inside)
    found = [sums.check_files(folder, _known(own, inside), content), *own.results]
    if inside is not None:
        found += [replace(each, what=f"explanation: {each.what}") for each in inside.results]
    return tuple(found)


def _known(own: _Session, inside: _Session | None) -> sums.ExpectedFiles:
    """Return the known files of the session and of the ablation in its folder."""
    known = own.files or sums.ANY
    if inside is None:
        return known
    if inside.unfinished:
        return replace(known, unfinished=f"{ABLATION}/")
    return known.with_folder(ABLATION, inside.files or sums.ANY)


def _session(folder: Path, inside: _Session | None) -> _Session:
    """Check whether log, plan, runs and reports of one session belong together.

    ``inside`` has the results for the ablation in its folder.
    """
    chain = check_result("chain of the log", lambda: broken_chain(folder), "whole")
    what = "log and study"
    try:
        opened = open_session(folder)
    except KitError as error:
        return _Session((chain, CheckResult(what, (error.problem,), "")))
    except UNREADABLE as error:
        # Such as a file of the study whose name is not valid Unicode.
        return _Session((chain, CheckResult(what, (f"cannot be read: {message_of(error)}",), "")))
    session, study = opened.session, opened.study
    if inside is not None and inside.session is None:
        derived = reports.DerivedReports(CheckResult(reports.WHAT, inside.results[-1].wrong, ""))
    else:
        ablation = None if inside is None else inside.session
        derived = reports.check(folder, session, study, ablation)
    found = (
        chain,
        CheckResult(what, (), "by their schemas; the study is the plan's"),
        check_result(
            "header", lambda: log.header_differences(session, study), "agrees with itself"
        ),
        _plan(session, study),
        *_looks(session, study),
        check_result(
            "runs",
            lambda: log.run_differences(session, study),
            "each as it was planned",
            lambda: log.missing_runs(session),
        ),
        sums.check_sboms(folder, session),
        derived.result,
    )
    explains = session.header.plan.purpose == EXPLAIN
    return _Session(found, derived.files, explains and session.unfinished, session)


def _looks(session: Session, study: Study) -> tuple[CheckResult, ...]:
    """Check that the session ended where its stopping rule says so; empty without such a rule."""
    if session.header.plan.stopping is None:
        return ()
    return (
        check_result(
            "stopping rule",
            lambda: plan.look_differences(session, study),
            f"{len(session.looks)} looks made again, the same",
        ),
    )


def _plan(session: Session, study: Study) -> CheckResult:
    """Compare the plan with the one made again; another version of kit may plan differently."""
    what = "plan"
    found = check_result(what, lambda: plan.differences(session, study), "made again, the same")
    version = session.header.kit_version
    if found.wrong and version != kit.__version__:
        why = f"written by kit {version}, this is kit {kit.__version__}, which plans otherwise"
        return CheckResult(what, (), "", (why,))
    return found
