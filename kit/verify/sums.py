"""Checks of the files of a results folder: by their checksums, by the log's, by the signature.

Files that do not belong to the session are found too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import FileError, InputError
from kit.files.folder import Folder
from kit.records.session import Session
from kit.results import RUN_LOG, SBOMS, SIGNATURE, STUDY, SUMS
from kit.results.folder import AS_THEY_ARE, is_attributes, is_unfinished, open_results, read_sums
from kit.results.sign import Signature, Signers, can_check, examine
from kit.study.folder import VERSION_CONTROL, belongs, is_of_desktop
from kit.verify.result import CheckResult, check_result

_LINE_ENDS = (
    "git changed the line ends: run `git config core.autocrlf false` and clone again, or "
    "unpack an archive as bytes"
)
_OF_EACH = (RUN_LOG, SUMS, SIGNATURE)
# With either line end: git may have converted .gitattributes before it read it.
_ATTRIBUTES = {
    hashlib.sha256(AS_THEY_ARE.replace(b"\n", end)).hexdigest() for end in (b"\n", b"\r\n")
}
_SHOWN = 5


@dataclass(frozen=True)
class ExpectedFiles:
    """The names of a session's files; None: any name may be one.

    ``folders`` holds the sessions inside it. Names that begin with ``unfinished`` are not
    checked, because those files are still being made.
    """

    names: frozenset[str] | None
    folders: tuple[tuple[str, ExpectedFiles], ...] = ()
    unfinished: str = ""

    def with_folder(self, name: str, known: ExpectedFiles) -> ExpectedFiles:
        """Return these names and, in a folder of that name, those that are ``known`` there."""
        return replace(self, folders=(*self.folders, (f"{name}/", known)))

    def holds(self, name: str) -> bool:
        """Return whether the file of that path is one of the session's, or any name may be."""
        for start, known in self.folders:
            if name.startswith(start):
                return known.holds(name.removeprefix(start))
        if self.names is None or name in self.names or name in _OF_EACH:
            return True
        return name.startswith(f"{STUDY}/") and belongs(name.removeprefix(f"{STUDY}/"))


ANY = ExpectedFiles(None)
SBOMS_CHECK = "bills of materials"
SIGNATURE_CHECK = "signature"
_PROVES = f"says who vouches for the files as {SUMS} lists them, not that they speak the truth"


def check_files(folder: Path, known: ExpectedFiles, content: bytes | None = None) -> CheckResult:
    """Find files that changed, are missing, are not the session's, or are not plain files.

    ``content``: the list of sums if it was read already, so that all checks see the same bytes.
    Raise InputError if the folder cannot be opened.
    """
    with open_results(folder) as results:
        found, odd, wrong = _found(results)
        listed, of_list, converted = _listed(results, content)
        written = dict(listed)
        changed = {name for name, digest in written.items() if found.get(name, digest) != digest}
        control = [name for name in sorted(VERSION_CONTROL) if _is_there(results, name)]
        ends = {name for name in changed if _has_other_line_ends(results, name, written[name])}
    wrong += of_list
    wrong += [f"{name} {why}" for name, why in sorted(odd.items())]
    wrong += _twice(listed)
    ignored = {name for name in found if is_of_desktop(name) and name not in written}
    names = {**written, **found}
    for_git = {name for name in found if is_attributes(name) and name not in written}
    wrong += [
        f"{name} is not as kit writes it"
        for name in sorted(for_git)
        if found[name] not in _ATTRIBUTES
    ]
    left_out = ignored | for_git
    checked = [name for name in names if not _making(name, known) and name not in left_out]
    for name in sorted(checked):
        if name not in found:
            wrong += [f"{name} is missing"] if name not in odd else []
        elif name not in written and listed:
            wrong.append(f"{name} was added")
        elif not known.holds(name):
            wrong.append(f"{name} does not belong to the session")
        elif name in ends:
            wrong.append(f"{name} has CRLF line ends and was written with LF")
        elif listed and name in changed:
            wrong.append(f"{name} was changed")
    good = f"{sum(name in written for name in checked)}, each by its sum"
    good += f"; ignored, made by a desktop: {_some(sorted(ignored))}" if ignored else ""
    good += f"; not looked at, of version control: {', '.join(control)}" if control else ""
    skipped = (f"{known.unfinished}: unfinished",) if any(_making(n, known) for n in names) else ()
    remedy = _LINE_ENDS if ends or converted else ""
    return CheckResult("files", tuple(wrong), good, skipped, remedy=remedy)


def check_sboms(folder: Path, session: Session) -> CheckResult:
    """Compare each bill of materials with its sum in the header.

    A header without sums is valid. Raise InputError if the folder cannot be opened.
    """
    if session.header.sboms:
        return check_result(SBOMS_CHECK, lambda: _sbom_differences(folder, session), "the log's")
    with open_results(folder) as results:
        try:
            there = results.holds_folder(SBOMS)
        except InputError as error:
            return CheckResult(SBOMS_CHECK, (error.problem,), "")
    if there:
        return CheckResult(SBOMS_CHECK, (), "", (f"{SBOMS}/: the log has no sums of them",))
    return CheckResult(SBOMS_CHECK, (), "the session wrote none", absent=True)


