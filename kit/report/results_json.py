"""The report for machines: ``results.json``, by results.schema.json.

Numbers are the model's, unrounded, so that everything the report prints can be
computed again from this file. A number that is not finite has no JSON form and
becomes null; the exclusions name its run.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from kit.judge.comparison import Comparison
from kit.judge.consistency import ConsistencyResult
from kit.judge.controls import Control
from kit.judge.executable import ExecutableVerdict
from kit.judge.pilot import PilotResult
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.plan.model import plan_document
from kit.report import ablation as explanation
from kit.report.conditions import TORN, disturbance, excluded, lack
from kit.report.findings import arithmetic, detail
from kit.report.model import Course, PublishedRow, ReportModel, VariantReport
from kit.report.numbers import Form
from kit.report.reasons import control_text, reason_text, untimed_text
from kit.report.sample_size import blocks_because

SCHEMA = 7


def to_document(model: ReportModel) -> dict[str, Any]:
    """Return results.json as JSON values, keys sorted; the same model gives the same document."""
    plain: dict[str, Any] = _plain(
        {
            "schema": SCHEMA,
            **_origin(model),
            **_answers(model),
            **_judged(model),
            **_measured(model),
            **({"stopping": _stopping(model.course)} if model.course is not None else {}),
        }
    )
    return plain


def dumps(model: ReportModel) -> str:
    """Return results.json as text: sorted, indented, ASCII, and without NaN."""
    document = to_document(model)
    return json.dumps(document, sort_keys=True, indent=2, allow_nan=False) + "\n"


def _origin(model: ReportModel) -> dict[str, object]:
    """Return the study, the version of kit, the session, the host and the plan."""
    header, study = model.header, model.study
    return {
        "kit_version": header.kit_version,
        "session": {
            "id": header.session_id,
            "created": header.created,
            "command": header.command,
            "plan_sha256": header.plan_sha256,
        },
        "study": {
            "id": study.id,
            "title": study.title,
            "citation": study.paper.citation,
            "sha256": study.sha256,
        },
        "plan": plan_document(header.plan),
        "host": header.host,
        "gpu": model.gpu,
        "arms": model.arms,
        "fidelity": header.fidelity,
        "substitutes": model.substitutes,
    }


def _answers(model: ReportModel) -> dict[str, object]:
    """Return the statements in the head of a report."""
    lead = model.lead
    return {
        "headline": model.headline,
        "lead_claim": lead.claim.id if lead is not None else None,
        "head_variant": lead.variant if lead is not None else None,
        "same_work_held": model.same_work_held,
        "controls_line": model.controls_line,
    }


def _judged(model: ReportModel) -> dict[str, object]:
    """Return every verdict, with its evidence and the exclusions."""
    judged = model.judged
    return {
        "variants": [_variant(part) for part in model.variants],
        "executable": [{**_untimed(each), "run": each.run} for each in judged.executable],
        "training_claims": [
            {**_untimed(each), "variant": each.variant} for each in judged.training
        ],
        "consistency": [_consistency_result(found) for found in judged.consistency],
        "exclusions": excluded(judged.exclusions),
        "flags": [{"run_id": flag.run_id, "what": disturbance(flag.what)} for flag in judged.flags],
        "outlook": _pilot_result(model.outlook) if model.outlook is not None else None,
    }


def _measured(model: ReportModel) -> dict[str, object]:
    """Return the runs, and the results that no claim is judged on."""
    found = model.explanation
    return {
        "runs": model.raw,
        "failures": model.failures,
        "notes": (TORN,) if model.torn else (),
        "training": model.trained,
        "costs": model.costs,
        "explanation": explanation.values(found) if found is not None else None,
    }


def _stopping(course: Course) -> dict[str, object]:
    """Return how a group-sequential session went; its rule is in the plan."""
    return {
        "ending": course.ending,
        "blocks": course.blocks,
        "looks": [
            {"blocks": found.blocks, "likely_blocks": found.likely_blocks, "lead": found.lead}
            for found in course.looks
        ],
    }


def _variant(part: VariantReport) -> dict[str, object]:
    comparison: Comparison = part.comparison
    work = comparison.same_work
    return {
        "variant": part.variant,
        "baseline": comparison.pair.baseline,
        "contender": comparison.pair.contender,
        "missing": [lack(each) for each in comparison.missing],
        "blocks": [block.block for block in comparison.blocks],
        "same_work": {
            "held": work.held,
            "applicable": work.applicable,
            "checks": [
                {"name": check.name, "held": check.held, "detail": detail(check)}
                for check in work.checks
            ],
            "own_libraries": work.own_libraries,
        },
        "estimates": comparison.estimates,
        "hosts": comparison.hosts,
        "controls": [_control(control) for control in comparison.controls],
        "order": comparison.order,
        "drifts": comparison.drifts,
        "outliers": comparison.outliers,
        "published": [_published(row) for row in part.rows],
        "cold_s": part.cold,
        "verdicts": [_verdict(verdict, part.form) for verdict in comparison.verdicts],
    }


def _published(row: PublishedRow) -> dict[str, object]:
    return {
        "statistic": row.statistic,
        "paper_baseline_s": row.paper_baseline,
        "paper_contender_s": row.paper_contender,
        "figures_gain_percent": row.figures_gain_percent,
        "text_gain_percent": row.text_gain_percent,
        "baseline_s": row.baseline,
        "contender_s": row.contender,
    }


def _control(control: Control) -> dict[str, object]:
    return {
        "role": control.role,
        "variant": control.variant,
        "arm": control.arm,
        "blocks": [pair.block for pair in control.blocks],
        "estimates": control.estimates,
        "held": control.held,
        "why": control_text(control.reason),
    }


def _verdict(verdict: Verdict, form: Form) -> dict[str, object]:
    claim = verdict.claim
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "where": claim.where,
        "statistic": claim.statistic,
        "published_gain_percent": claim.published_gain_percent,
        "figures_gain_percent": verdict.figures_gain_percent,
        "band_percent": claim.band_percent,
        "equal_within_percent": claim.equal_within_percent,
        "measured": verdict.measured,
        "warm_median": verdict.warm_median,
        "tests": verdict.tests,
        "holm_p": verdict.holm_p,
        "word": verdict.word,
        "indicative": verdict.indicative,
        "printed": verdict.printed,
        "blocks_to_decide": verdict.blocks_to_decide,
        "rule": reason_text(verdict, form),
        "needs": claim.needs,
    }


def _untimed(verdict: ExecutableVerdict | TrainingVerdict) -> dict[str, object]:
    """Return a verdict on training or the executable."""
    claim = verdict.claim
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "where": claim.where,
        "needs": claim.needs,
        "word": verdict.word,
        "indicative": verdict.indicative,
        "printed": verdict.printed,
        "rule": untimed_text(verdict),
    }


def _consistency_result(found: ConsistencyResult) -> dict[str, object]:
    claim = found.claim
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "where": claim.where,
        "rule": claim.rule,
        "word": found.word,
        "reason": arithmetic(found.reason),
        "needs": claim.needs,
    }


def _pilot_result(found: PilotResult) -> dict[str, object]:
    return {
        "design": found.design,
        "blocks": found.blocks,
        "claim": found.claim,
        "wanted_gain_percent": found.wanted_gain_percent,
        "power": found.power,
        "slowdown_percent": found.slowdown_percent,
        "minutes_left": found.minutes_left,
        "detectable_gain_percent": found.detectable_gain_percent,
        "designs": found.designs,
        "undecided": found.undecided,
        "reason": blocks_because(found),
    }


def _plain(value: object) -> Any:
    """Return frozen values as JSON types, mappings sorted by key."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value  # most of them
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = sorted(field.name for field in dataclasses.fields(value))
        return {name: _plain(getattr(value, name)) for name in names}
    return value
