"""Same work: whether the arms did exactly the same work.

A ratio of times is meaningful only if both arms trained the same model on the same
bytes with the same kernels. kit compares each arm's identity run (fixed seed, not
timed) with the others', and every timed run with its arm's identity run. Every check
is by exact equality and names the differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from kit.judge.check import (
    AnotherFile,
    Check,
    CheckName,
    Compared,
    Difference,
    FewArms,
    Fits,
    IdentityRunFailed,
    IdentityRuns,
    Libraries,
    NoIdentityRun,
    NotFinite,
    NothingRecorded,
    NotMapped,
    NotRecorded,
    OneHash,
    OneSided,
    OtherFits,
    OtherWork,
    Part,
    Point,
    TimedRuns,
    TrajectoryDiffers,
    ValueDiffers,
    Values,
    Versions,
    WheelChanged,
    Wheels,
)
from kit.judge.statistics import in_order
from kit.plan.model import IDENTITY
from kit.records.record import Identity, Record
from kit.records.session import Session
from kit.study.model import SameWorkRules

_PYTHON_SIDE = {"site-packages", "dist-packages"}  # the latter is Debian's name for it


@dataclass(frozen=True)
class SameWork:
    """The results of all checks; ``held`` if every one held. One arm is not ``applicable``."""

    held: bool
    checks: tuple[Check, ...]
    applicable: bool = True
    own_libraries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Native libraries of an arm's runtime that not all arms map; they are not differences."""

    def broken(self) -> tuple[Check, ...]:
        """Return the checks that did not hold."""
        return tuple(check for check in self.checks if not check.held)


def same_work(session: Session, arms: Sequence[str], rules: SameWorkRules) -> SameWork:
    """Check that the arms of one variant did the same work, by the rules of the study."""
    if len(arms) < 2:
        return SameWork(True, (Check("arms", FewArms(len(arms))),), applicable=False)
    found = {arm: run.record for arm, run in session.identity().items() if run.record is not None}
    records = {arm: found[arm] for arm in arms if arm in found}
    checks = [_present(session, arms, records)]
    own: dict[str, tuple[str, ...]] = {}
    if len(records) == len(arms):
        library, own = _libraries({arm: records[arm].identity.libraries for arm in arms})
        every = [*_identity_checks(records, rules.versions), library, _wheels(records)]
        checks += [check for check in every if check.name in (*rules.checks, "versions")]
    checks += [_timed(session, records, arms), _fit_counts(session, arms)]
    return SameWork(all(check.held for check in checks), tuple(checks), own_libraries=own)


def _present(session: Session, arms: Sequence[str], records: Mapping[str, Record]) -> Check:
    lacking: list[Difference] = []
    for arm in arms:
        if arm in records:
            continue
        failed = [e for e in session.entries if e.arm == arm and e.kind == IDENTITY]
        lacking.append(IdentityRunFailed(arm, failed[-1].failure) if failed else NoIdentityRun(arm))
    return Check("identity runs", IdentityRuns(tuple(arms)), tuple(lacking))


def _identity_checks(records: Mapping[str, Record], names: Sequence[str]) -> list[Check]:
    versions = {a: {n: r.versions.get(n, "") for n in names} for a, r in records.items()}
    hashes: list[tuple[CheckName, Callable[[Identity], str | None]]] = [
        ("model config", lambda identity: identity.model_config),
        ("initial weights", lambda identity: identity.initial_weights),
    ]
    checks = [_equal("versions", versions, Versions(tuple(names)))] if names else []
    data = {arm: record.identity.data for arm, record in records.items()}
    checks.append(_equal("data", data, Values(_count(data), "payloads")))
    tensors = {arm: record.identity.tensors for arm, record in records.items()}
    checks.append(_equal("tensors", tensors, Values(_count(tensors), "arrays")))
    for name, get in hashes:
        maps = {arm: {str(name): get(r.identity) or ""} for arm, r in records.items()}
        checks.append(_equal(name, maps, OneHash()))
    return [*checks, _trajectory(records)]


def _count(maps: Mapping[str, Mapping[str, str]]) -> int:
    """Return how many names the first arm has."""
    return len(next(iter(maps.values())))


def _equal(name: CheckName, maps: Mapping[str, Mapping[str, str]], compared: Compared) -> Check:
    """Compare every arm's names and values with the first arm's."""
    (first, wanted), *others = maps.items()
    found: list[Difference] = []
    found += [NotRecorded(n, arm) for arm, m in maps.items() for n in m if not m[n]]
    found += [NothingRecorded(arm) for arm, m in maps.items() if not m]
    for arm, got in others:
        for key in sorted(wanted.keys() | got.keys()):
            a, b = wanted.get(key), got.get(key)
            if a != b and "" not in (a, b):
                found.append(ValueDiffers(key, first, a, arm, b))
    return Check(name, compared, tuple(found))


