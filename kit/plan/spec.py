"""The spec: the instructions for one run of a workload program, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from kit.plan.model import PlannedRun
from kit.plan.roles import conditions_of
from kit.schemas import check
from kit.study.model import Study, arm_of


def spec_json(run: PlannedRun, study: Study) -> str:
    """Return the spec of a run, as JSON text. Raises InputError where it breaks its schema.

    So kit never starts a container with an invalid spec.
    """
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
