"""What a reader meets first, and the same-work checks."""

from __future__ import annotations

from kit.report.head import duet_line, substitutes_line
from kit.report.model import ReportModel
from kit.report.tables import bullets, fold, table
from kit.report.text import code, inline

_LONG = 1500  # a sentence that names several differences


def opening(model: ReportModel) -> str:
    """Verdict line, same-work line, substitutes, then what was checked and when."""
    several = len(model.variants) > 1
    lines = [f"# {inline(model.study.title)}", f"**{inline(model.headline, _LONG)}**"]
    for part in model.variants:
        prefix = f"{part.variant}: " if several else ""
        lines.append(inline(prefix + part.same_work_line, _LONG))
    if model.controls_line:
        lines.append(inline(model.controls_line, _LONG))
    if duet_line(model):
        lines.append(duet_line(model))
    lines.append(inline(substitutes_line(model), _LONG))
    if model.gpu is not None and model.gpu.flag_line:
        lines.append(inline(model.gpu.flag_line))
    lines.append(
        f"Checked: {inline(model.study.paper.citation)} "
        f"Session {code(model.header.session_id)}, {inline(model.header.created)}, "
        f"kit {inline(model.header.kit_version)}."
    )
    return "\n\n".join(lines)


def same_work(model: ReportModel) -> str:
    """Every check, held or not, and the libraries only one arm maps."""
    parts = []
    for part in model.variants:
        work = part.comparison.same_work
        rows = [
            [
                inline(check.name),
                "held" if check.held else "**NOT HELD**",
                inline(check.detail, _LONG),
            ]
            for check in work.checks
        ]
        if len(model.variants) > 1:
            parts.append(f"Variant {inline(part.variant)}:")
        parts.append(table(["check", "result", "detail"], rows))
        own = [
            f"{inline(arm)}: {', '.join(code(path) for path in paths)}"
            for arm, paths in sorted(work.own_libraries.items())
        ]
        if own:
            parts.append(
                fold("Libraries mapped in one arm alone (its runtime's own)", bullets(own))
            )
    return "\n\n".join(parts)
