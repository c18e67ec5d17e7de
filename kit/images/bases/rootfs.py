"""Debian root file systems for bootstrap bases, made by mmdebstrap."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kit.environment import for_program
from kit.errors import HostError, ImageError
from kit.host.process import SCRATCH_REMEDY as REMEDY
from kit.host.process import scratch_problem
from kit.together import ended_by

# Fixed, so that the tar's times do not depend on the day it was made.
EPOCH = "1640995200"
TIMEOUT_S = 900
END_TIMEOUT_S = 4

_OPTIONS = (
    "--mode=auto",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)


def debian_rootfs(suite: str, packages: Sequence[str], tar: Path) -> None:
    """Write a tar of a minimal Debian of that suite with the packages.

    Raises HostError when mmdebstrap is missing, ImageError when it fails.
    """
    _mmdebstrap(["--variant=minbase", f"--include={','.join(packages)}"], suite, tar)


def debian_files(suite: str, packages: Sequence[str], folder: Path) -> None:
    """Unpack only the packages' files below a folder, without configuration.

    Raises as ``debian_rootfs`` does.
    """
    _mmdebstrap(["--variant=extract", f"--include={','.join(packages)}"], suite, folder)


def _mmdebstrap(options: Sequence[str], suite: str, target: Path) -> None:
    program = shutil.which("mmdebstrap")
    if program is None:
        raise HostError(
            "mmdebstrap is not installed and no registry gave the base images",
            "run `kit reproduce --install-engine` (`kit setup` where no registry answers), or "
            "install it",
        )
    problem = scratch_problem()
    if problem:
        raise HostError(problem, REMEDY)
    command = [program, *_OPTIONS, *options, suite, str(target)]
    environ = for_program({"SOURCE_DATE_EPOCH": EPOCH, "LC_ALL": "C.UTF-8"})
    # A new process group, so that an interrupt can also end the children.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=environ, start_new_session=True,
    )  # fmt: skip
    try:
        with ended_by(lambda: _end(process)):
            output, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ImageError(
            f"Debian {suite} could not be made within {TIMEOUT_S} s",
            "check how fast Debian's package archive answers",
        ) from None
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        wrong = [line for line in output.splitlines() if line.startswith(("E:", "W:"))]
        reason = "; ".join(wrong[:3]) or (output.splitlines() or ["no output"])[-1]
        raise ImageError(
            f"Debian {suite} could not be made: {reason}",
            "check that Debian's package archive is reachable (proxy, sources of apt)",
        )


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and its children: SIGTERM first, so that it can unmount, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(END_TIMEOUT_S)
            return
        except subprocess.TimeoutExpired:
            continue
