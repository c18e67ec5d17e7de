"""Running other programs on this machine, and whether they can run among temporary files."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MISSING, TOO_SLOW = 127, 124
"""The exit codes of a shell and of ``timeout`` for a program that is missing or too slow."""
SCRATCH_REMEDY = "set TMPDIR to a folder of another file system, such as /var/tmp"


@dataclass(frozen=True)
class CommandResult:
    """A finished command: exit code (127: no such program, 124: too slow), output and errors."""

    code: int
    output: str
    errors: str = ""


def run(
    command: Sequence[str],
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    merged: bool = False,
) -> CommandResult:
    """Run a program with nothing on its standard input; end it after ``timeout_s`` seconds.

    ``env`` is its complete environment, or None for this process's own. ``merged`` puts its
    errors into its output, in order. Raises nothing for a program that fails.
    """
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            timeout=timeout_s,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        reason = f"{command[0]}: no answer within {timeout_s:g} s"
        return CommandResult(TOO_SLOW, _text(error.stdout), reason)
    except OSError as error:
        return CommandResult(MISSING, str(error) if merged else "", str(error))
    return CommandResult(done.returncode, _text(done.stdout), _text(done.stderr))


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


def _text(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "replace")
