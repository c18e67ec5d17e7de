"""Judge, report and verify of one folder in one process, under an environment that is given."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from kit.environment import VARIABLES

KINDS = {"empty": "", "0": "0", "nonsense": "nonsense\x1b[31m é::%/\\"}
OTHERS = tuple(
    """
    LANG LANGUAGE LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_NUMERIC LC_TIME TZ USER LOGNAME SHELL
    MPLBACKEND MPLCONFIGDIR MATPLOTLIBRC MATPLOTLIBDATA SOURCE_DATE_EPOCH JUPYTER_COLUMNS PAGER
    JUPYTER_LINES PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED PYTHONNOUSERSITE PYTHONSTARTUP
    PYTHONWARNINGS PYTHONBREAKPOINT PYTHONUSERBASE PYTHONCASEOK XDG_CONFIG_HOME XDG_CONFIG_DIRS
    XDG_DATA_DIRS XDG_SESSION_TYPE DISPLAY WAYLAND_DISPLAY GITHUB_WORKSPACE GITHUB_REPOSITORY
    GITHUB_SHA GITHUB_OUTPUT GITHUB_ENV CI OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS
    NPY_PROMOTION_STATE NUMPY_MADVISE_HUGEPAGE NUMPY_EXPERIMENTAL_ARRAY_FUNCTION SCIPY_ARRAY_API
    NPY_DISABLE_CPU_FEATURES PYDANTIC_DISABLE_PLUGINS SSL_CERT_DIR SSLKEYLOGFILE COLORFGBG
    CLICOLOR CLICOLOR_FORCE TTY_COMPATIBLE TTY_INTERACTIVE UNICODE_VERSION
    """.split()  # noqa: SIM905  # a list of so many is read more easily in lines
)
"""What kit does not read, and libraries or the interpreter might."""
NAMES = tuple(sorted({*(variable.name for variable in VARIABLES), *OTHERS}))
COMMANDS = ("judge", "report", "verify")

_PROGRAM = """
import sys
from kit.cli import (run)
from kit.cli import process
output = process.install(debug=False)
for command in sys.argv[2:]:
    print("exit", command, run([command, sys.argv[1]]), file=sys.stderr)
process.finish(output)
"""


def ends(folder: Path, given: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str], str]:
    """Run the commands in a copy of a folder, without the variables but for those given.

    Exit codes by command, the sums of the copy's files, and what was printed.
    """
    place = folder.parent / "ends"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place / folder.name)
    (place / "matplotlibrc").write_bytes(b"\xff\xfe")
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, folder.name, *COMMANDS],
        env={**clean, "PYTHONPATH": os.pathsep.join(map(str, sys.path)), **given},
        cwd=place, capture_output=True, check=False,
    )  # fmt: skip
    said = done.stderr.decode("utf-8", "replace")
    words = [line.split() for line in said.splitlines() if line.startswith("exit ")]
    codes = {name: int(code) for _, name, code in words}
    sums = {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name != "matplotlibrc"
    }
    return codes, sums, done.stdout.decode("utf-8", "replace") + said
