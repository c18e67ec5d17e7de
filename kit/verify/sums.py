"""Check of every file by its checksum, and of files that do not belong to the session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import FileError, InputError
from kit.files.folder import Folder
from kit.results.folder import open_results
from kit.results.names import RUN_LOG, SIGNATURE, STUDY, SUMS
from kit.results.sums import AS_THEY_ARE, is_attributes, is_unfinished, read_sums
from kit.study.folder import VERSION_CONTROL, belongs, is_of_desktop
from kit.verify.result import CheckResult

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
class Known:
    """The names of a session's files; None: any name may be one.

    ``folders`` holds the sessions inside it. Names that begin with ``unfinished`` are not
    checked, because those files are still being made.
    """

    names: frozenset[str] | None
    folders: tuple[tuple[str, Known], ...] = ()
    unfinished: str = ""

    def with_folder(self, name: str, known: Known) -> Known:
        """Return these and the files of a session in a folder of that name."""
        return replace(self, folders=(*self.folders, (f"{name}/", known)))

    def holds(self, name: str) -> bool:
        """Return whether a file of that name is one of the session's."""
        for start, known in self.folders:
            if name.startswith(start):
                return known.holds(name.removeprefix(start))
        if self.names is None or name in self.names or name in _OF_EACH:
            return True
        return name.startswith(f"{STUDY}/") and belongs(name.removeprefix(f"{STUDY}/"))


ANY = Known(None)


def check(folder: Path, known: Known, content: bytes | None = None) -> CheckResult:
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


def _making(name: str, known: Known) -> bool:
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
            if entry.odd:
                odd[entry.name] = entry.odd
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