def _trajectory(records: Mapping[str, Record]) -> Check:
    """Compare every loss and accuracy of every fit and epoch, by exact equality."""
    series = {arm: _values(record) for arm, record in records.items()}
    (first, wanted), *others = series.items()
    found: list[Difference] = [NothingRecorded(arm) for arm, values in series.items() if not values]
    for arm, values in series.items():
        bad = next((point for point, value in values.items() if not math.isfinite(value)), None)
        if bad is not None:
            found.append(NotFinite(bad, arm))
    for arm, got in others:
        differing = [point for point in wanted if point in got and wanted[point] != got[point]]
        if differing:
            at, total = differing[0], len(wanted)
            found.append(
                TrajectoryDiffers(at, first, wanted[at], arm, got[at], len(differing), total)
            )
        lacking = wanted.keys() ^ got.keys()
        if lacking:
            found.append(OneSided(min(lacking, key=_by_name), first, arm))
    return Check("loss trajectory", Values(len(wanted), "values"), tuple(found))


def _values(record: Record) -> dict[Point, float]:
    values: dict[Point, float] = {}
    for number, fit in enumerate(in_order(record)):
        values |= {Point("loss", number, e): v for e, v in enumerate(fit.losses, 1)}
        values |= {Point("accuracy", number, e): v for e, v in enumerate(fit.accuracies, 1)}
    return values


def _by_name(point: Point) -> tuple[str, str, str]:
    """Return a sort key for the order of the points' printed names."""
    return point.series, str(point.fit), str(point.epoch)


def _libraries(
    maps: Mapping[str, Mapping[str, str]],
) -> tuple[Check, dict[str, tuple[str, ...]]]:
    """Check that libraries mapped in several arms are the same file.

    Those of the Python side (in site-packages, or libpython itself) must be
    mapped in all arms; others may belong to the runtime of a single arm.
    """
    found: list[Difference] = [NothingRecorded(arm) for arm, paths in maps.items() if not paths]
    own: dict[str, list[str]] = {arm: [] for arm in maps}
    shared = 0
    for path in sorted(set().union(*maps.values())):
        holders = tuple(arm for arm in maps if path in maps[arm])
        lacking = tuple(arm for arm in maps if path not in maps[arm])
        name = PurePosixPath(path).name
        if len({maps[arm][path] for arm in holders}) > 1:
            found.append(AnotherFile(name, holders))
        if not lacking:
            shared += 1
        elif _PYTHON_SIDE & set(PurePosixPath(path).parts) or name.startswith("libpython"):
            found.append(NotMapped(name, lacking))
        else:
            for arm in holders:
                own[arm].append(path)
    listed = {arm: tuple(paths) for arm, paths in own.items() if paths}
    compared = Libraries(shared, {arm: len(paths) for arm, paths in listed.items()})
    return Check("native libraries", compared, tuple(found)), listed


def _wheels(records: Mapping[str, Record]) -> Check:
    maps = {arm: record.identity.wheels for arm, record in records.items()}
    found: list[Difference] = [NothingRecorded(arm) for arm, wheels in maps.items() if not wheels]
    found += [
        WheelChanged(name, arm, state)
        for arm, wheels in maps.items()
        for name, state in sorted(wheels.items())
        if state != "ok"
    ]
    counts = {arm: len(wheels) for arm, wheels in maps.items()}
    return Check("wheels", Wheels(counts), tuple(found))


def _timed(session: Session, records: Mapping[str, Record], arms: Sequence[str]) -> Check:
    """Compare each timed run's data, tensors, model and epochs with its arm's identity run."""
    found: list[Difference] = []
    count = 0
    for entry in session.timed():
        wanted = records.get(entry.arm)
        if entry.record is None or wanted is None or entry.arm not in arms:
            continue
        count += 1
        found += [OtherWork(w, entry.run_id, entry.arm) for w in _unlike(wanted, entry.record)]
    return Check("timed runs", TimedRuns(count), tuple(found))


def _unlike(identity: Record, timed: Record) -> Iterator[Part]:
    wanted, got = identity.identity, timed.identity
    if dict(wanted.data) != dict(got.data):
        yield "data"
    if dict(wanted.tensors) != dict(got.tensors):
        yield "tensors"
    if wanted.model_config != got.model_config:
        yield "model config"
    if _epochs(identity) != _epochs(timed):
        yield "number of epochs"


def _epochs(record: Record) -> set[int]:
    return {len(series) for fit in record.fits for series in (fit.losses, fit.accuracies)}


def _fit_counts(session: Session, arms: Sequence[str]) -> Check:
    planned = {run.run_id: run.repeats for run in session.header.plan.runs}
    found: list[Difference] = []
    for entry in session.timed():
        wanted = planned.get(entry.run_id, session.header.plan.repeats)
        got = len(entry.record.fits) if entry.record is not None else 0
        if entry.arm in arms and got != wanted:
            found.append(OtherFits(entry.run_id, entry.arm, got, wanted))
    return Check("fits", Fits(session.header.plan.repeats), tuple(found))
