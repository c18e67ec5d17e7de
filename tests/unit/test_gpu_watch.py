"""Watching a GPU over a run: what is summed up, and that nothing it does can harm the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fakes.gpu import T4, FakeProbe, make_gpu

from kit.host.gpu.probe import ProbeError, Watch, telemetry_of
from kit.records.gpu import (
    HARMFUL,
    IDLE,
    MILD,
    REASONS,
    Gpu,
    GpuProcess,
    harmful,
    mild,
    throttle_reasons,
)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "kit-gpu-watch"]


def test_it_reads_before_during_and_after() -> None:
    probe = FakeProbe((T4,))
    with Watch(probe, T4.uuid, interval_s=0.01) as watch:
        before = watch.telemetry().readings
        deadline = time.monotonic() + 5
        while watch.telemetry().readings < before + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        during = watch.telemetry().readings
    assert before >= 1
    assert watch.telemetry().readings > during >= before + 3
    assert (probe.opened, probe.open_now, threads()) == ([T4.uuid], 0, [])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the run broke")])
def test_it_stops_however_the_run_ends(error: BaseException) -> None:
    probe = FakeProbe((T4,))
    with pytest.raises(type(error)), Watch(probe, T4.uuid, interval_s=60):
        raise error
    assert (probe.open_now, threads()) == (0, [])


def test_it_stops_when_it_is_interrupted_while_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(FakeProbe((T4,)), T4.uuid, interval_s=60)

    def interrupted(_timeout: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch._begun, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), watch:
        pytest.fail("the context was entered")
    assert watch._thread is not None
    watch._thread.join(5)
    assert threads() == []


class Hanging(FakeProbe):
    """A library call that does not come back until ``free`` is set."""

    def __init__(self) -> None:
        super().__init__((T4,))
        self.free = threading.Event()

    @contextmanager
    def watch(self, uuid: str) -> Iterator[Callable[[], Gpu]]:
        self.free.wait(20)
        yield lambda: T4


def test_a_library_that_hangs_is_left_alone_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.host.gpu.probe._STOP_S", 0.05)
    probe = Hanging()
    with Watch(probe, T4.uuid) as watch:
        pass
    assert watch.telemetry().failures == (
        "the first reading was not done within 0.05 s",
        "the last reading was not done within 0.05 s",
    )
    probe.free.set()
    watch._thread.join(5)


def test_a_reading_that_fails_is_kept_and_the_next_ones_go_on() -> None:
    readings = [T4, ProbeError("NVML: GPU is lost"), ProbeError("NVML: GPU is lost"), T4]
    with Watch(FakeProbe((T4,), readings=readings), T4.uuid, interval_s=0.001) as watch:
        time.sleep(0.05)
    telemetry = watch.telemetry()
    assert telemetry.failures == ("NVML: GPU is lost",)
    assert telemetry.readings >= 2


def test_a_gpu_that_cannot_be_opened_leaves_empty_telemetry_with_the_reason() -> None:
    with Watch(FakeProbe(), "GPU-gone") as watch:
        pass
    telemetry = watch.telemetry()
    assert (telemetry.uuid, telemetry.readings, telemetry.name) == ("GPU-gone", 0, "")
    assert telemetry.failures == ("NVML: Not Found",)
    assert telemetry.sm_mhz_min is telemetry.power_mean_w is telemetry.memory_max_bytes is None


def test_a_bug_of_the_library_is_kept_too() -> None:
    with Watch(FakeProbe((T4,), readings=[ValueError("odd struct")]), T4.uuid) as watch:
        pass
    assert watch.telemetry().failures == ("ValueError: odd struct",)


def test_a_sample_sums_up_its_readings() -> None:
    readings = [
        make_gpu(sm_mhz=300, temperature_c=40, power_w=10.0, throttle=(IDLE,)),
        make_gpu(sm_mhz=1500, temperature_c=70, power_w=60.0, throttle=("software power cap",)),
        make_gpu(
            sm_mhz=1200,
            temperature_c=84,
            power_w=50.0,
            memory_free_bytes=1_000_000_000,
            throttle=("hardware thermal slowdown", "software power cap"),
            processes=(GpuProcess(9, 5), GpuProcess(3, None)),
        ),
    ]
    telemetry = telemetry_of("GPU-aaaa", readings, ["late"])
    assert (telemetry.name, telemetry.driver, telemetry.readings) == ("Tesla T4", "535.161.08", 3)
    assert (telemetry.sm_mhz_min, telemetry.sm_mhz_max) == (1200, 1500)
    assert (telemetry.temperature_max_c, telemetry.power_max_w, telemetry.power_mean_w) == (
        84,
        60.0,
        40.0,
    )
    assert telemetry.memory_max_bytes == 14_800_000_000
    assert telemetry.throttle == (IDLE, "software power cap", "hardware thermal slowdown")
    assert (telemetry.pids, telemetry.failures) == ((3, 9), ("late",))


def test_what_a_gpu_does_not_tell_stays_untold() -> None:
    silent = make_gpu(sm_mhz=None, temperature_c=None, power_w=None)
    telemetry = telemetry_of("GPU-aaaa", [silent], [])
    assert (telemetry.sm_mhz_max, telemetry.temperature_max_c, telemetry.power_max_w) == (
        None,
        None,
        None,
    )


def test_reasons_have_names_and_unknown_bits_are_shown() -> None:
    assert throttle_reasons(0) == ()
    assert throttle_reasons(0x45) == (IDLE, "software power cap", "hardware thermal slowdown")
    assert throttle_reasons(0x401) == (IDLE, "unknown (0x400)")


def test_the_rule_of_what_spoils_a_timing() -> None:
    assert set(HARMFUL) | set(MILD) < set(REASONS.values())
    seen = ("software power cap", "software thermal slowdown", IDLE, "sync boost")
    assert harmful(seen) == ("software thermal slowdown",)
    assert mild(seen) == ("software power cap",)
    assert harmful(("software power cap", IDLE)) == ()
