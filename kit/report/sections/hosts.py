"""Several hosts, side by side."""

from __future__ import annotations

from kit.judge.hosts import Hosts
from kit.report.model import ReportModel, VariantReport
from kit.report.numbers import gain, p_value
from kit.report.tables import table
from kit.report.text import code, inline


def hosts(model: ReportModel) -> str:
    """Each host's own gain by claim; empty where all blocks ran on one host."""
    return "\n\n".join(
        _variant(model, part, part.comparison.hosts)
        for part in model.variants
        if part.comparison.hosts.parts
    )


def _variant(model: ReportModel, part: VariantReport, found: Hosts) -> str:
    verdicts = part.comparison.verdicts
    rows = [
        [
            f"host {number}",
            code(own.machine),
            str(len(own.blocks)),
            *(gain(own.estimates[v.claim.statistic], part.form) for v in verdicts),
        ]
        for number, own in enumerate(found.parts, start=1)
    ]
    rows.append(
        [
            "all",
            "",
            str(len(part.comparison.blocks)),
            *(gain(v.measured, part.form) for v in verdicts),
        ]
    )
    rows.append(["agree? p", "", "", *(_p(found.agreement[v.claim.statistic]) for v in verdicts)])
    heads = [inline(f"{v.claim.id} {v.claim.statistic}") for v in verdicts]
    prefix = f"Variant {inline(part.variant)}.\n\n" if len(model.variants) > 1 else ""
    return (
        f"{prefix}{table(['host', 'machine', 'blocks', *heads], rows)}\n\n"
        "A block is never split between hosts, so each ratio is of one machine. Machines of the "
        "same CPU, memory and kernel count as one host. The last row is Welch's one-way test of "
        "whether the hosts have one mean; where it is small, the interval over all blocks speaks "
        "of this mixture of hosts and of no single one."
    )


def _p(value: float | None) -> str:
    return "too few blocks" if value is None else p_value(value)
