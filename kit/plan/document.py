"""A plan to and from plain JSON values, for the run log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kit.plan.model import Bounds, Limits, Plan, PlannedRun


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    return asdict(plan)


def plan_from(document: Mapping[str, Any]) -> Plan:
    """The plan of such a document. Raises KeyError or TypeError when it is none."""
    values = dict(document)
    for name in ("arms", "notes", "roles"):
        values[name] = tuple(values[name])
    limits = dict(values["limits"])
    limits["halves"] = None if limits["halves"] is None else tuple(limits["halves"])
    values["limits"] = Limits(**limits)
    values["runs"] = tuple(PlannedRun(**run) for run in values["runs"])
    values["bounds"] = None if values["bounds"] is None else Bounds(**values["bounds"])
    return Plan(**values)
