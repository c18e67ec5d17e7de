"""Read the spec, run the work, write the record.

Every arm's program reads a spec, JSON in the environment variable KIT_SPEC, and writes a
record to /results/record.json. It may be in any language. The schemas are
kit/schemas/spec.schema.json and kit/schemas/record.schema.json.
"""

import hashlib
import json
import os
import platform
import re
import resource
import sys
import time

CGROUP = "/sys/fs/cgroup"


def main(work):
    """Run and time ``work(workload)`` as often as the spec sets, and write the record."""
    started = cgroup_now()
    text = os.environ["KIT_SPEC"]
    spec = json.loads(text)
    conditions = spec["conditions"]
    if conditions["probe"] or conditions["keep"]:
        sys.exit("spec: this program does not support conditions.probe and conditions.keep")
    result = None
    fits = []
    for index in range(spec["repeats"]):
        fit, result = timed(work, spec["workload"], conditions["slowdown_percent"], index)
        fits.append(fit)
    write(
        {
            "schema": 1,
            "run_id": spec["run_id"],
            "arm": spec["arm"],
            "kind": spec["kind"],
            "spec_sha256": digest(text),
            "versions": {
                "python": platform.python_version(),
                "runtime": "CPython " + platform.python_version(),
                "os": platform.platform(),
            },
            # Hashes of inputs and outputs, which show that both arms do the same work.
            "identity": {
                "data": {"workload": digest(json.dumps(spec["workload"], sort_keys=True))},
                "tensors": {"result": digest(repr(result))},
                "model_config": digest("none"),
                "initial_weights": None,
                "libraries": {},
                "wheels": {},
            },
            "clock": {
                "name": "time.perf_counter_ns",
                "resolution_ns": time.get_clock_info("perf_counter").resolution * 1e9,
            },
            "device": {"kind": "cpu", "name": "", "ops": {}, "peak_bytes": None},
            "fits": fits,
            # Optional: CPU limits and throttling of this container during the run.
            "cgroup": cgroup_since(started),
            "complete": True,
        }
    )


def timed(work, workload, slowdown_percent, index):
    """Return one fit with its counters, and its result."""
    rss_before = rss_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF)
    paper_start = time.time()
    start = time.perf_counter_ns()
    result = work(workload)
    if slowdown_percent:
        end = start + (time.perf_counter_ns() - start) * (1 + slowdown_percent / 100)
        while time.perf_counter_ns() < end:
            pass
    stop = time.perf_counter_ns()
    paper_stop = time.time()
    after = resource.getrusage(resource.RUSAGE_SELF)
    fit = {
        "index": index,
        "wall_ns": stop - start,
        "paper_clock_s": paper_stop - paper_start,
        "user_ns": round((after.ru_utime - before.ru_utime) * 1e9),
        "system_ns": round((after.ru_stime - before.ru_stime) * 1e9),
        "minor_faults": after.ru_minflt - before.ru_minflt,
        "rss_before_bytes": rss_before,
        "rss_after_bytes": rss_bytes(),
        "losses": [],
        "accuracies": [],
        "inner_ns": None,
    }
    return fit, result


def rss_bytes():
    """Return the resident memory of this process in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cgroup_now():
    """Return the kernel's counters of this container's CPU limit; None if there are none.

    Read the files of cgroup 2 or else of cgroup 1. No content of these files fails a run.
    """
    new, old = _counts("cpu.stat"), _counts("cpu/cpu.stat")
    if "throttled_usec" in new:
        stat, throttled_us = new, new["throttled_usec"]
        limit = _cgroup_file("cpu.max")
    elif "throttled_time" in old:
        stat, throttled_us = old, old["throttled_time"] // 1000
        limit = _cgroup_file("cpu/cpu.cfs_quota_us") + _cgroup_file("cpu/cpu.cfs_period_us")
    else:
        return None
    quota = re.match(r"(\d+)\s+(\d+)", limit)
    waited = re.match(r"some .*total=(\d+)", _cgroup_file("cpu.pressure"))
    return {
        "periods": stat.get("nr_periods", 0),
        "throttled_periods": stat.get("nr_throttled", 0),
        "throttled_us": throttled_us,
        "pressure_us": int(waited.group(1)) if waited else None,
        "quota_us": int(quota.group(1)) if quota else None,
        "period_us": int(quota.group(2)) if quota else None,
    }


def cgroup_since(before):
    """Return the record's cgroup object: counts since ``before``, and the present limit."""
    after = cgroup_now()
    if before is None or after is None:
        return None
    for name in ("periods", "throttled_periods", "throttled_us", "pressure_us"):
        if after[name] is not None:
            after[name] = max(after[name] - (before[name] or 0), 0)
    return after


def _counts(name):
    return {key: int(value) for key, value in re.findall(r"(?m)^(\w+) (\d+)$", _cgroup_file(name))}


def _cgroup_file(name):
    try:
        with open(os.path.join(CGROUP, name)) as stream:
            return stream.read()
    except OSError:
        return ""


def digest(text):
    """Return the SHA-256 of a text as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def write(record):
    """Write a temporary file, sync it and rename it, so that a partial record is never read."""
    path = os.path.join(os.environ.get("KIT_RESULTS", "/results"), "record.json")
    with open(path + ".part", "w") as stream:
        json.dump(record, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".part", path)
