"""What disturbs a host, read from made-up files of the kernel."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from fakes.engine import INFO

from kit.host import facts as disturbance
from kit.host.facts import HostReading, conditions_between, host_facts, host_id
from kit.records.host import EngineFacts, HostFacts

STAT = "cpu  100 5 50 1000 20 3 2 7 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("PROC", "SYS", "CGROUP"):
        monkeypatch.setattr(disturbance, name, tmp_path / name)

    def write(place, text):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def test_busy_and_stolen_ticks_of_the_cpu_line():
    assert disturbance.cpu_ticks(STAT) == (160, 7)
    assert disturbance.cpu_ticks("intr 1 2 3") is None
    assert disturbance.cpu_ticks("") is None


def test_busy_cpus_over_a_window():
    texts = iter([STAT, STAT.replace("cpu  100", "cpu  150")])
    waited = []
    assert disturbance.busy_cpus(lambda: next(texts), waited.append, 0.25) == pytest.approx(2.0)
    assert waited == [0.25]
    assert disturbance.busy_cpus(lambda: "", lambda _s: None, 0.25) == 0.0


def test_what_the_kernel_does_not_tell_is_none(tree):
    assert disturbance.swapped_pages() is None
    assert disturbance.throttle_events() is None
    assert disturbance.frequency_mhz() is None
    assert disturbance.quota_throttled_us() is None
    assert disturbance.cores() == ()
    assert disturbance.governors() == ()


def test_counters_are_summed(tree):
    tree("PROC/vmstat", "pgfault 9\npswpin 3\npswpout 4\n")
    for cpu in (0, 1):
        base = f"SYS/devices/system/cpu/cpu{cpu}"
        tree(f"{base}/thermal_throttle/core_throttle_count", "2\n")
        tree(f"{base}/cpufreq/scaling_cur_freq", f"{2000000 + cpu * 1000000}\n")
    assert disturbance.swapped_pages() == 7
    assert disturbance.throttle_events() == 4
    assert disturbance.frequency_mhz() == 2500.0


def test_governors_are_those_of_every_cpu(tree):
    for cpu, governor in enumerate(("powersave", "performance", "performance")):
        tree(f"SYS/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor", f"{governor}\n")
    assert disturbance.governors() == ("performance", "powersave")
    assert host_facts(INFO).governor == "performance, powersave"


def test_quota_of_either_cgroup_version(tree):
    tree("CGROUP/cpu/cpu.stat", "nr_periods 1\nthrottled_time 5000000\n")
    assert disturbance.quota_throttled_us() == 5000
    tree("CGROUP/cpu.stat", "usage_usec 9\nthrottled_usec 77\n")
    assert disturbance.quota_throttled_us() == 77


def test_sleep_is_what_boot_time_runs_ahead(monkeypatch):
    now = {time.CLOCK_BOOTTIME: 7200.0, time.CLOCK_MONOTONIC: 3600.0}
    monkeypatch.setattr(disturbance.time, "clock_gettime", now.__getitem__)
    assert disturbance.suspended_s() == 3600.0
    before, after = (
        HostReading(0, 0, 0, suspended_s=3600.0),
        HostReading(0, 0, 0, suspended_s=3607.25),
    )
    assert conditions_between(before, after, 0).suspended_s == 7.25
    assert conditions_between(after, before, 0).suspended_s == 0.0
    assert conditions_between(HostReading(0, 0, 0), after, 0).suspended_s is None


def test_threads_of_a_core_are_told(tree):
    for cpu, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        tree(f"SYS/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", siblings + "\n")
    assert disturbance.cores() == ((0, 2), (1, 3))
    tree("SYS/devices/system/cpu/cpu4/topology/thread_siblings_list", "4-5\n")
    assert (4, 5) in disturbance.cores()


def test_equal_machines_are_told_apart_and_their_identity_is_not_told() -> None:
    facts = HostFacts(
        cpu_model="cpu", cpus=2, governor="", memory_bytes=4 * 10**9, kernel="6.1",
        operating_system="Debian", virtualization="",
        engine=EngineFacts("Docker", "24", "", ""), cgroup_version="1",
    )  # fmt: skip
    one, other = (host_id(facts, name * 32) for name in "ab")
    assert one != other and host_id(facts, "a" * 32) == one
    assert re.fullmatch("[0-9a-f]{12}", one) and "aaaa" not in one
    assert host_id(facts, "") != host_id(replace(facts, kernel="6.2"), "")
