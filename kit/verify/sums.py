"""Every file by its sum, and everything that is no file of the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kit.measure.runlog import NAME
from kit.report.files import SUMS, entries, is_plain, is_unfinished, read_sums, sum_of
from kit.study.kept import FOLDER as STUDY
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
        if self.names is None or name in self.names or name in (NAME, SUMS):
            return True
        # The study's hash leaves out what Python may put beside its programs.
        return name.startswith(f"{STUDY}/") and "__pycache__" not in name.split("/")


ANY = Known(None)


def check(folder: Path, known: Known) -> Finding:
    """Changed, missing, a stranger, or no file at all."""
    found, odd = _found(folder)
    listed, wrong = _listed(folder)
    written = dict(listed)
    wrong += [f"{name} {why}" for name, why in odd.items()]
    wrong += _twice(listed)
    names = [name for name in {**written, **found} if not _making(name, known)]
    for name in sorted(names):
        if name not in found:
            wrong += [f"{name} is missing"] if name not in odd else []
        elif name not in written and listed:
            wrong.append(f"{name} was added")
        elif not known.holds(name):
            wrong.append(f"{name} is no file of the session")
        elif listed and written[name] != found[name]:
            wrong.append(f"{name} was changed")
    return Finding("files", tuple(wrong), f"{len(written)}, each by its sum")


def _making(name: str, known: Known) -> bool:
    return bool(known.unfinished) and name.startswith(known.unfinished)


def _listed(folder: Path) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """Name and sum of each line of the list, and what is wrong with the list itself."""
    path = folder / SUMS
    if not path.is_file():
        return (), [f"{SUMS} is missing"]
    try:
        listed = read_sums(path.read_bytes())
    except OSError as error:
        return (), [f"{SUMS} cannot be read ({error.strerror})"]
    return listed, [] if listed else [f"{SUMS} lists no file"]


def _twice(listed: tuple[tuple[str, str], ...]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in listed:
        if name in seen:
            yield f"{name} is listed twice"
        seen.add(name)


def _found(folder: Path) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The sum of each file by its name, and of all else what is odd about it."""
    found: dict[str, str] = {}
    odd: dict[str, str] = {}

    def unread(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        odd[f"{name}/"] = f"cannot be listed ({error.strerror})"

    for name, path in sorted(entries(folder, unread)):
        try:
            if path.is_symlink():
                odd[name] = "is a link, no file of its own"
            elif not is_plain(path):
                odd[name] = "is neither a file nor a folder"
            elif is_unfinished(name):
                odd[name] = "was left by an interrupted write"
            elif name != SUMS:
                found[name] = sum_of(path)
        except OSError as error:
            odd[name] = f"cannot be read ({error.strerror})"
    return found, odd
