"""Same work: whether the arms did one and the same piece of work.

A ratio of times means something only when both arms trained the same model on
the same bytes with the same kernels. Each arm's identity run (fixed seed, not
timed) is compared with the others', and every timed run with its arm's
identity run. Every check is by exact equality; a difference is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from kit.judge.statistics import in_order
from kit.records.record import Identity, Record
from kit.records.session import Session
from kit.study.model import SameWorkRules

_PYTHON_SIDE = {"site-packages", "dist-packages"}  # the latter is Debian's name for it
_NAMED = 4  # differences named in one check before "and n more"


@dataclass(frozen=True)
class Check:
    """One thing compared. ``detail`` says what was compared, or names the difference."""

    name: str
    held: bool
    detail: str


@dataclass(frozen=True)
class SameWork:
    """``held`` when every check held. ``applicable`` is False with one arm only."""

    held: bool
    checks: tuple[Check, ...]
    applicable: bool = True
    own_libraries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Per arm, native libraries that it alone maps: its runtime's own, no difference."""

    def broken(self) -> tuple[Check, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.checks if not check.held)


def same_work(session: Session, arms: Sequence[str], rules: SameWorkRules) -> SameWork:
    """Compare the arms (of one variant) of a session, by the study's rules."""
    if len(arms) < 2:
        why = f"not applicable: {'one' if arms else 'no'} arm"
        return SameWork(True, (Check("arms", True, why),), applicable=False)
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
    problems = []
    for arm in arms:
        if arm in records:
            continue
        failed = [e for e in session.entries if e.arm == arm and e.kind == "identity"]
        why = f"it failed: {failed[-1].failure}" if failed else "the log has none"
        problems.append(f"no good identity run of {arm} ({why})")
    return _check("identity runs", problems, f"one of each arm: {', '.join(arms)}")


def _identity_checks(records: Mapping[str, Record], names: Sequence[str]) -> list[Check]:
    versions = {a: {n: r.versions.get(n, "") for n in names} for a, r in records.items()}
    hashed: list[tuple[str, str, Callable[[Identity], Mapping[str, str]]]] = [
        ("data", "payloads", lambda identity: identity.data),
        ("tensors", "arrays", lambda identity: identity.tensors),
        ("model config", "", lambda identity: {"model config": identity.model_config}),
        ("initial weights", "", lambda i: {"initial weights": i.initial_weights or ""}),
    ]
    checks = [_equal("versions", versions, f"{', '.join(names)} equal")] if names else []
    for name, unit, get in hashed:
        maps = {arm: get(record.identity) for arm, record in records.items()}
        count = len(next(iter(maps.values())))
        checks.append(_equal(name, maps, f"identical, {count} {unit}" if unit else "identical"))
    return [*checks, _trajectory(records)]


def _equal(name: str, maps: Mapping[str, Mapping[str, str]], good: str) -> Check:
    """Compare every arm's names and values with the first arm's."""
    (first, wanted), *others = maps.items()
    problems = [f"{n} not recorded by {arm}" for arm, m in maps.items() for n in m if not m[n]]
    problems += [f"nothing recorded by {arm}" for arm, m in maps.items() if not m]
    for arm, got in others:
        for key in sorted(wanted.keys() | got.keys()):
            a, b = wanted.get(key, "missing"), got.get(key, "missing")
            if a and b and a != b:
                problems.append(f"{key} differs: {_short(a)} in {first}, {_short(b)} in {arm}")
    return _check(name, problems, good)


def _trajectory(records: Mapping[str, Record]) -> Check:
    """Every loss and accuracy of every fit and epoch, by exact equality."""
    series = {arm: _values(record) for arm, record in records.items()}
    (first, wanted), *others = series.items()
    problems = [f"{arm} recorded no losses" for arm, values in series.items() if not values]
    for arm, values in series.items():
        for where, value in values.items():
            if not math.isfinite(value):
                problems.append(f"{where} of {arm} is not finite")
                break
    for arm, got in others:
        differing = [w for w in wanted if w in got and wanted[w] != got[w]]
        lacking = sorted(wanted.keys() ^ got.keys())
        if differing:
            where = differing[0]
            problems.append(
                f"{where} differs: {wanted[where]!r} in {first}, {got[where]!r} in {arm}"
                f" ({len(differing)} of {len(wanted)} values differ)"
            )
        if lacking:
            problems.append(f"{lacking[0]} is recorded by one of {first}, {arm} only")
    return _check("loss trajectory", problems, f"identical, {len(wanted)} values")


