"""No decision, hash or exit code depends on a sentence: with every one of them "X" all is equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench, failing, stopped, varied, written
from support.folders import rewritten
from support.sessions import (
    DOTNET,
    PYTHON,
    change_identity,
    fail_run,
    make_fidelity,
    make_session,
    make_study,
    paired,
)
from support.wordless import X, without_words, wordless

import kit.cli
from kit.errors import KitError
from kit.judge.comparison import Judgement, judge
from kit.plan.resources import ResourceRequest
from kit.plan.shard import Shard
from kit.records.session import Session
from kit.report import headline
from kit.report.build import build_report
from kit.results import RESULTS
from kit.results.runlog import read_session

pytestmark = pytest.mark.slow
SIX = [1.07, 1.06, 1.08, 1.065, 1.075, 1.07]


def decisions(judged: Judgement) -> Any:
    """The words and numbers that a session was judged to."""
    return (
        [
            (v.claim.id, v.word, v.indicative, v.blocks_to_decide)
            for part in judged.comparisons
            for v in part.verdicts
        ],
        [(v.claim.id, v.word, v.indicative) for v in (*judged.executable, *judged.training)],
        [(found.claim.id, found.word) for found in judged.consistency],
        [(part.same_work.held, [c.held for c in part.controls]) for part in judged.comparisons],
        [(e.run_id, e.block) for e in judged.exclusions],
        [flag.run_id for flag in judged.flags],
    )


def of_folder(folder: Path) -> Any:
    session, results = read_session(folder), folder / RESULTS
    found = json.loads(results.read_bytes()) if results.is_file() else {}
    return (
        session.header.plan_sha256,
        [entry.run_id for entry in session.entries if entry.record is None],
        [
            (verdict["claim"], verdict["word"])
            for part in found.get("variants", ())
            for verdict in part["verdicts"]
        ],
        found.get("same_work_held"),
    )


def command(*words: object) -> int:
    return kit.cli.run([str(word) for word in words])


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(KitError) as caught:
        call()
    return f"{type(caught.value).__name__} {caught.value.exit_code}"


def reports(place: Path) -> Any:
    folder = written(place / "out")
    codes = [command("report", folder, "--fail-on", f"C1={word}") for word in
             ("INCONCLUSIVE", "OPPOSITE")]  # fmt: skip
    return codes, command("verify", folder), of_folder(folder)


def goes_on(place: Path) -> Any:
    folder = stopped(place / "out")
    Bench(place / "out").resume(folder)
    return command("report", folder), of_folder(folder)


def a_run_fails(place: Path) -> Any:
    folder = Bench(place / "out", failing(5)).reproduce()
    return command("report", folder), command("verify", folder), of_folder(folder)


def changed(place: Path) -> Any:
    folder = written(place / "out")
    rewritten(folder, lambda line: line.update(exit_code=1) if line["type"] == "run" else None)
    return command("verify", folder), command("report", folder)


def merges(place: Path) -> Any:
    shards = [
        Bench(place / str(n), varied()).reproduce(blocks=5, shard=Shard(n, 2)) for n in (1, 2)
    ]
    code = command("merge", *shards, "--out", place / "whole")
    again = command("merge", shards[0], shards[0], "--out", place / "twice")
    return code, again, of_folder(next((place / "whole").iterdir()))


def is_refused(place: Path) -> Any:
    bench = Bench(place / "out")
    return (
        refused(lambda: bench.reproduce(budget="nope")),
        refused(lambda: bench.reproduce(arms=("cobol",))),
        refused(lambda: bench.reproduce(requested=ResourceRequest(cpus=1), design="duet")),
        command("report", place / "nothing"),
        command("reproduce", "--budget", "nope"),
    )


@pytest.mark.parametrize("way", [reports, goes_on, a_run_fails, changed, merges, is_refused])
def test_every_way_ends_as_it_does_with_words(
    way: Callable[[Path], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_words = way(tmp_path / "words")
    said = capsys.readouterr().err
    with wordless():
        assert way(tmp_path / "x") == with_words
    if said:
        assert capsys.readouterr().err != said


SESSIONS: dict[str, Session] = {
    "exact": make_session(paired(SIX), make_fidelity()),
    "substituted": make_session(paired(SIX), make_fidelity("binding")),
    "other work": change_identity(
        make_session(paired(SIX)), f"i-{DOTNET}", initial_weights={"x": "0" * 64}
    ),
    "failed": fail_run(make_session(paired(SIX)), f"t1-{DOTNET}", "out of memory", "Killed"),
    "no arm": make_session({PYTHON: paired(SIX)[PYTHON]}),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_log_without_words_is_judged_alike(name: str) -> None:
    study = make_study()
    session = SESSIONS[name]
    silent = without_words(session)
    assert silent != session or not session.header.fidelity
    assert decisions(judge(silent, study)) == decisions(judge(session, study))


def test_the_switch_leaves_no_sentence() -> None:
    study, session = make_study(), SESSIONS["exact"]
    model = build_report(session, study)
    with wordless():
        assert headline.headline(model) == X
        with pytest.raises(KitError) as caught:
            raise KitError("a problem", "a remedy")
    assert (caught.value.problem, caught.value.remedy) == (X, X)
