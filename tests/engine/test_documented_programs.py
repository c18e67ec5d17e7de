"""What the documentation shows of other programs: installing kit, its benches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.documented import (
    BENCHES,
    BUNDLE,
    CHECKOUT,
    LONG,
    MAKERS,
    PARTS,
    ROOT,
    SHELL,
    TESTS,
    VENV,
    copy_checkout,
)

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]


def test_every_line_of_another_program_is_run() -> None:
    shown = (*CHECKOUT.lines, *BUNDLE.lines)
    lines = {line for line in shown if not line.startswith("kit ")}
    run = lines | {VENV, TESTS, *PARTS, *BENCHES, *LONG, *MAKERS}
    assert {command for _, command in SHELL} == run
    assert TESTS in (ROOT / ".ci" / "run").read_text(), "it runs this very test"


def test_a_checkout_installs_as_the_page_says(tmp_path: Path) -> None:
    copy_checkout(tmp_path)
    CHECKOUT.run(tmp_path)


@pytest.mark.parametrize("command", BENCHES)
def test_a_bench_prints_its_figures(command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command.split()[1:]], cwd=ROOT, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
