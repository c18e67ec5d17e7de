"""Any one element of plan, header or log taken out, doubled or swapped is found by kit verify.

Hashes, chain, reports and sums are made again after each change: only what the folder says
in two places, or what its seed and command make, can tell.
"""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.bench import STUDY, Bench, failing, varied
from support.folders import chained
from support.measured import TwoCores

from kit import schemas
from kit.errors import KitError
from kit.plan.make import plan_sha256
from kit.plan.model import plan_from
from kit.records.planned import run_mismatches
from kit.report.build import build_report
from kit.report.sections import environment
from kit.results import ABLATION, RUN_LOG
from kit.results.runlog import broken_chain, read_session
from kit.verify import log, plan, sums, verify_folder
from kit.verify.result import State

pytestmark = pytest.mark.slow

Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Made:
    """A session's folder and the lines of its log."""

    folder: Path
    lines: Lines


def _made(folder: Path) -> Made:
    text = (folder / RUN_LOG).read_text()
    return Made(folder, [json.loads(line) for line in text.splitlines()])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _made(Bench(tmp_path_factory.mktemp("alone"), varied()).reproduce())


@pytest.fixture(scope="module")
def piloted(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A session with a pilot, in which one run failed and was made again."""
    out = tmp_path_factory.mktemp("piloted")
    folder = Bench(out, failing(5), TwoCores()).reproduce(budget="standard", design="auto")
    Bench(out).resume(folder)
    return _made(folder)


@pytest.fixture(scope="module", autouse=True)
def nothing_named() -> Iterator[None]:
    """Tell a broken line without its fields' names, which take a hundred times as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemas, "problems_by", lambda _schema, _document: ["broken"])
        yield


def problems(folder: Path, lines: Lines) -> list[str]:
    """What verify finds in such a log, all its hashes made again; reports are not looked at."""
    for line in lines:
        if "plan" in line:
            line["plan_sha256"] = _hash(line["plan"])
    chained(folder, lines)
    try:
        session = read_session(folder)
        bills = sums.check_sboms(folder, session)
        return [
            *broken_chain(folder),
            *log.header_differences(session, STUDY),
            *log.run_differences(session, STUDY),
            *log.missing_runs(session),
            *run_mismatches(session),
            *bills.wrong,
            *bills.unverified,
        ] or list(plan.differences(session, STUDY))
    except KitError as error:
        return [error.problem]


def _hash(document: dict[str, Any]) -> str:
    try:
        return plan_sha256(plan_from(document))
    except (KeyError, TypeError):
        return "0" * 64


def lists(document: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all lists and mappings in a document; of long lists a few elements'."""
    children: list[tuple[Any, object]] = []
    if isinstance(document, dict):
        children = list(document.items())
    elif isinstance(document, list):
        children = [(place, document[place]) for place in some(document)]
    if children:
        yield path
    for key, value in children:
        yield from lists(value, (*path, key))


def some(elements: list[Any]) -> list[int]:
    """The places of all elements, of a long list the first, one amid and the last."""
    count = len(elements)
    return list(range(count)) if count <= 8 else [0, count // 2, count - 1]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def changes(document: object, skip: tuple[str, ...]) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Each single element taken out, and each of a list doubled or swapped with the next."""
    for path in lists(document):
        found = at(document, path)
        named = ".".join(map(str, path))
        if any(part in skip for part in path):
            continue
        if isinstance(found, dict):
            for key in found:
                if key not in skip:
                    yield f"without {named}.{key}", lambda d, p=path, k=key: at(d, p).pop(k)
            continue
        for place in some(found):
            value, where = found[place], f"{named}.{place}"
            yield f"without {where}", lambda d, p=path, n=place: at(d, p).pop(n)
            yield f"twice {where}", lambda d, p=path, n=place: at(d, p).insert(n, at(d, p)[n])
            if place and found[place - 1] != value:

                def swap(d: Any, p: Any = path, n: int = place) -> None:
                    each = at(d, p)
                    each[n - 1], each[n] = each[n], each[n - 1]

                yield f"swapped {where}", swap


# The hashes are made again. The others are what a run measured and did: they are there once.
FREE = (
    "after", "plan_sha256", "losses", "accuracies", "libraries", "wheels", "data", "tensors",
)  # fmt: skip


NAMED_IN_REPORT = {"without fidelity.5", "without fidelity.6"}
"""A component that no claim is about may have no row: it may be in other images alone."""


@pytest.mark.parametrize(
    ("session", "kind"),
    [("alone", "header"), ("alone", "run"), ("alone", "executable"), ("piloted", "plan")],
)
def test_one_element_of_a_line_is_found(
    session: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made: Made = request.getfixturevalue(session)
    folder = Path(shutil.copytree(made.folder, tmp_path / "folder"))
    places = [n for n, line in enumerate(made.lines) if line["type"] == kind]
    place, passed, count = places[len(places) // 2], set(), 0
    lines = copy.deepcopy(made.lines)
    line = pickle.dumps(made.lines[place])  # read again five times as fast as copied
    for what, change in changes(made.lines[place], FREE):
        lines[place] = pickle.loads(line)
        change(lines[place])
        count += 1
        if not problems(folder, lines):
            passed.add(what)
    assert count > 5
    assert passed <= NAMED_IN_REPORT


@pytest.mark.parametrize("session", ["alone", "piloted"])
def test_one_line_of_the_log_is_found(
    session: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made: Made = request.getfixturevalue(session)
    folder = Path(shutil.copytree(made.folder, tmp_path / "folder"))
    count = 0
    for place in some(made.lines):
        for name, change in {  # the numbers of lines stay as they are
            "without": lambda d, n=place: d.pop(n),
            "twice": lambda d, n=place: d.insert(n, copy.deepcopy(d[n])),
            "swapped": lambda d, n=place: d.insert(n - 1, d.pop(n)),
        }.items():
            if name == "swapped" and place == 0:
                continue
            lines = copy.deepcopy(made.lines)
            change(lines)
            count += 1
            assert problems(folder, lines), (name, place)


@pytest.mark.parametrize("block", [0, 1, 2])
def test_a_session_without_one_of_its_blocks_is_found(
    alone: Made, block: int, tmp_path: Path
) -> None:
    """The block is gone from the plan and from the log, whatever the plan counts."""
    folder = Path(shutil.copytree(alone.folder, tmp_path / "folder"))
    for announced in (3, 2):
        lines = [line for line in copy.deepcopy(alone.lines) if line.get("block") != block]
        made = lines[0]["plan"]
        made["runs"] = [run for run in made["runs"] if run["block"] != block]
        made["blocks"] = announced
        assert problems(folder, lines)


def test_the_folder_itself_has_no_problems(alone: Made, piloted: Made) -> None:
    for made in (alone, piloted):
        assert problems(made.folder, copy.deepcopy(made.lines)) == []


def test_bills_of_materials_that_the_log_does_not_name_are_not_verified(
    alone: Made, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(alone.folder, tmp_path / "bills"))
    lines = copy.deepcopy(alone.lines)
    lines[0]["sboms"] = {}
    chained(folder, lines)
    states = {each.what: each.state for each in verify_folder(folder, ABLATION)}
    assert states["bills of materials"] is State.UNVERIFIED
    shutil.rmtree(folder / "sbom")
    states = {each.what: each.state for each in verify_folder(folder, ABLATION)}
    assert states["bills of materials"] is State.ABSENT
    (folder / "sbom").write_text("a file in the folder's place")
    states = {each.what: each.state for each in verify_folder(folder, ABLATION)}
    assert states["bills of materials"] is State.WRONG


def test_a_component_without_a_row_changes_no_verdict_and_the_report_names_it(
    alone: Made, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(alone.folder, tmp_path / "folder"))
    before = build_report(read_session(folder), STUDY)
    lines = copy.deepcopy(alone.lines)
    (gone,) = (lines[0]["fidelity"].pop(place)["name"] for place in (5,))
    chained(folder, lines)
    after = build_report(read_session(folder), STUDY)
    assert [v.printed for v in after.verdicts] == [v.printed for v in before.verdicts]
    (table, *_) = environment.fidelity(after)
    assert [row[2] for row in table.rows if row[0] == gone] == ["no entry"]


@pytest.mark.parametrize("place", [0, 7, -1])
def test_a_run_of_the_pilot_s_first_plan_is_found(
    piloted: Made, place: int, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(piloted.folder, tmp_path / "folder"))
    lines = copy.deepcopy(piloted.lines)
    lines[0]["plan"]["runs"].pop(place)
    assert problems(folder, lines)


def test_a_line_that_does_not_follow_the_one_before_it_is_found(
    alone: Made, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(alone.folder, tmp_path / "folder"))
    lines = [json.dumps(line, sort_keys=True) for line in alone.lines]
    lines[3] = lines[3].replace('"after": "', '"after": "0')
    (folder / RUN_LOG).write_text("\n".join(lines) + "\n")
    states = {each.what: each.state for each in verify_folder(folder, ABLATION)}
    assert states["chain of the log"] is State.WRONG


@pytest.mark.parametrize("name", ["power", "minutes_left", "detectable_gain_percent"])
def test_another_number_of_what_the_pilot_told_is_found(
    piloted: Made, name: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(piloted.folder, tmp_path / "folder"))
    lines = copy.deepcopy(piloted.lines)
    (fixed,) = (line for line in lines if line["type"] == "plan")
    fixed["outlook"][name] *= 1.001
    assert problems(folder, lines)
