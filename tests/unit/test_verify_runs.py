"""The order of the runs: what the kit makes, stopped and resumed, holds; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.engine import RunScript, fails
from support.bench import STUDY, Bench, StopAt, failing, varied
from support.measured import TwoCores, spec_of, works
from support.sessions import make_merged

from kit.engine.protocol import RunOutcome, RunRequest
from kit.judge.comparison import judge
from kit.plan.shard import Shard
from kit.records.session import RunEntry, Session
from kit.report.build import build_report
from kit.results.runlog import read_session
from kit.verify.log import missing_runs as missing
from kit.verify.log import run_differences as differences


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return read_session(Bench(tmp_path_factory.mktemp("alone"), varied()).reproduce())


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return read_session(Bench(tmp_path_factory.mktemp("pairs")).reproduce(design="duet"))


def wrong(session: Session, *places: int) -> list[str]:
    """What is wrong with a session whose log has these of its runs, in this order."""
    entries = tuple(session.entries[place] for place in places)
    return list(differences(replace(session, entries=entries), STUDY))


def failed(entry: RunEntry) -> RunEntry:
    return replace(entry, record=None, failure="it broke")


def test_what_the_kit_makes_holds(alone: Session, pairs: Session) -> None:
    for session in (alone, pairs):
        assert list(differences(session, STUDY)) == []
        # Stopped at any place, with the first of a pair logged or with both.
        for end in range(len(session.entries)):
            assert wrong(session, *range(end)) == []


@pytest.mark.parametrize("design", ["alternating", "duet"])
@pytest.mark.parametrize("at", [2, 4, 7])
def test_a_session_that_was_resumed_holds(tmp_path: Path, design: str, at: int) -> None:
    bench = Bench(tmp_path, StopAt(at))
    with pytest.raises(KeyboardInterrupt):
        bench.reproduce(design=design)
    folder = bench.one_folder()
    Bench(tmp_path, failing(3)).resume(folder)
    Bench(tmp_path).resume(folder)
    session = read_session(folder)
    assert not session.unfinished
    assert list(differences(session, STUDY)) == []


def test_shards_hold_and_a_run_of_another_is_named(tmp_path: Path, alone: Session) -> None:
    session = read_session(Bench(tmp_path).reproduce(shard=Shard(1, 2)))
    assert list(differences(session, STUDY)) == []
    (other,) = (e for e in alone.entries if e.block == 1 and e.position == 0)
    found = differences(replace(session, entries=(*session.entries, other)), STUDY)
    assert f"{other.run_id} is not of shard 1/2" in list(found)


def test_a_run_that_failed_is_made_again_when_the_session_is_resumed(alone: Session) -> None:
    entries = list(alone.entries)
    again = (*entries[:4], failed(entries[4]), *entries[5:], entries[4])
    assert list(differences(replace(alone, entries=again), STUDY)) == []


def test_runs_out_of_the_plan_s_order_are_named(alone: Session) -> None:
    ids = [entry.run_id for entry in alone.entries]
    said = f"{ids[4]} is not in the plan's order: {ids[3]} comes before it"
    assert wrong(alone, 0, 1, 2, 4, 3, *range(5, 11)) == [said]
    assert wrong(alone, 0, 1, 2, 4, *range(5, 11)) == [said]


def test_a_run_that_was_done_is_not_made_again(alone: Session) -> None:
    ids = [entry.run_id for entry in alone.entries]
    whole = range(len(ids))
    for place in (5, len(ids) - 1):
        said = f"{ids[place]} is there once more, though it was done"
        assert wrong(alone, *whole, place) == [said]


def test_a_pair_is_made_again_only_where_one_of_it_lacks_a_record(pairs: Session) -> None:
    ids = [entry.run_id for entry in pairs.entries]
    whole = range(len(ids))
    # Torn between the two lines of a pair: both are made anew.
    assert wrong(pairs, 0, 1, 2, *range(2, len(ids))) == []
    assert wrong(pairs, *whole, 2) == [f"{ids[2]} is there once more, though it was done"]
    assert wrong(pairs, *whole, 2, 3) == [f"{ids[2]} is there once more, though it was done"]
    assert wrong(pairs, 0, 1, 3, 2, *range(4, len(ids)))
    entries = list(pairs.entries)
    again = (*entries[:3], failed(entries[3]), *entries[4:], entries[2], entries[3])
    assert list(differences(replace(pairs, entries=again), STUDY)) == []


def test_a_gathered_log_has_the_plan_s_order(alone: Session) -> None:
    gathered = replace(
        alone, header=replace(alone.header, shards=(make_merged(1, 2), make_merged(2, 2)))
    )
    ids = [entry.run_id for entry in alone.entries]
    whole = range(len(ids))
    assert wrong(gathered, *whole) == []
    assert wrong(gathered, 0, 1, 3, 2, *range(4, 11)) == [f"{ids[2]} is not in the plan's order"]
    assert wrong(gathered, *range(6), 5, *range(6, 11)) == [f"{ids[5]} is there twice"]


def test_a_pilot_that_failed_is_made_again_before_what_it_fixed(tmp_path: Path) -> None:
    session = read_session(
        Bench(tmp_path, failing(5), TwoCores()).reproduce(budget="standard", design="auto")
    )
    assert session.outlook is not None and any(e.failure for e in session.entries)
    assert list(differences(session, STUDY)) == []


def failing_run(run_id: str) -> RunScript:
    """That run fails, all others work."""

    def script(request: RunRequest) -> RunOutcome:
        return (fails(1) if spec_of(request)["run_id"] == run_id else works)(request)

    return script


def test_the_two_of_a_pair_count_only_where_they_ran_side_by_side(
    tmp_path: Path, pairs: Session
) -> None:
    first, second = [r.run_id for r in pairs.header.plan.runs if r.pair is not None][:2]
    folder = Bench(tmp_path, failing_run(second)).reproduce(design="duet")
    Bench(tmp_path, failing_run(first)).resume(folder)
    mixed = read_session(folder)
    tries = [e for e in mixed.entries if e.run_id in (first, second)]
    assert [e.record is not None for e in tries] == [True, False, False, True]
    assert not {first, second} & mixed.completed_run_ids()
    assert not {first, second} & {run.run_id for run in judge(mixed, STUDY).runs}
    again = Bench(tmp_path)
    again.resume(folder)
    assert sorted(again.ran()) == sorted((first, second))
    whole = read_session(folder)
    assert list(differences(whole, STUDY)) == []
    assert {first, second} <= {run.run_id for run in judge(whole, STUDY).runs}
    raw = [run for run in build_report(whole, STUDY).raw if run.run_id in (first, second)]
    assert [run.counted for run in raw] == [False, False, True, True]


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, image_id="sha256:other"),
        lambda run: replace(run, record=replace(run.record, spec_sha256="0" * 64)),
        lambda run: replace(run, cpus=run.cpus + 1),
        lambda run: replace(run, position=run.position + 1),
        lambda run: replace(run, record=replace(run.record, versions={})),
    ],
)
def test_a_run_that_is_not_the_planned_one_is_named(
    alone: Session, change: Callable[[RunEntry], RunEntry]
) -> None:
    entries = (*alone.entries[:-1], change(alone.entries[-1]))
    found = list(differences(replace(alone, entries=entries), STUDY))
    assert found and all(line.startswith(alone.entries[-1].run_id) for line in found)


def test_runs_that_are_still_to_be_made_are_named(alone: Session) -> None:
    assert list(missing(alone)) == []
    last = alone.entries[-1]
    for entries in (alone.entries[:-1], (*alone.entries[:-1], failed(last))):
        (line,) = missing(replace(alone, entries=entries))
        assert last.run_id in line
