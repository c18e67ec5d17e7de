"""A record, and what breaks it."""

from __future__ import annotations

import json
from typing import Any

from kit.records.record import Cgroup, record_document
from support.sessions import make_record

THROTTLED = Cgroup(10, 5, 400_000, None, 50_000, 100_000)


def document() -> dict[str, Any]:
    record = make_record("r1", "dotnet-cpu", "timed", [1.8, 1.7])
    plain: dict[str, Any] = json.loads(json.dumps(record_document(record)))
    return plain


def remove(name: str):
    return lambda d: d.pop(name)


CHANGES = {
    "schema": lambda d: d.update(schema=2),
    "'run_id'": remove("run_id"),
    "complete": lambda d: d.update(complete=False),
    "kind": lambda d: d.update(kind="warm"),
    "fits[1].wall_ns": lambda d: d["fits"][1].update(wall_ns=-1),
    "fits[0].losses[0]": lambda d: d["fits"][0].update(losses=["low"]),
    "'surprise'": lambda d: d["fits"][0].update(surprise=1),
    "identity.model_config": lambda d: d["identity"].update(model_config="abc"),
    "identity.data": lambda d: d["identity"].update(data={"train": "abc"}),
    "'runtime'": lambda d: d["versions"].pop("runtime"),
    "fits[0].wall_ns": lambda d: d["fits"][0].update(wall_ns=10**200),
    "fits[0].user_ns": lambda d: d["fits"][0].update(user_ns=2**63),
    "'inner_ns'": lambda d: d["fits"][0].pop("inner_ns"),
    "'quota_us'": lambda d: d.update(cgroup={"periods": 1}),
    "cgroup.throttled_us": lambda d: d.update(cgroup={**vars(THROTTLED), "throttled_us": -1}),
    "clock.resolution_ns": lambda d: d["clock"].update(resolution_ns=0),
}
