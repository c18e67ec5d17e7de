"""Tar archives made of members."""

from __future__ import annotations

import io
import tarfile


def member(name, content=b"", kind=tarfile.REGTYPE, mode=0o644, mtime=0, **more):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.size = kind, mode, mtime, len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def tree(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
