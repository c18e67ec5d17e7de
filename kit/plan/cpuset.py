"""Sets of CPUs as kernel and engine write them, cpuset(7): "0", "0-3", "0-1,4-5"."""

from __future__ import annotations

from collections.abc import Iterable


def cpus_of(cpuset: str) -> tuple[int, ...]:
    """Return the numbers of the CPUs in a set such as "0-1,4", in its order.

    Raise ValueError for an invalid set.
    """
    found: list[int] = []
    for span in cpuset.split(","):
        first, _, last = span.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def cpuset_of(cpus: Iterable[int]) -> str:
    """Return the set of these CPU numbers as text, such as "0-1,4"."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][1] + 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
