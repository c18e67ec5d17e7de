"""The section that compares several hosts."""

from __future__ import annotations

from kit.report.document import Block, Code, Paragraph, Table, Text
from kit.report.model import ReportModel, VariantReport
from kit.report.numbers import gain, p_value

_NOTE = (
    "Each block ran on one host. Machines with the same CPU, memory and kernel count as one host. "
    "Homogeneity: p value of Welch's one-way test that all hosts have the same mean. A small p "
    "means that the hosts differ: the interval over all blocks then describes this mixture of "
    "hosts and not each host."
)


def hosts(model: ReportModel) -> tuple[Block, ...]:
    """Return the gain of each host by claim; empty if all blocks ran on one host."""
    return tuple(
        block
        for part in model.variants
        if part.comparison.hosts.parts
        for block in _variant(part, len(model.variants) > 1)
    )


def _variant(part: VariantReport, several: bool) -> tuple[Block, ...]:
    verdicts, found = part.comparison.verdicts, part.comparison.hosts
    rows: list[tuple[Text, ...]] = [
        (
            f"host {number}",
            Code(own.machine),
            str(len(own.blocks)),
            *(gain(own.estimates[v.claim.statistic], part.form) for v in verdicts),
        )
        for number, own in enumerate(found.parts, start=1)
    ]
    everything = (gain(v.measured, part.form) for v in verdicts)
    rows.append(("all", "", str(len(part.comparison.blocks)), *everything))
    agreement = (_p(found.agreement[v.claim.statistic]) for v in verdicts)
    rows.append(("homogeneity, p", "", "", *agreement))
    heads = (f"{v.claim.id} {v.claim.statistic}" for v in verdicts)
    table = Table(("host", "machine", "blocks", *heads), tuple(rows))
    named = (Paragraph(f"Variant {part.variant}:"),) if several else ()
    return *named, table, Paragraph(_NOTE)


def _p(value: float | None) -> str:
    return "too few blocks" if value is None else p_value(value)
