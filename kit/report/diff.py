"""Comparison of two sessions: their settings, then their claims."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from kit.errors import InputError
from kit.judge.statistics import Interval
from kit.plan.make import plan_sha256
from kit.records.host import EngineFacts
from kit.report.conditions import engine_text
from kit.report.looks import blocks_text, course_facts
from kit.report.model import ReportModel
from kit.report.numbers import Form, format_gigabytes, format_interval
from kit.report.text import plain

SAME, OTHER = "agree", "differ"
_VALUE_LIMIT = 1000
_HASH = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_HASH_SHOWN = 12
"""Number of digits of a hash on the terminal."""


@dataclass(frozen=True)
class Setting:
    """A setting that differs between the two sessions, with both values."""

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class ClaimPair:
    """One claim in both sessions. ``overlap`` is of the intervals; None if one is missing."""

    claim: str
    variant: str
    words: tuple[str, str]
    gains: tuple[float | None, float | None]
    intervals: tuple[Interval | None, Interval | None]
    overlap: bool | None
    says: str
    form: Form
    """The form in which both gains are printed."""


@dataclass(frozen=True)
class ReportDifference:
    """The settings that differ, and every claim of the two sessions."""

    settings: tuple[Setting, ...]
    claims: tuple[ClaimPair, ...]


_Key: TypeAlias = tuple[str, str]
"""Claim and variant."""


@dataclass(frozen=True)
class _Verdict:
    """The verdict of one session on a claim. ``gain`` is in percent; None: not measured."""

    word: str
    gain: float | None = None
    interval: Interval | None = None


_ABSENT = _Verdict("no verdict")
_OVERLAP = {None: "", True: "; their intervals overlap", False: "; their intervals do not overlap"}


def compare(first: ReportModel, second: ReportModel) -> ReportDifference:
    """Return the differences of two sessions. Raise InputError if their studies differ."""
    if first.study.id != second.study.id:
        raise InputError(
            f"cannot compare study {first.study.id} with study {second.study.id}",
            "compare two sessions of one study",
        )
    a, b = _settings(first), _settings(second)
    settings = tuple(
        Setting(what, a.get(what, "-"), b.get(what, "-"))
        for what in dict.fromkeys((*a, *b))
        if a.get(what) != b.get(what)
    )
    return ReportDifference(settings, tuple(_claims(first, second)))


def document(found: ReportDifference) -> str:
    """Return the differences as JSON text."""
    return json.dumps(asdict(found), indent=2, sort_keys=True, allow_nan=False) + "\n"


def shown(found: ReportDifference) -> str:
    """Return the differences as plain text for the terminal, at most 80 columns."""
    lines = ["Settings that differ:" if found.settings else "All settings agree."]
    for row in found.settings:
        lines.append(f"  {plain(row.what, 40)}")
        first, second = _short(row)
        for name, value in (("first:  ", first), ("second: ", second)):
            # Not shortened: the difference may be at the end.
            lines += textwrap.wrap(
                plain(value, _VALUE_LIMIT),
                width=80,
                initial_indent=f"    {name}",
                subsequent_indent=" " * 12,
            )
    lines.append("Claims:")
    for pair in found.claims:
        lines += textwrap.wrap(
            f"{plain(f'{pair.claim} {pair.variant}', 24)}: {pair.says}",
            width=80,
            initial_indent="  ",
            subsequent_indent="    ",
        )
        for name, word, gain, bounds in zip(
            ("first: ", "second:"), pair.words, pair.gains, pair.intervals, strict=True
        ):
            effect = (
                "" if gain is None else f", measured {format_interval(gain, bounds, pair.form)}"
            )
            lines.append(f"    {name} {word}{effect}")
    return "\n".join(lines) + "\n"


def _short(row: Setting) -> tuple[str, str]:
    """Return both values, hashes shortened if they still differ then."""
    first, second = _cut(row.first), _cut(row.second)
    return (row.first, row.second) if first == second else (first, second)


def _cut(value: str) -> str:
    return value[: _HASH_SHOWN - 64] if _HASH.fullmatch(value) else value


def _form(models: Sequence[ReportModel], variant: str) -> Form:
    """Return the form in which the two can be compared: factors if one of them has factors."""
    found = {p.form for model in models for p in model.variants if p.variant == variant}
    return Form.FACTOR if Form.FACTOR in found else Form.GAIN


def _settings(model: ReportModel) -> dict[str, str]:
    header, plan, course = model.header, model.header.plan, model.course
    named = {
        "study": model.study.sha256,
        "kit": header.kit_version,
        "plan": plan_sha256(plan),  # the recorded one depends on the form of the log
        "budget": plan.tier,
        "order seed": str(plan.seed),
        "design": plan.design,
        "blocks": blocks_text(plan, course),
        **dict(course_facts(course) if course is not None else ()),
        "fits per run": str(plan.repeats),
        "CPUs per run": plan.limits.cpuset,
        "memory per run": format_gigabytes(plan.limits.memory_bytes),
        **{
            name.replace("_", " "): engine_text(value)
            if isinstance(value, EngineFacts)
            else str(value)
            for name, value in vars(header.host).items()
        },
        "substitutes": ", ".join(row.name for row in header.fidelity if not row.exact) or "none",
        "same work": "passed" if model.same_work_held else "failed",
    }
    for arm, image in header.images.items():
        named[f"image of {arm}"] = image.content_sha256 or image.image_id
    for name in dict.fromkeys(row.name for row in header.fidelity):
        used = dict.fromkeys(row.got for row in header.fidelity if row.name == name)
        named[f"{name} used"] = " / ".join(used)
    for arm_facts in model.arms:
        for name, versions in arm_facts.versions.items():
            named[f"{name} in {arm_facts.arm}"] = " / ".join(versions)
    if model.gpu is not None and model.gpu.check.gpu is not None:
        named["GPU"] = f"{model.gpu.check.gpu.name}, driver {model.gpu.check.gpu.driver}"
    return named


def _claims(first: ReportModel, second: ReportModel) -> list[ClaimPair]:
    a, b = _verdicts(first), _verdicts(second)
    return [
        _pair(key, a.get(key, _ABSENT), b.get(key, _ABSENT), _form((first, second), key[1]))
        for key in dict.fromkeys((*a, *b))
    ]


def _pair(key: _Key, first: _Verdict, second: _Verdict, form: Form) -> ClaimPair:
    claim, variant = key
    overlap = None
    if first.interval is not None and second.interval is not None:
        overlap = first.interval.overlaps(second.interval.low, second.interval.high)
    word = SAME if first.word == second.word else OTHER
    return ClaimPair(
        claim=claim,
        variant=variant,
        words=(first.word, second.word),
        gains=(first.gain, second.gain),
        intervals=(first.interval, second.interval),
        overlap=overlap,
        says=f"the verdicts {word}{_OVERLAP[overlap]}",
        form=form,
    )


def _verdicts(model: ReportModel) -> Mapping[_Key, _Verdict]:
    found: dict[_Key, _Verdict] = {}
    for v in model.verdicts:
        measured = v.measured
        found[v.claim.id, v.variant] = (
            _Verdict(v.printed)
            if measured is None
            else _Verdict(v.printed, measured.gain_percent, measured.gain_interval)
        )
    for t in model.judged.training:
        found[t.claim.id, t.variant] = _Verdict(t.printed)
    for e in model.judged.executable:
        found[e.claim.id, ""] = _Verdict(e.printed)
    return found
