"""Readings of the GPU before, during and after a run, and their summary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from types import TracebackType

from kit.host.gpu.probe import Probe, ProbeError
from kit.records.gpu import IDLE, Gpu, GpuTelemetry

INTERVAL_S = 1.0
_STOP_S = 5.0
"""Longest wait for a reading to end; less than the time that an interrupted session may take."""


@dataclass
class Watch:
    """A context in which a thread reads the GPU repeatedly; ``telemetry`` summarises it.

    Failures of readings are recorded, not raised: a run must not fail because its
    telemetry did. The first reading is done when the context is entered, the last
    while it is left.
    """

    probe: Probe
    uuid: str
    interval_s: float = INTERVAL_S
    _readings: list[Gpu] = field(init=False, default_factory=list)
    _failures: list[str] = field(init=False, default_factory=list)
    _stop: threading.Event = field(init=False, default_factory=threading.Event)
    _begun: threading.Event = field(init=False, default_factory=threading.Event)
    _thread: threading.Thread | None = field(init=False, default=None)

    def __enter__(self) -> Watch:
        """Take the first reading and go on in a thread."""
        # A daemon: a hanging library call must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="kit-gpu-watch", daemon=True)
        self._thread.start()
        try:
            if not self._begun.wait(_STOP_S):
                self._fail(f"the first reading was not done within {_STOP_S:g} s")
        except BaseException:
            # Interrupted: __exit__ is not called, as the context was not entered.
            self._stop.set()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the last reading and end the thread, however the run ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                self._fail(f"the last reading was not done within {_STOP_S:g} s")

    def telemetry(self) -> GpuTelemetry:
        """Return the summary of all readings; call it after the context was left."""
        return telemetry_of(self.uuid, tuple(self._readings), tuple(self._failures))

    def _work(self) -> None:
        try:
            with self.probe.watch(self.uuid) as read:
                self._take(read)
                self._begun.set()
                while not self._stop.wait(self.interval_s):
                    self._take(read)
                self._take(read)
        except ProbeError as error:
            self._fail(str(error))
        except Exception as error:
            # Also for bugs of the library: no run is lost because of them.
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            self._begun.set()

    def _take(self, read: Callable[[], Gpu]) -> None:
        try:
            self._readings.append(read())
        except ProbeError as error:
            self._fail(str(error))

    def _fail(self, reason: str) -> None:
        if reason not in self._failures:
            self._failures.append(reason)


def telemetry_of(uuid: str, readings: Sequence[Gpu], failures: Sequence[str]) -> GpuTelemetry:
    """Sum up the readings of one GPU."""
    busy = [gpu for gpu in readings if IDLE not in gpu.throttle]
    clocks = [gpu.sm_mhz for gpu in busy if gpu.sm_mhz is not None]
    temperatures = [gpu.temperature_c for gpu in readings if gpu.temperature_c is not None]
    powers = [gpu.power_w for gpu in readings if gpu.power_w is not None]
    return GpuTelemetry(
        uuid=uuid,
        name=readings[0].name if readings else "",
        driver=readings[0].driver if readings else "",
        readings=len(readings),
        sm_mhz_min=min(clocks, default=None),
        sm_mhz_max=max(clocks, default=None),
        temperature_max_c=max(temperatures, default=None),
        power_max_w=max(powers, default=None),
        power_mean_w=fmean(powers) if powers else None,
        memory_max_bytes=max(
            (gpu.memory_total_bytes - gpu.memory_free_bytes for gpu in readings), default=None
        ),
        throttle=tuple(dict.fromkeys(reason for gpu in readings for reason in gpu.throttle)),
        pids=tuple(sorted({process.pid for gpu in readings for process in gpu.processes})),
        failures=tuple(failures),
    )
