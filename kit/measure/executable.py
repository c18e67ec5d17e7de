"""The published executable, run on a Debian image without any other package."""

from __future__ import annotations

import re

from kit.engine.protocol import SESSION_LABEL, Engine, RunRequest
from kit.errors import RunError
from kit.plan.model import IDENTITY, Limits, PlannedRun
from kit.plan.spec import spec_json
from kit.records.images import KINDS, ArmImage, ExecutableRun
from kit.records.record import parse_record
from kit.study.model import Study

RUN_ID = "executable"
FOLDER = "/opt/kit/executable"
# Exit codes that the program sets: managed code ran. See images/dotnet/Program.cs.
_PROGRAMS_OWN = frozenset({0, 64, 69, 70})
_MISSING = re.compile(r"^missing: (.+)$", re.MULTILINE)
_LOG_CHARACTERS = 2000
# One stream: engines do not order a container's standard output against its standard error.
_COMMAND = f"exec 2>&1; cat {FOLDER}/KIND; exec {FOLDER}/Workload"


def run_executable(
    engine: Engine, image: ArmImage, study: Study, arm: str, limits: Limits, session_id: str
) -> ExecutableRun:
    """Run the executable with an identity run's spec for that arm; return what happened.

    Raises RunError only if the container could not be started: a program that fails is a
    result.
    """
    planned = PlannedRun(RUN_ID, -1, 0, arm, IDENTITY, 1, study.protocol.identity_seed)
    outcome = engine.run(
        RunRequest(
            image=image.image_id,
            command=("sh", "-c", _COMMAND),
            env={**study.protocol.env, "KIT_SPEC": spec_json(planned, study)},
            cpuset=limits.cpuset,
            memory_bytes=limits.memory_bytes,
            timeout_s=limits.timeout_s,
            labels={SESSION_LABEL: session_id},
        )
    )
    kind, _, output = outcome.logs.partition("\n")
    found = _MISSING.search(output)
    return ExecutableRun(
        reference=image.reference,
        image_id=image.image_id,
        size_bytes=image.size_bytes,
        kind=kind if kind in KINDS else "",
        started=outcome.exit_code in _PROGRAMS_OWN,
        trained=outcome.exit_code == 0 and _is_record(outcome.files.get("record.json", b"")),
        missing=found[1].strip() if found else "",
        exit_code=outcome.exit_code,
        said=output[-_LOG_CHARACTERS:],
    )


def _is_record(content: bytes) -> bool:
    try:
        parse_record(content, RUN_ID)
    except RunError:
        return False
    return True
