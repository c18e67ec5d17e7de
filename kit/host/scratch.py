"""The folder of temporary files, in which mmdebstrap runs programs of the system it builds."""

from __future__ import annotations

import os
import tempfile

REMEDY = "set TMPDIR to a folder of another file system, such as /var/tmp"


def scratch_problem() -> str:
    """Return why base images cannot be made in the folder of temporary files; "" if they can."""
    try:
        folder = tempfile.gettempdir()
        flags = os.statvfs(folder).f_flag
    except OSError as error:
        return f"no folder for temporary files can be written ({error.strerror})"
    # Systems other than Linux have neither the flag nor mmdebstrap.
    if flags & getattr(os, "ST_NOEXEC", 0):
        return f"{folder}, the folder of temporary files, is mounted noexec"
    return ""
