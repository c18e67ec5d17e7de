"""Why a GPU's clocks are limited, by name, and which of the reasons spoil a timing.

The rule, stated here alone: a run is flagged as throttled when the hardware or
the driver slowed the GPU down to protect it (heat, power brake, any hardware
slowdown). Staying at the power limit is how a busy GPU works as configured: it
is shown, and is milder. Idle clocks, set clocks and display clocks are no
throttling. Names and bits are NVML's ("NvmlClocksEventReasons" of NVIDIA's NVML
API reference, docs.nvidia.com/deploy/nvml-api).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

IDLE = "GPU idle"
REASONS: Mapping[int, str] = {
    0x001: IDLE,
    0x002: "applications clocks setting",
    0x004: "software power cap",
    0x008: "hardware slowdown",
    0x010: "sync boost",
    0x020: "software thermal slowdown",
    0x040: "hardware thermal slowdown",
    0x080: "hardware power brake slowdown",
    0x100: "display clock setting",
}
HARMFUL = (
    "hardware slowdown",
    "software thermal slowdown",
    "hardware thermal slowdown",
    "hardware power brake slowdown",
)
MILD = ("software power cap",)


def named(bits: int) -> tuple[str, ...]:
    """The reasons of NVML's bit mask; a bit that has no name here is shown as it is."""
    known = [name for bit, name in REASONS.items() if bits & bit]
    other = bits & ~sum(REASONS)
    return (*known, f"unknown (0x{other:x})") if other else tuple(known)


def harmful(reasons: Iterable[str]) -> tuple[str, ...]:
    """Those that make a run's times doubtful."""
    seen = set(reasons)
    return tuple(name for name in HARMFUL if name in seen)


def mild(reasons: Iterable[str]) -> tuple[str, ...]:
    """Those that are worth showing, no more."""
    seen = set(reasons)
    return tuple(name for name in MILD if name in seen)
