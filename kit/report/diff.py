"""Two sessions compared: what they were measured with, then claim by claim."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kit.errors import InputError
from kit.judge.effects import Form
from kit.judge.statistics import Interval
from kit.report.model import ReportModel
from kit.report.numbers import gain_with, gigabytes
from kit.report.text import plain

SAME, OTHER = "agree", "differ"
_WHOLE = 1000


@dataclass(frozen=True)
class Setting:
    """Something the two were measured with, where it is not the same."""

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class ClaimPair:
    """One claim in both. ``gains`` overlap or not; None where one was not measured."""

    claim: str
    variant: str
    words: tuple[str, str]
    gains: tuple[float | None, float | None]
    intervals: tuple[Interval | None, Interval | None]
    overlap: bool | None
    says: str
    form: Form
    """In which both gains are printed."""


@dataclass(frozen=True)
class Difference:
    """Everything that is not the same, settings first."""

    settings: tuple[Setting, ...]
    claims: tuple[ClaimPair, ...]


def compare(first: ReportModel, second: ReportModel) -> Difference:
    """Raises InputError for sessions of different studies."""
    if first.study.id != second.study.id:
        raise InputError(
            f"the first is of study {first.study.id}, the second of {second.study.id}",
            "compare two sessions of one study",
        )
    a, b = _settings(first), _settings(second)
    settings = tuple(
        Setting(what, a.get(what, "-"), b.get(what, "-"))
        for what in dict.fromkeys((*a, *b))
        if a.get(what) != b.get(what)
    )
    return Difference(settings, tuple(_claims(first, second)))


def document(found: Difference) -> str:
    """As JSON text."""
    return json.dumps(asdict(found), indent=2, sort_keys=True, allow_nan=False) + "\n"


def shown(found: Difference) -> str:
    """For the terminal: plain text, at most 80 columns."""
    lines = ["Measured with:" if found.settings else "Measured with the same."]
    for row in found.settings:
        lines.append(f"  {plain(row.what, 40)}")
        for name, value in (("first:  ", row.first), ("second: ", row.second)):
            # Whole: what is not the same may stand at the end.
            lines += textwrap.wrap(
                plain(value, _WHOLE),
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
            told = "" if gain is None else f", measured {gain_with(gain, bounds, pair.form)}"
            lines.append(f"    {name} {word}{told}")
    return "\n".join(lines) + "\n"


def _form(models: Sequence[ReportModel], variant: str) -> Form:
    """The form in which the two can be compared: factors where one of them has factors."""
    found = {p.form for model in models for p in model.variants if p.variant == variant}
    return Form.FACTOR if Form.FACTOR in found else Form.GAIN


def _settings(model: ReportModel) -> dict[str, str]:
    header, plan = model.header, model.header.plan
    named = {
        "study": model.study.sha256[:12],
        "kit": header.kit_version,
        "plan": header.plan_sha256[:12],
        "budget": plan.tier,
        "seed of the order": str(plan.seed),
        "design": plan.design,
        "blocks": str(plan.blocks),
        "fits in a run": str(plan.repeats),
        "CPUs of a run": plan.limits.cpuset,
        "memory of a run": gigabytes(plan.limits.memory_bytes),
        **{name.replace("_", " "): str(value) for name, value in asdict(header.host).items()},
        "substitutes": ", ".join(row.name for row in header.fidelity if not row.exact) or "none",
        "same work": "held" if model.same_work_held else "not held",
    }
    for arm, image in header.images.items():
        named[f"image of {arm}"] = (image.content_sha256 or image.image_id)[:19]
    for row in header.fidelity:
        named[f"{row.name} used"] = row.got
    for used in model.arms:
        for name, versions in used.versions.items():
            named[f"{name} in {used.arm}"] = " / ".join(versions)
    if model.gpu is not None and model.gpu.check.gpu is not None:
        named["GPU"] = f"{model.gpu.check.gpu.name}, driver {model.gpu.check.gpu.driver}"
    return named


def _claims(first: ReportModel, second: ReportModel) -> list[ClaimPair]:
    a, b = _verdicts(first), _verdicts(second)
    pairs = []
    for claim, variant in dict.fromkeys((*a, *b)):
        one, two = a.get((claim, variant)), b.get((claim, variant))
        words = tuple("not there" if v is None else v["word"] for v in (one, two))
        gains = tuple(None if v is None else v["gain"] for v in (one, two))
        bounds = tuple(None if v is None else v["interval"] for v in (one, two))
        overlap = None
        if bounds[0] is not None and bounds[1] is not None:
            overlap = bounds[0].overlaps(bounds[1].low, bounds[1].high)
        word = SAME if words[0] == words[1] else OTHER
        told = {None: "", True: "; their intervals overlap", False: "; their intervals do not meet"}
        pairs.append(
            ClaimPair(
                claim=claim,
                variant=variant,
                words=(words[0], words[1]),
                gains=(gains[0], gains[1]),
                intervals=(bounds[0], bounds[1]),
                overlap=overlap,
                says=f"the verdicts {word}{told[overlap]}",
                form=_form((first, second), variant),
            )
        )
    return pairs


def _verdicts(model: ReportModel) -> Mapping[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for v in model.verdicts:
        measured = v.measured
        found[v.claim.id, v.variant] = {
            "word": v.printed,
            "gain": None if measured is None else measured.gain_percent,
            "interval": None if measured is None else measured.gain_interval,
        }
    nothing = {"gain": None, "interval": None}
    for t in model.judged.training:
        found[t.claim.id, t.variant] = {"word": t.printed, **nothing}
    for e in model.judged.executable:
        found[e.claim.id, ""] = {"word": e.printed, **nothing}
    return found
