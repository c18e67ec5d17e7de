"""Standard streams that cannot be written: the exit code is the command's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.processes import ENV

pytestmark = pytest.mark.slow

PROGRAM = r"""
import sys, warnings, click, kit.cli
from kit.errors import TamperedError
def callback():
    warnings.warn("for developers")
    click.echo("na\xefve \u2713 " * 20000)
    if "bad" in sys.argv:
        raise TamperedError("it was changed", "take another")
kit.cli.cli.add_command(click.Command("work", callback=callback))
sys.argv[1:1] = ["work"]
kit.cli.run, run = lambda arguments: run(["work"]), kit.cli.run
kit.cli.main()
"""


@pytest.mark.parametrize(
    "how, code",
    [
        ("bad | head -c 1", 8),
        ("bad > /dev/full", 8),
        ("bad > /dev/null 2> /dev/full", 8),
        ("bad >&- 2>&-", 8),
        ("good | head -c 1", 0),
        ("good > /dev/full", 3),
        ("good >&-", 0),
    ],
)
def test_what_cannot_be_printed_changes_no_exit_code(how: str, code: int) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {how}; exit ${{PIPESTATUS[0]}}', sys.executable, PROGRAM],
        env=ENV, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_output_is_utf_8_and_warnings_are_no_errors_in_any_environment() -> None:
    odd = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "good"],
        env={**ENV, **odd},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.decode("utf-8").startswith("naïve ✓ ")
