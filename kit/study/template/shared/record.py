"""One spec in, one record out: the contract that every arm's program honours.

The spec is JSON in the environment variable KIT_SPEC, the record is written to
/results/record.json. Any language will do; this is it in Python. The published
schemas are kit/schemas/spec.schema.json and record.schema.json.
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
    """Run ``work(workload)`` as often as the spec says, timed, and write the record."""
    started = cgroup_now()
    text = os.environ["KIT_SPEC"]
    spec = json.loads(text)
    conditions = spec["conditions"]
    if conditions["probe"] or conditions["keep"]:
        sys.exit("spec: conditions.probe and keep are not known to this program")
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
            # What shows that both arms do the same work: hashes of what goes in and
            # of what comes out.
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
            # Optional: whether somebody limited this container's CPUs meanwhile.
            "cgroup": cgroup_since(started),
            "complete": True,
        }
    )


def timed(work, workload, slowdown_percent, index):
    """One fit with its counters, and what it gave."""
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
    """Resident memory of this process."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cgroup_now():
    """Return what the kernel counts of this container's CPU limit; None where it does not.

    Files of cgroup 2, then of cgroup 1. Nothing in them may fail a run.
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
    """Return the record's cgroup object: what was counted since ``before``, the limit now."""
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
    """SHA-256 of a text, as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def write(record):
    """Under a temporary name, synced, renamed: a torn record never looks whole."""
    path = os.path.join(os.environ.get("KIT_RESULTS", "/results"), "record.json")
    with open(path + ".part", "w") as stream:
        json.dump(record, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".part", path)
