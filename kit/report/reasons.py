"""Sentences for the reasons of verdicts and controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from kit.judge import reasons as why
from kit.judge.executable import ExecutableVerdict
from kit.judge.power import POWERS
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.report.conditions import lack
from kit.report.numbers import (
    Form,
    band_words,
    brackets_text,
    effect_text,
    equal_text,
    form_of,
    margin_words,
)
from kit.study.model import Range

AIMS: Mapping[why.Aim, str] = {
    "effect": "find an effect of the published size",
    "size": "decide the size",
    "equality": "show equality (if the arms are equal)",
}
"""What more blocks would do, as a verb with its object."""
_KINDS = {
    "self-contained": "an executable that contains the .NET runtime",
    "apphost": "an executable with the folder of the .NET runtime next to it (no runtime pack was "
    "available)",
}

_BRIEF: Mapping[type[why.QuantityReason], str] = {
    why.NotFinite: "not finite",
    why.OneBlock: "from one block",
    why.MeansDiffer: "differ",
    why.TooFewBlocks: "from too few blocks",
    why.EqualInRange: "equal, as published",
    why.EqualElsewhere: "equal, not as published",
}


def reason_text(verdict: Verdict, form: Form) -> str:
    """Return why a verdict on times has its word, and how many blocks would settle what is open.

    Effects are printed in ``form``. Raise TypeError for an unknown reason.
    """
    text = claim_text(verdict.reason, form)
    return text if verdict.still_open is None else f"{text}; {still_open_text(verdict.still_open)}"


def untimed_text(verdict: TrainingVerdict | ExecutableVerdict) -> str:
    """Return why a verdict on training or the executable has its word.

    Raise TypeError for an unknown reason.
    """
    if isinstance(verdict, TrainingVerdict):
        return training_text(verdict.reason)
    return executable_text(verdict.reason)


def untimed_brief(verdict: TrainingVerdict | ExecutableVerdict) -> str:
    """Return what was found on training or the executable in a few words, for a table's cell."""
    if isinstance(verdict, TrainingVerdict):
        return training_brief(verdict.reason)
    return executable_brief(verdict.reason)


def claim_text(reason: why.ClaimReason, form: Form) -> str:
    """Return the reason of a verdict on times as a sentence, with effects in ``form``.

    Raise TypeError for an unknown reason.
    """
    if isinstance(reason, why.Capped):
        return _capped(reason, form)
    if isinstance(reason, why.OfGain):
        return _of_gain(reason, form)
    if isinstance(reason, why.OfEquality):
        return _of_equality(reason, form)
    return _untested(reason)


def _capped(reason: why.Capped, form: Form) -> str:
    causes = []
    if reason.controls:
        named = "; ".join(f"{each.role}: {control_text(each.reason)}" for each in reason.controls)
        causes.append(f"a control failed ({named})")
    if reason.throttled:
        shares = ", ".join(f"{each.arm} {each.share:.2f}" for each in reason.throttled)
        causes.append(
            "a CPU quota that kit did not set throttled the arms unequally "
            f"(CPU seconds per timed second: {shares})"
        )
    without = claim_text(reason.reason, form)
    return f"{'; '.join(causes)}; otherwise {reason.without}: {without}"


def _untested(reason: why.Untested) -> str:
    match reason:
        case why.Missing(what):
            return f"missing: {'; '.join(map(lack, what))}"
        case why.OtherWork(checks):
            named = ", ".join(checks)
            return f"the arms did not do the same work ({named}), so kit judges no ratio"
        case why.TooFewPairs(pairs, needed):
            return f"{pairs} complete pairs, at least {needed} needed"
        case _:
            raise _unknown(reason)


def _of_gain(reason: why.OfGain, form: Form) -> str:
    match reason:
        case why.InBand(band):
            text = f"the interval excludes 0 as claimed and lies within {_band(band, form)}"
        case why.Equal():
            text = f"both one-sided tests show an effect {equal_text(form)}"
        case why.PerhapsEqual():
            text = (
                "the interval excludes 0, but does not decide whether the effect is "
                f"{equal_text(form)}, which counts as equal"
            )
        case why.SizeOpen(band):
            text = (
                "the interval excludes 0 as claimed; the size is undecided: part of the "
                f"interval lies outside {_band(band, form)}"
            )
        case why.SizeDiffers(side, band):
            text = (
                "the interval excludes 0 as claimed; the size differs: the interval lies "
                f"{side} {_band(band, form)}"
            )
        case why.Against():
            text = "the interval excludes 0 against the claim"
        case why.ByChance(holm_p):
            text = (
                "the interval excludes 0, but not significantly when corrected for the number "
                f"of claims {_holm(holm_p)}"
            )
        case why.TooWide():
            text = "the interval includes 0 and is too wide to show equality"
        case _:
            raise _unknown(reason)
    return text


def _of_equality(reason: why.OfEquality, form: Form) -> str:
    margin = f"the claim's margin, {margin_words(reason.margin, form)}"
    match reason:
        case why.InMargin():
            return f"both one-sided tests show an effect inside {margin}"
        case why.BeyondMargin():
            return f"the interval lies outside {margin}"
        case why.BeyondByChance(holm_p=holm_p):
            return (
                f"the interval lies outside {margin}, but not significantly when corrected for "
                f"the number of claims {_holm(holm_p)}"
            )
        case why.MarginOpen(holm_p=holm_p):
            return f"the effect may lie inside or outside {margin} {_holm(holm_p)}"
        case _:
            raise _unknown(reason)