def _values(record: Record) -> dict[str, float]:
    values: dict[str, float] = {}
    for number, fit in enumerate(in_order(record)):
        for name, series in (("loss", fit.losses), ("accuracy", fit.accuracies)):
            for epoch, value in enumerate(series):
                values[f"{name} of fit {number} epoch {epoch + 1}"] = value
    return values


def _libraries(
    maps: Mapping[str, Mapping[str, str]],
) -> tuple[Check, dict[str, tuple[str, ...]]]:
    """Libraries mapped in several arms must be the same file.

    Those of the Python side (in site-packages, or libpython itself) must be
    mapped in all arms; a library that one arm alone maps is its runtime's own.
    """
    problems = [f"none recorded by {arm}" for arm, libraries in maps.items() if not libraries]
    own: dict[str, list[str]] = {arm: [] for arm in maps}
    shared = 0
    for path in sorted(set().union(*maps.values())):
        holders = [arm for arm in maps if path in maps[arm]]
        lacking = [arm for arm in maps if path not in maps[arm]]
        name = PurePosixPath(path).name
        if len({maps[arm][path] for arm in holders}) > 1:
            problems.append(f"{name} is another file in {' and '.join(holders)}")
        if not lacking:
            shared += 1
        elif _PYTHON_SIDE & set(PurePosixPath(path).parts) or name.startswith("libpython"):
            problems.append(f"{name} is not mapped in {' and '.join(lacking)}")
        else:
            for arm in holders:
                own[arm].append(path)
    extra = ", ".join(f"{len(p)} more in {arm} alone" for arm, p in own.items() if p)
    good = f"{shared} mapped in all arms, identical" + (f"; {extra}" if extra else "")
    listed = {arm: tuple(paths) for arm, paths in own.items() if paths}
    return _check("native libraries", problems, good), listed


def _wheels(records: Mapping[str, Record]) -> Check:
    maps = {arm: record.identity.wheels for arm, record in records.items()}
    problems = [f"none checked in {arm}" for arm, wheels in maps.items() if not wheels]
    for arm, wheels in maps.items():
        for name, state in sorted(wheels.items()):
            if state != "ok":
                problems.append(f"{name} in {arm} is not as its RECORD says: {state}")
    counts = ", ".join(f"{len(wheels)} in {arm}" for arm, wheels in maps.items())
    return _check("wheels", problems, f"every file as its RECORD says: {counts}")


def _timed(session: Session, records: Mapping[str, Record], arms: Sequence[str]) -> Check:
    """Timed runs: the identity run's data, tensors, model and number of epochs."""
    problems, count = [], 0
    for entry in session.timed():
        wanted = records.get(entry.arm)
        if entry.record is None or wanted is None or entry.arm not in arms:
            continue
        count += 1
        got = entry.record.identity
        pairs: list[tuple[str, object, object]] = [
            ("data", dict(wanted.identity.data), dict(got.data)),
            ("tensors", dict(wanted.identity.tensors), dict(got.tensors)),
            ("model config", wanted.identity.model_config, got.model_config),
            ("number of epochs", _epochs(wanted), _epochs(entry.record)),
        ]
        for name, a, b in pairs:
            if a != b:
                problems.append(f"{name} of {entry.run_id} ({entry.arm}) differs from identity run")
    good = f"{count} runs as their arm's identity run" if count else "none to compare"
    return _check("timed runs", problems, good)


def _epochs(record: Record) -> set[int]:
    return {len(series) for fit in record.fits for series in (fit.losses, fit.accuracies)}


def _fit_counts(session: Session, arms: Sequence[str]) -> Check:
    planned = {run.run_id: run.repeats for run in session.header.plan.runs}
    problems = []
    for entry in session.timed():
        wanted = planned.get(entry.run_id, session.header.plan.repeats)
        got = len(entry.record.fits) if entry.record is not None else 0
        if entry.arm in arms and got != wanted:
            problems.append(f"{entry.run_id} ({entry.arm}) did {got} fits, planned {wanted}")
    return _check("fits", problems, f"{session.header.plan.repeats} in every run, as planned")


def _check(name: str, problems: Sequence[str], good: str) -> Check:
    if not problems:
        return Check(name, True, good)
    more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return Check(name, False, "; ".join(problems[:_NAMED]) + more)


def _short(value: str) -> str:
    """A hash cut to what tells it apart; anything shorter as it is."""
    return value[:12] if len(value) == 64 else value
