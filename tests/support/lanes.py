"""At the end of a run: the seconds of each folder of tests, and its slowest ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

SLOWEST = 10
MIN_S = 1.0
"""Shorter ones are not listed."""


@dataclass(frozen=True)
class Lane:
    """The tests of one folder: seconds by test, and when the first began and the last ended."""

    seconds: dict[str, float]
    began: float
    ended: float

    @property
    def work_s(self) -> float:
        return sum(self.seconds.values())

    def slowest(self) -> list[tuple[str, float]]:
        by_time = sorted(self.seconds.items(), key=lambda item: -item[1])
        return [(name, took) for name, took in by_time[:SLOWEST] if took >= MIN_S]


def lanes(reports: Iterable[pytest.TestReport]) -> dict[str, Lane]:
    """The lanes by the name of their folder, in the order in which they began."""
    kept: dict[str, list[pytest.TestReport]] = defaultdict(list)
    for report in reports:
        kept["/".join(report.nodeid.split("/")[:2])].append(report)
    made = {name: _lane(name, found) for name, found in kept.items()}
    return dict(sorted(made.items(), key=lambda item: item[1].began))


def _lane(name: str, found: list[pytest.TestReport]) -> Lane:
    seconds: dict[str, float] = defaultdict(float)
    for report in found:
        seconds[report.nodeid.removeprefix(f"{name}/")] += report.duration
    return Lane(dict(seconds), min(r.start for r in found), max(r.stop for r in found))


def lines(found: dict[str, Lane]) -> Iterator[str]:
    """What is printed of them."""
    for name, lane in found.items():
        span = lane.ended - lane.began
        yield (
            f"{name}: {len(lane.seconds)} tests, {lane.work_s:.0f} s of work within {span:.0f} s"
        )
        for test, took in lane.slowest():
            yield f"  {took:6.1f} s  {test[:100]}"
