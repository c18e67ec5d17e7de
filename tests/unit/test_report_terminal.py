"""The head of a report on a terminal: it fits, no word is broken, a command stays on a line."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from support.sessions import make_fidelity, make_session, paired

from kit.report.build import build_report
from kit.report.next_step import next_step
from kit.report.numbers import format_gain
from kit.report.sections.top import show
from kit.study.load import shipped_study

SESSIONS = {
    "undecided": [1.2, 0.9, 1.1, 0.95, 1.3],
    "opposite": [0.5, 0.52, 0.49, 0.51, 0.5, 0.53, 0.5, 0.5],
    "a large factor": [6.1, 6.3, 6.2, 6.2, 6.4, 6.2, 6.1, 6.3],
    "one block": [1.2],
    "large, not yet shown": [0.45, 0.5, 0.62],
}
CODE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("ratios", SESSIONS.values(), ids=list(SESSIONS))
def test_it_fits_and_its_words_and_commands_are_whole(
    ratios: list[float], colour: bool, width: int
) -> None:
    held = make_fidelity("python", "binding")
    model = build_report(make_session(paired(ratios), held), shipped_study())
    written = io.StringIO()
    show(model, Console(file=written, width=width, force_terminal=colour, no_color=not colour))
    assert colour == bool(re.search(r"\x1b\[3[0-9]m", written.getvalue()))
    lines = CODE.sub("", written.getvalue()).splitlines()
    step = next_step(model)
    assert step is not None
    command = f"    {step.command}"
    assert command in lines
    assert all(len(line.rstrip()) <= min(width, 80) for line in lines if line != command)
    text = " ".join(" ".join(lines).split())
    for verdict in model.verdicts:
        _, mark, interval = format_gain(verdict.measured, model.form_of(verdict)).partition(" [")
        if mark and len(interval) <= 20:
            assert any(f"[{interval}" in line for line in lines), "on one line"
    assert step.purpose in text and model.headline in text
    assert {word for verdict in model.verdicts for word in verdict.printed.split()} <= {
        *text.split()
    }