def check_signature(folder: Path, sums: bytes | None, signers: Signers | None) -> CheckResult:
    """Check whether the folder's signature matches those sums and is by an accepted signer.

    ``signers`` None: a signature is not required, and may be by any key. Raise HostError if
    ``signers`` are given and ssh-keygen is missing.
    """
    try:
        with open_results(folder) as results:
            signature = results.read(SIGNATURE) if results.holds(SIGNATURE) else None
    except InputError as error:
        return _wrong(error.problem)
    if signature is None:
        return _wrong("not signed") if signers else _absent("not signed; anyone can have made it")
    if sums is None:
        return _wrong(f"does not fit: there is no {SUMS}")
    if signers is None and not can_check():
        return CheckResult(
            SIGNATURE_CHECK, (), "", ("ssh-keygen is missing: install openssh-client",)
        )
    return _judged(examine(sums, signature, signers), signers)


def signature_matches(folder: Path) -> bool:
    """Return whether the folder's signature matches its sums; True for an unsigned folder too."""
    with open_results(folder) as results:
        sums = results.read(SUMS) if results.has(SUMS) else None
    return not check_signature(folder, sums, None).wrong


def _has_other_line_ends(results: Folder, name: str, digest: str) -> bool:
    """Return whether a file has the listed sum with LF in place of git's CRLF."""
    try:
        content = results.read(name)
    except InputError:
        return False
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() == digest


def _is_there(results: Folder, name: str) -> bool:
    try:
        return results.holds_folder(name)
    except InputError:
        return True  # not a folder, as in a work tree of git


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _making(name: str, known: ExpectedFiles) -> bool:
    return bool(known.unfinished) and name.startswith(known.unfinished)


def _listed(
    results: Folder, content: bytes | None
) -> tuple[tuple[tuple[str, str], ...], list[str], bool]:
    """Return name and sum of each line, the errors, and whether the list has CRLF line ends."""
    if not results.has(SUMS):
        return (), [f"{SUMS} is missing"], False
    try:
        content = results.read(SUMS) if content is None else content
    except InputError as error:
        return (), [error.problem], False
    wrong = []
    converted = content.count(b"\n") == content.count(b"\r\n") > 0
    if converted:
        wrong.append(f"{SUMS} has CRLF line ends and was written with LF")
        content = content.replace(b"\r\n", b"\n")
    listed = read_sums(content)
    return listed, wrong if listed else [*wrong, f"{SUMS} lists no file"], converted


def _twice(listed: tuple[tuple[str, str], ...]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in listed:
        if name in seen:
            yield f"{name} is listed twice"
        seen.add(name)


def _found(results: Folder) -> tuple[Mapping[str, str], Mapping[str, str], list[str]]:
    """Return the sum of each file by name, the problems of others, and an error that ended it."""
    found: dict[str, str] = {}
    odd: dict[str, str] = {}
    try:
        for entry in results.entries():
            if entry.problem:
                odd[entry.name] = entry.problem
            elif is_unfinished(entry.name):
                odd[entry.name] = "was left by an interrupted write"
            elif entry.name not in (SUMS, SIGNATURE):
                try:
                    found[entry.name] = results.sha256(entry.name)
                except FileError as error:
                    odd[entry.name] = error.what
    except InputError as error:
        return found, odd, [error.problem]
    return found, odd, []


def _sbom_differences(folder: Path, session: Session) -> Iterator[str]:
    """Yield each bill of materials that is missing or differs from its sum.

    Raise InputError for one that is not a plain file.
    """
    with open_results(folder) as results:
        for file, digest in session.header.sboms.items():
            name = f"{SBOMS}/{file}"
            if not results.holds(name):
                yield f"{name} is missing"
            elif results.sha256(name) != digest:
                yield f"{name} is not the one that the log names"


def _judged(found: Signature, signers: Signers | None) -> CheckResult:
    if not found.key:
        return _wrong(f"does not fit {SUMS}: {found.reason}")
    if signers is None:
        return _good(f"signed by an unknown key, {found.key}; --allowed-signers tells whose")
    if not found.signer:
        why = f" ({found.reason})" if found.reason else ""
        return _wrong(f"signed by an unknown key, {found.key}: no allowed signer's{why}")
    text = f"signed by {found.signer} ({found.key})"
    if signers.identity not in ("", found.signer):
        return _wrong(f"{text}, not by {signers.identity}")
    return _good(f"{text}; it {_PROVES}")


def _good(text: str) -> CheckResult:
    return CheckResult(SIGNATURE_CHECK, (), text)


def _absent(text: str) -> CheckResult:
    return CheckResult(SIGNATURE_CHECK, (), text, absent=True)


def _wrong(text: str) -> CheckResult:
    return CheckResult(SIGNATURE_CHECK, (text,), "")
