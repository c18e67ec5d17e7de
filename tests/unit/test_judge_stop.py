"""Group-sequential sessions end where their rule says so, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import STUDY, Bench, StopAt, failing, reported, varied
from support.folders import chained

from kit.errors import InputError
from kit.judge.comparison import judge
from kit.judge.stop import blocks_tried, look, look_due
from kit.plan.budget import FIRST_LOOK
from kit.plan.make import make_plan
from kit.plan.resources import Resources
from kit.results import RUN_LOG
from kit.results.runlog import read_session
from kit.verify.log import missing_runs, run_differences
from kit.verify.plan import differences, look_differences

QUIET, LOUD = 0.01, 0.1


pytestmark = pytest.mark.xdist_group("stop")  # one worker makes the session that most look at


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Bench(tmp_path_factory.mktemp("settled"), varied(QUIET)).reproduce(budget="standard")


def edited(folder: Path, out: Path, change) -> Path:
    """The log with its lines changed, and its chain made again."""
    lines = [json.loads(line) for line in (folder / RUN_LOG).read_text().splitlines()]
    out.mkdir()
    chained(out, [{**line, "line": number} for number, line in enumerate(change(lines), start=1)])
    return out


def test_it_ends_when_the_lead_claim_is_settled(settled: Path) -> None:
    session = read_session(settled)
    last = session.looks[-1]
    assert last.ending == session.ending == "settled"
    assert [each.blocks for each in session.looks] == [*range(FIRST_LOOK, last.blocks + 1)]
    assert {each.ending for each in session.looks[:-1]} == {None}
    assert last.blocks < session.header.plan.blocks
    assert max(entry.block for entry in session.entries) == last.blocks - 1
    assert session.missing_runs() == ()
    assert not session.unfinished


def test_the_verdict_is_that_of_the_last_look(settled: Path) -> None:
    session = read_session(settled)
    (part,) = judge(session, STUDY).comparisons
    verdict, seen = part.verdicts[0], session.looks[-1].lead[0]
    assert verdict.word == seen.word == "REPRODUCED"
    assert verdict.measured is not None and verdict.measured.gain_interval is not None
    assert verdict.measured.pairs == seen.pairs == session.looks[-1].blocks
    assert verdict.measured.gain_interval.low == seen.low_percent
    assert verdict.still_open is None


def test_no_planned_block_after_the_end_counts_as_missing(settled: Path) -> None:
    found = judge(read_session(settled), STUDY)
    assert found.exclusions == ()
    results = json.loads((reported(settled) and settled / "results.json").read_text())
    assert results["plan"]["stopping"]["until"] == "size"


@pytest.mark.slow
def test_only_the_direction_takes_fewer_blocks(tmp_path: Path, settled: Path) -> None:
    bench = Bench(tmp_path, varied(QUIET))
    session = read_session(bench.reproduce(budget="standard", until="direction"))
    assert session.ending == "settled"
    # Two identity runs, four runs a block: so many are made at least, up to the next look.
    looks = range(FIRST_LOOK, session.looks[-1].blocks + 2)
    assert bench.progress.fewest == [2 + 4 * blocks for blocks in looks]
    assert session.looks[-1].blocks < read_session(settled).looks[-1].blocks
    assert "--until direction" in session.header.command


@pytest.mark.slow
def test_a_session_that_cannot_settle_its_claim_ends_early(tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied(LOUD))
    session = read_session(bench.reproduce(budget="20m"))
    assert bench.progress.limit_s == 20 * 60
    assert session.ending == "futile"
    assert session.looks[-1].blocks < session.header.plan.blocks


@pytest.mark.slow
def test_every_block_is_made_where_the_claim_stays_open(tmp_path: Path) -> None:
    folder = Bench(tmp_path, varied(0.02)).reproduce(budget="20m")
    session = read_session(folder)
    assert session.ending == "last block"
    assert list(look_differences(session, STUDY)) == []


@pytest.mark.slow
@pytest.mark.parametrize("at", [3, 26, 27, 31])
def test_a_session_that_was_interrupted_goes_on_by_the_same_rule(
    tmp_path: Path, at: int, settled: Path
) -> None:
    # Ctrl-C takes a draw of none, so that the runs made again are those of the other session.
    script = varied(QUIET)

    class Stop(StopAt):
        def __call__(self, request):
            super().__call__(request)
            return script(request)

    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, Stop(at)).reproduce(budget="standard")
    (folder,) = tmp_path.iterdir()
    Bench(tmp_path, script).resume(folder)
    session, other = read_session(folder), read_session(settled)
    assert [each.blocks for each in session.looks] == [each.blocks for each in other.looks]
    assert session.looks[-1].lead == other.looks[-1].lead
    assert list(look_differences(session, STUDY)) == []


def test_a_resumed_session_that_has_ended_makes_no_run(settled: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.resume(settled)
    assert bench.ran() == []
    assert bench.engine.named("build") == bench.engine.named("find_image") == []


@pytest.mark.slow
def test_a_failed_block_is_left_out_and_not_made_again_after_the_end(tmp_path: Path) -> None:
    folder = Bench(tmp_path, failing_once(12)).reproduce(budget="standard")
    session = read_session(folder)
    assert session.looks[0].lead[0].pairs == FIRST_LOOK - 1
    assert session.looks[0].lead[0].low_percent is None
    assert session.missing_runs() == ()
    assert list(look_differences(session, STUDY)) == []


def failing_once(number: int):
    """The n-th run fails; the others take times that scatter a little."""
    broken, script = failing(number), varied(QUIET)
    return lambda request: script(request) if broken(request).files else broken_run()


def broken_run():
    from fakes.engine import fails

    return fails(1)(None)


def test_verify_makes_every_look_again(settled: Path) -> None:
    session = read_session(settled)
    assert list(differences(session, STUDY)) == []
    assert list(look_differences(session, STUDY)) == []
    assert list(run_differences(session, STUDY)) == []
    assert list(missing_runs(session)) == []


def test_a_session_that_stopped_where_its_rule_did_not_say_so_is_found(
    settled: Path, tmp_path: Path
) -> None:
    """Cut at a look that went on, and called its end."""

    def cut(lines):
        at = next(n for n, line in enumerate(lines) if line["type"] == "look")
        return [*lines[:at], {**lines[at], "ending": "settled", "likely_blocks": None}]

    session = read_session(edited(settled, tmp_path / "cut", cut))
    (found,) = look_differences(session, STUDY)
    assert f"block {FIRST_LOOK}" in found


def test_a_session_that_went_on_where_its_rule_ended_it_is_found(
    settled: Path, tmp_path: Path
) -> None:
    def unlooked(lines):
        return [line for line in lines if line["type"] != "look"]

    session = read_session(edited(settled, tmp_path / "unlooked", unlooked))
    assert len(list(look_differences(session, STUDY))) > 4
    assert list(missing_runs(session))  # the look that is due


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda look: look.update(blocks=look["blocks"] + 1), "does not follow"),
        (lambda look: look["lead"][0].update(low_percent=2.0), "does not follow"),
        (lambda look: look["lead"][0].update(word="OPPOSITE"), "does not follow"),
        (lambda look: look.update(ending="minutes"), "does not follow"),
    ],
)
def test_another_look_than_the_rules_is_found(
    settled: Path, tmp_path: Path, change, said: str
) -> None:
    def changed(lines):
        change([line for line in lines if line["type"] == "look"][-1])
        return lines

    session = read_session(edited(settled, tmp_path / "changed", changed))
    assert any(said in found for found in look_differences(session, STUDY))


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_look_in_another_place_is_refused(settled: Path, tmp_path: Path, at: str) -> None:
    def moved(lines):
        last = lines.pop()
        return [*lines[:-1], last, lines[-1]] if at == "before" else [*lines, last, last]

    with pytest.raises(InputError, match="look"):
        read_session(edited(settled, tmp_path / "moved", moved))


def test_a_run_after_the_end_is_refused(settled: Path, tmp_path: Path) -> None:
    session = read_session(settled)
    more = replace(session.entries[-1], block=session.looks[-1].blocks)
    planned = next(run for run in session.header.plan.runs if run.block == more.block)
    more = replace(
        more, run_id=planned.run_id, arm=planned.arm, role=planned.role, position=planned.position
    )
    with pytest.raises(InputError, match="after the look"):
        judge(replace(session, entries=(*session.entries, more)), STUDY)


def test_a_session_whose_arms_do_not_do_the_same_work_ends_at_its_first_look(settled: Path) -> None:
    session = read_session(settled)
    before = replace(session, entries=session.entries[: session.looks[0].runs], looks=())
    assert look(before, STUDY).ending is None
    other = session.entries[0]
    assert other.record is not None and other.kind == "identity"
    record = replace(other.record, versions={**other.record.versions, "numpy": "0"})
    broken = replace(before, entries=(replace(other, record=record), *before.entries[1:]))
    assert look(broken, STUDY).ending == "futile"


def stamp(second: int) -> str:
    return f"2026-01-02T03:{second // 60:02d}:{second % 60:02d}Z"


def test_a_budget_of_minutes_ends_before_they_are_over(settled: Path) -> None:
    session = read_session(settled)
    plan, rule = session.header.plan, session.header.plan.stopping
    assert rule is not None
    runs = session.entries[: session.looks[0].runs]
    entries = tuple(
        replace(run, started_at=stamp(20 * n), finished_at=stamp(20 * n + 20))
        for n, run in enumerate(runs)
    )
    begun = replace(session, entries=entries, looks=())
    # 26 runs took 8:40, the 24 in six blocks 8:00; seven blocks will take 10:00.
    for minutes, ending in ((9, "minutes"), (10, None)):
        made = replace(plan, stopping=replace(rule, minutes=minutes))
        header = replace(session.header, plan=made)
        assert look(replace(begun, header=header), STUDY).ending == ending


def test_no_block_is_tried_before_the_pilot_is_done(settled: Path) -> None:
    session = read_session(settled)
    halves = Resources("0-3", 64 * 10**9, ("0-1", "2-3"))
    plan = make_plan(STUDY, "standard", (), 7, halves, design="auto")
    assert plan.pilot == 5
    begun = replace(session, header=replace(session.header, plan=plan), entries=(), looks=())
    assert blocks_tried(begun) == 0
    assert not look_due(begun)


def test_a_look_is_due_after_each_block_from_the_first_look_on(settled: Path) -> None:
    session = read_session(settled)
    for number in range(len(session.entries) + 1):
        before = replace(session, entries=session.entries[:number], looks=())
        assert look_due(before) == (blocks_tried(before) >= FIRST_LOOK)
