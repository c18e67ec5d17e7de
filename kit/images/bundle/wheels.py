"""The kit's own wheel and those of its dependencies, for a machine without network."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from kit.engine.failures import one_line
from kit.errors import HostError
from kit.host.process import run
from kit.images.build.context import checkout

TIMEOUT_S = 600
# Files that an installer adds to those of a wheel.
_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"})
_EPOCH = (1980, 1, 1, 0, 0, 0)


def kit_wheel(folder: Path) -> Path:
    """Write the wheel of the running kit to that folder; return its path.

    Builds it from a checkout; packs an installed kit from the files that its wheel installed.
    Raises HostError.
    """
    root = checkout()
    return packed(distribution("kit"), folder) if root is None else _built(root, folder)


def dependencies(wheel: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Download the wheels of that wheel's dependencies, for this interpreter, to that folder.

    If that fails, reports it and leaves only the kit's own wheel there.
    """
    problem = _pip(["download", "--only-binary", ":all:", "--dest", str(folder), str(wheel)])
    if problem:
        for path in folder.glob("*.whl"):
            if path.name != wheel.name:
                path.unlink()
        say(f"the bundle holds no wheels of the kit's dependencies: {problem}")


def packed(installed: Distribution, folder: Path) -> Path:
    """Pack an installed distribution as a wheel; return its path. Raises HostError."""
    name = f"{installed.metadata['Name']}-{installed.version}"
    target = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        # Not installed.files: since Python 3.12 it leaves out missing files.
        recorded = csv.reader((installed.read_text("RECORD") or "").splitlines())
        for file in sorted(PurePosixPath(row[0]) for row in recorded if row):
            # ../ leads to the scripts, which every install generates.
            if ".." in file.parts or "__pycache__" in file.parts or file.name in _INSTALLERS:
                continue
            path = Path(str(installed.locate_file(file)))
            try:
                content = path.read_bytes()
            except OSError as error:
                raise HostError(
                    f"the installed kit lacks {path} ({error.strerror})", "install the kit again"
                ) from error
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.writerow((str(file), f"sha256={digest.decode()}", len(content)))
            _add(archive, str(file), content, bool(path.stat().st_mode & 0o100))
        rows.writerow((f"{info}/RECORD", "", ""))
        _add(archive, f"{info}/RECORD", record.getvalue().encode(), executable=False)
    return target


def _add(archive: zipfile.ZipFile, name: str, content: bytes, executable: bool) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _built(root: Path, folder: Path) -> Path:
    # If the build backend is installed, pip need not download it.
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    problem = _pip(["wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), str(root)])
    if problem:
        raise HostError(
            f"the kit's own wheel cannot be built from {root}: {problem}",
            "pip install hatchling, or run a kit that was installed from a wheel",
        )
    return next(folder.glob("kit-*.whl"))


def _pip(arguments: Sequence[str]) -> str:
    """Run pip; return its errors in one line, "" if it succeeded."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = run(command, TIMEOUT_S)
    if done.code == 0:
        return ""
    errors = [line for line in done.errors.splitlines() if line.startswith("ERROR:")]
    return one_line(" ".join(errors or done.errors.splitlines()[-3:]), 300)
