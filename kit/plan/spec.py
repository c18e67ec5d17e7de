"""The spec: what one run of a workload program is told to do, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from kit.plan.model import PlannedRun
from kit.plan.roles import conditions_of
from kit.schemas import check
from kit.study.model import Study, arm_of


def spec_json(run: PlannedRun, study: Study) -> str:
    """The spec of a run. Raises InputError when the study makes a spec that breaks
    the schema, so that a container is never started with one."""
    document = {
        "schema": 1,
        "run_id": run.run_id,
        "arm": run.arm,
        "variant": arm_of(study, run.arm).variant,
        "kind": run.kind,
        "repeats": run.repeats,
        "seed": run.seed,
        "conditions": asdict(conditions_of(run.role, study)),
        "workload": study.workload,
    }
    check("spec", document, f"spec of run {run.run_id}", "mend the workload in study.yaml")
    return json.dumps(document, sort_keys=True, allow_nan=False)
