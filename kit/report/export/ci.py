"""The report for CI: JUnit XML of the claims, a badge, and the summary of a job.

In JUnit XML, a claim that does not hold is a failure. One that is undecided or not testable
here is skipped, with the reason, because it was not found wrong. The badge has the endpoint
form of shields (schemaVersion, label, message, color). The summary is the report's head, within
GitHub's limit (``$GITHUB_STEP_SUMMARY``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from xml.etree import ElementTree

from kit.judge.consistency import ConsistencyResult
from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.judge.words import (
    EQUIVALENT,
    INCONCLUSIVE,
    INCONSISTENT,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Word,
)
from kit.report.findings import arithmetic
from kit.report.model import ReportModel
from kit.report.numbers import format_gain
from kit.report.render import markdown
from kit.report.sections import brief
from kit.report.text import plain

_FAILED = (OPPOSITE, EQUIVALENT)
_SKIPPED = (INCONCLUSIVE, NOT_TESTABLE)
_LIMIT = 2000
# Characters that XML 1.0 cannot hold: everything outside its Char production.
_NO_XML = re.compile("[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MESSAGES: Mapping[Word, tuple[str, str]] = {
    REPRODUCED: ("reproduced", "brightgreen"),
    SAME_DIRECTION: ("same direction", "green"),
    EQUIVALENT: ("no difference", "orange"),
    OPPOSITE: ("opposite", "red"),
    INCONCLUSIVE: ("inconclusive", "lightgrey"),
    NOT_TESTABLE: ("not testable", "lightgrey"),
}
LIMIT_BYTES = 1024 * 1024
"""GitHub rejects a step's summary above 1 MiB ("Workflow commands for GitHub Actions")."""
_CUT = "\n\nThe rest is in report.md of the results folder.\n"


def render_junit(model: ReportModel) -> bytes:
    """Return JUnit XML: a test case per claim and variant, and one per consistency claim."""
    cases = [_measured(verdict, model) for verdict in model.verdicts]
    cases += [_other(verdict, "training", model) for verdict in model.judged.training]
    cases += [_other(verdict, "executable", model) for verdict in model.judged.executable]
    cases += [_consistency(found) for found in model.judged.consistency]
    failures = sum(case.find("failure") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "skipped": str(skipped)}
    suite = ElementTree.Element(
        "testsuite",
        {"name": _text(model.study.id), "errors": "0", "time": "0", **counts},
        timestamp=_text(model.header.created),
    )
    suite.extend(cases)
    root = ElementTree.Element("testsuites", {"name": "kit", **counts})
    root.append(suite)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def render_badge(model: ReportModel) -> bytes:
    """Return the headline's verdict as JSON for a badge: a short message and a colour."""
    lead = model.lead
    message, colour = _MESSAGES[lead.word] if lead else ("no measured claim", "lightgrey")
    if lead is not None and lead.indicative:
        message = f"{message} (indicative)"
    document = {
        "schemaVersion": 1,
        "label": plain(model.study.id, 60),
        "message": message,
        "color": colour,
    }
    return (json.dumps(document, sort_keys=True) + "\n").encode()


def render_summary(model: ReportModel, room: int = LIMIT_BYTES) -> bytes:
    """Return the short report, and a note on where the rest is, in at most ``room`` bytes.

    The short report is cut after the last section that fits. Empty if the note alone does not fit.
    """
    text = b""
    for part in brief(model):
        addition = (b"\n\n" if text else b"") + markdown.render(part).rstrip("\n").encode()
        if len(text) + len(addition) + len(_CUT) > room:
            break
        text += addition
    return text + _CUT.encode() if len(_CUT) <= room else b""


def _measured(verdict: Verdict, model: ReportModel) -> ElementTree.Element:
    claim = verdict.claim
    case = _case(f"{claim.id} {claim.statement}", f"measured.{verdict.variant}")
    measured = format_gain(verdict.measured, model.form_of(verdict))
    message = f"{verdict.printed}: measured {measured}; {model.reason_of(verdict)}"
    _answer(case, verdict.word, message)
    return case


def _answer(case: ElementTree.Element, word: Word, message: str) -> None:
    if word in _FAILED:
        _child(case, "failure", message, type=word)
    elif word in _SKIPPED:
        _child(case, "skipped", message)
    else:
        ElementTree.SubElement(case, "system-out").text = _text(message)


def _other(
    verdict: ExecutableVerdict | TrainingVerdict, kind: str, model: ReportModel
) -> ElementTree.Element:
    case = _case(f"{verdict.claim.id} {verdict.claim.statement}", kind)
    _answer(case, verdict.word, f"{verdict.printed}: {model.reason_of(verdict)}")
    return case


def _consistency(found: ConsistencyResult) -> ElementTree.Element:
    case = _case(f"{found.claim.id} {found.claim.statement}", "consistency")
    if found.word == INCONSISTENT:
        _child(case, "failure", arithmetic(found.reason), type=found.word)
    else:
        ElementTree.SubElement(case, "system-out").text = _text(arithmetic(found.reason))
    return case


def _case(name: str, classname: str) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", {"name": _text(name), "classname": _text(classname), "time": "0"}
    )


def _child(case: ElementTree.Element, tag: str, message: str, **more: str) -> None:
    ElementTree.SubElement(case, tag, {"message": _text(message), **more})


def _text(value: str) -> str:
    return _NO_XML.sub("", plain(value, _LIMIT))
