"""What a run may use: the CPUs and the memory, from what there is and what is wished."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kit.engine.protocol import EngineInfo
from kit.errors import HostError, InputError
from kit.plan.make import Resources

# The engine, the driver and the page cache need some; without it the kernel
# would end a run before its own limit does.
KEPT_FOR_HOST = 0.1
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


@dataclass(frozen=True)
class Wish:
    """What the user asked for; None or 0 where nothing was."""

    cpus: int = 0
    memory_bytes: int = 0


def parse_memory(text: str) -> int:
    """Bytes of "8g", "900m" or a plain number. Raises InputError."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)([kmg]?)b?", text.strip().lower())
    size = int(float(match.group(1)) * _UNITS[match.group(2)]) if match else 0
    if size < 1:
        raise InputError(f"--memory: {text!r} is not a size", "give a size such as 8g or 900m")
    return size


def resources(engine: EngineInfo, available_bytes: int, wish: Wish) -> Resources:
    """CPUs 0 to n-1 and the memory of one run.

    ``available_bytes`` is what the driver's machine has free; it counts where the
    engine runs on the same machine. Raises HostError when more is wished than there is.
    """
    if wish.cpus > engine.cpus:
        raise HostError(
            f"--cpus: {wish.cpus} are wished, the engine's machine has {engine.cpus}",
            f"give at most {engine.cpus}",
        )
    cpus = wish.cpus or engine.cpus
    local = engine.endpoint.startswith("unix:")
    free = min(available_bytes, engine.memory_bytes) if local else engine.memory_bytes
    available = int(free * (1 - KEPT_FOR_HOST))
    if wish.memory_bytes > available:
        raise HostError(
            f"--memory: {wish.memory_bytes / 1e9:.1f} GB are wished, "
            f"{available / 1e9:.1f} GB can be had",
            "free memory or wish for less",
        )
    cpuset = "0" if cpus == 1 else f"0-{cpus - 1}"
    # In steps, so that a moment's few megabytes make no other plan.
    return Resources(cpuset=cpuset, memory_bytes=wish.memory_bytes or available // 10**8 * 10**8)