def still_open_text(found: why.StillOpen) -> str:
    """Return how many blocks would settle what a verdict leaves open."""
    aim = AIMS[found.aim]
    if found.blocks is None:
        return f"this session does not show how many blocks would {aim}"
    text = (
        f"about {found.blocks} blocks would {aim} at this spread ({POWERS[0]:.0%} power); this "
        f"session has {found.pairs}"
    )
    if found.size_blocks is None:
        return text
    return f"{text}; about {found.size_blocks} would also decide its size"


def control_text(reason: why.ControlReason) -> str:
    """Return the reason of a control's result as a sentence.

    Raise TypeError for an unknown reason.
    """
    match reason:
        case why.TooFewPairs():
            text = _untested(reason)
        case why.PlaceboHeld(least):
            text = f"no claimed statistic differs (smallest Holm-adjusted p = {least:.3f})"
        case why.PlaceboDiffers(statistic, p):
            text = f"an arm differs from itself in its {statistic} (Holm-adjusted p = {p:.3f})"
        case why.SlowdownFound(slowdown):
            text = _slowdown(slowdown, "was found")
        case why.SlowdownMissed(slowdown):
            text = _slowdown(slowdown, "was not found")
        case why.SlowdownElsewhere(slowdown):
            text = _slowdown(slowdown, "was found with another size")
        case _:
            raise _unknown(reason)
    return text


def _slowdown(found: why.Slowdown, state: str) -> str:
    """Return a known effect and its measurement, in the form in which they can be compared."""
    low, high = found.interval.low, found.interval.high
    form = form_of([-found.known, found.gain, low, high])
    measured = f"{effect_text(found.gain, form)} {brackets_text(low, high, form)}"
    return f"a known effect of {effect_text(-found.known, form)} {state}: {measured}"


def training_text(reason: why.TrainingReason) -> str:
    """Return the reason of a verdict on training as a sentence.

    Raise TypeError for an unknown reason.
    """
    match reason:
        case why.Missing():
            return _untested(reason)
        case why.NothingTrained():
            return "missing: a complete block, or a range"
        case why.OtherWork():
            return "the arms did not do the same work"
        case why.ByQuantity(found):
            return "; ".join(f"{quantity}: {_quantity(each)}" for quantity, each in found)
        case _:
            raise _unknown(reason)


def _quantity(reason: why.QuantityReason) -> str:
    match reason:
        case why.NotFinite():
            text = "a fit has a value that is not finite"
        case why.OneBlock(means):
            text = f"{_means(means)}; one block is too few to test equality"
        case why.MeansDiffer(means):
            text = f"{_means(means)}; they differ"
        case why.TooFewBlocks(means):
            text = f"{_means(means)}; too few blocks to show equality"
        case why.EqualInRange(means):
            text = f"{_means(means)}; equal and in the published range"
        case why.EqualElsewhere(means):
            text = f"{_means(means)}; equal but outside the published range"
        case _:
            raise _unknown(reason)
    return text


def training_brief(reason: why.TrainingReason) -> str:
    """Return what was found on each quantity in a few words."""
    if not isinstance(reason, why.ByQuantity):
        return "not measured"
    found: dict[str, list[str]] = {}
    for quantity, each in reason.reasons:
        found.setdefault(_BRIEF[type(each)], []).append(quantity)
    return "; ".join(f"{' and '.join(names)} {brief}" for brief, names in found.items())


def executable_brief(reason: why.ExecutableReason) -> str:
    """Return what the executable did in a few words. Raise TypeError for an unknown reason."""
    match reason:
        case why.NotRun():
            return "no executable was run"
        case why.ExecutableTrained():
            return "trained without Python"
        case why.ExecutableMisses(_, what):
            return f"did not train: missing {what}"
        case why.ExecutableFails():
            return "started, did not train"
        case why.NoStart():
            return "did not start"
        case _:
            raise _unknown(reason)


def _means(found: why.Means) -> str:
    paper = f"(published {found.paper.low:g} to {found.paper.high:g})"
    return f"{found.baseline:.4f} and {found.contender:.4f} {paper}"


def executable_text(reason: why.ExecutableReason) -> str:
    """Return the reason of a verdict on the executable as a sentence.

    Raise TypeError for an unknown reason.
    """
    match reason:
        case why.NotRun():
            return "missing: no executable was built or run (needs a dotnet arm)"
        case why.ExecutableTrained(kind):
            return f"{_kind(kind)} trained on Debian without Python and TensorFlow"
        case why.ExecutableMisses(kind, what):
            return f"{_kind(kind)} starts but does not train: missing {what}"
        case why.ExecutableFails(kind, exit_code):
            return f"{_kind(kind)} starts but does not train (exit code {exit_code})"
        case why.NoStart(kind, exit_code):
            return f"{_kind(kind)} does not start (exit code {exit_code})"
        case _:
            raise _unknown(reason)


def _kind(kind: str) -> str:
    return _KINDS.get(kind, "the executable")


def _band(band: Range, form: Form) -> str:
    return f"the claim's band, {band_words(band, form)}"


def _holm(p: float) -> str:
    return f"(Holm-adjusted p = {p:.3f})"


def _unknown(reason: NoReturn) -> TypeError:
    """Return the error for an unknown reason; mypy rejects the call if a case is missing."""
    return TypeError(f"unknown reason: {reason!r}")
