"""Every file by its sum, and everything that is no file of the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import InputError
from kit.files.folder import Folder
from kit.results.folder import open_results
from kit.results.names import RUN_LOG, SIGNATURE, STUDY, SUMS
from kit.results.sums import is_unfinished, read_sums
from kit.study.folder import belongs
from kit.verify.finding import Finding


@dataclass(frozen=True)
class Known:
    """The names that a session's files have; None: any may be one.

    ``folders`` holds sessions inside it. What begins with ``unfinished`` is not looked at,
    for it is still being made.
    """

    names: frozenset[str] | None
    folders: tuple[tuple[str, Known], ...] = ()
    unfinished: str = ""

    def with_folder(self, name: str, known: Known) -> Known:
        """These and the files of a session in a folder of that name."""
        return replace(self, folders=(*self.folders, (f"{name}/", known)))

    def holds(self, name: str) -> bool:
        """Whether a file of that name is one of the session's."""
        for start, known in self.folders:
            if name.startswith(start):
                return known.holds(name.removeprefix(start))
        if self.names is None or name in self.names or name in (RUN_LOG, SUMS, SIGNATURE):
            return True
        return name.startswith(f"{STUDY}/") and belongs(name.removeprefix(f"{STUDY}/"))


ANY = Known(None)


def check(folder: Path, known: Known, content: bytes | None = None) -> Finding:
    """Changed, missing, a stranger, or no file at all.

    ``content``: the list of the sums where it was read already, as its signature was checked.
    """
    with open_results(folder) as results:
        found, odd, wrong = _found(results)
        listed, of_list = _listed(results, content)
    wrong += of_list
    written = dict(listed)
    wrong += [f"{name} {why}" for name, why in sorted(odd.items())]
    wrong += _twice(listed)
    names = {**written, **found}
    checked = [name for name in names if not _making(name, known)]
    for name in sorted(checked):
        if name not in found:
            wrong += [f"{name} is missing"] if name not in odd else []
        elif name not in written and listed:
            wrong.append(f"{name} was added")
        elif not known.holds(name):
            wrong.append(f"{name} is no file of the session")
        elif listed and written[name] != found[name]:
            wrong.append(f"{name} was changed")
    good = f"{sum(name in written for name in checked)}, each by its sum"
    skipped = (f"{known.unfinished}: unfinished",) if len(checked) < len(names) else ()
    return Finding("files", tuple(wrong), good, skipped)


def _making(name: str, known: Known) -> bool:
    return bool(known.unfinished) and name.startswith(known.unfinished)


def _listed(
    results: Folder, content: bytes | None
) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """Name and sum of each line of the list, and what is wrong with the list itself."""
    if not results.has(SUMS):
        return (), [f"{SUMS} is missing"]
    try:
        listed = read_sums(results.read(SUMS) if content is None else content)
    except InputError as error:
        return (), [error.problem]
    return listed, [] if listed else [f"{SUMS} lists no file"]


def _twice(listed: tuple[tuple[str, str], ...]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in listed:
        if name in seen:
            yield f"{name} is listed twice"
        seen.add(name)


def _found(results: Folder) -> tuple[Mapping[str, str], Mapping[str, str], list[str]]:
    """The sum of each file by its name, of all else what is odd, and what stopped the look."""
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
                except InputError as error:
                    odd[entry.name] = _without(error.problem, results.path / entry.name)
    except InputError as error:
        return found, odd, [error.problem]
    return found, odd, []


def _without(problem: str, path: Path) -> str:
    """What is wrong with a file, without its path."""
    return problem.removeprefix(f"{path}: ")
