"""A minimal root file system made of a few programs of the host and their libraries.

It gives the engine tests a real image where no registry can be reached.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

PROGRAMS = ("sh", "cat", "dd", "head", "id", "ln", "ls", "mkdir", "sleep", "touch", "true")
_LIBRARY = re.compile(r"(/\S+)\s+\(0x")


def libraries(program: Path) -> set[Path]:
    """The shared libraries a program loads, with the loader; empty when static."""
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    return {Path(found) for found in _LIBRARY.findall(listed.stdout)}


def write(target: Path) -> Path:
    """Write the tar. /results and /tmp exist; /results belongs to 10001."""
    with tarfile.open(target, "w") as archive:
        for folder, mode, owner in (
            ("bin", 0o755, 0),
            ("etc", 0o755, 0),
            ("results", 0o755, 10001),
            ("tmp", 0o1777, 0),
            ("proc", 0o755, 0),
            ("sys", 0o755, 0),
            ("dev", 0o755, 0),
        ):
            member = tarfile.TarInfo(folder)
            member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, mode, owner, owner
            archive.addfile(member)
        needed: set[Path] = set()
        for name in PROGRAMS:
            found = shutil.which(name, path="/bin:/usr/bin")
            if found is None:
                raise FileNotFoundError(name)
            _add(archive, Path(found), f"bin/{name}")
            needed |= libraries(Path(found))
        for library in sorted(needed):
            _add(archive, library, str(library).lstrip("/"))
    return target


def context(dockerfile: str) -> io.BytesIO:
    """A build context that holds nothing but a Dockerfile."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        data = dockerfile.encode()
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def _add(archive: tarfile.TarFile, source: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    data = source.read_bytes()
    member.size, member.mode = len(data), 0o755
    archive.addfile(member, io.BytesIO(data))
