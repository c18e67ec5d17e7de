"""The plan that verify makes again is the one of every honest session, whatever was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.engine import SUCCESS
from fakes.gpu import NO_DRIVER, T4, FakeProbe
from support.bench import STUDY, Bench, failing, varied
from support.measured import TwoCores, works
from support.sessions import make_merged

from kit.app import ablate, pipeline
from kit.engine.protocol import RunOutcome, RunRequest
from kit.errors import InputError
from kit.images.build.arms import BuildOptions
from kit.plan.budget import BY_PILOT
from kit.plan.make import make_plan
from kit.plan.resources import ResourceRequest, Resources
from kit.plan.shard import Shard
from kit.records.command import parse_command, without_option
from kit.records.session import Session
from kit.results.opened import open_session
from kit.results.runlog import read_session
from kit.verify import log, plan

pytestmark = pytest.mark.slow

REQUESTS: dict[str, dict[str, Any]] = {
    "a tier": {},
    "a tier with looks": {"budget": "standard"},
    "only the direction": {"budget": "standard", "until": "direction"},
    "few minutes": {"budget": "12m"},
    "minutes with looks": {"budget": "20m"},
    "blocks": {"blocks": 2},
    "blocks of a tier with looks": {"budget": "standard", "blocks": 2},
    "duet": {"design": "duet"},
    "duet with looks": {"design": "duet", "budget": "standard"},
    "both designs tried": {"design": "auto", "budget": "standard"},
    "both designs without a pilot": {"design": "auto"},
    "one arm": {"arms": ("dotnet-cpu",)},
    "arms in another order": {"arms": ("dotnet-cpu", "python-cpu")},
    "CPUs": {"requested": ResourceRequest(cpus=1)},
    "memory": {"requested": ResourceRequest(memory_bytes=7_123_456_789)},
    "memory of a duet": {
        "requested": ResourceRequest(memory_bytes=10_323_456_789), "design": "duet",
    },
    "little memory": {"requested": ResourceRequest(memory_bytes=5_000_000_000)},
    "a mirror and a study": {
        "study": "my study", "options": BuildOptions(mirrors=("a.example/x", "b.example")),
    },
    "a feed": {"options": BuildOptions(nuget_source="https://feed.example/my feed")},
    "a shard": {"shard": Shard(2, 3)},
}  # fmt: skip


def problems(session: Session) -> list[str]:
    return [
        *log.header_differences(session, STUDY),
        *plan.differences(session, STUDY),
        *log.run_differences(session, STUDY),
        *log.missing_runs(session),
    ]


@pytest.mark.parametrize("name", REQUESTS)
def test_what_was_asked_for_makes_the_plan_again(tmp_path: Path, name: str) -> None:
    folder = Bench(tmp_path, varied(0.01)).reproduce(**REQUESTS[name])
    assert problems(read_session(folder)) == []


def test_a_session_that_was_resumed_and_one_whose_pilot_lost_a_run(tmp_path: Path) -> None:
    folder = Bench(tmp_path / "a", failing(4)).reproduce(budget="quick")
    assert list(log.missing_runs(read_session(folder)))
    Bench(tmp_path / "a").resume(folder)
    assert problems(read_session(folder)) == []
    bench = Bench(tmp_path / "b", failing(4), TwoCores())
    session = read_session(bench.reproduce(budget="standard", design="auto"))
    assert [entry.role for entry in session.entries if entry.failure] == ["pilot"]
    assert list(log.missing_runs(session)) == []  # it has ended: nothing is made again
    assert problems(session) == []


def test_shards_that_were_merged(tmp_path: Path) -> None:
    folders = [
        Bench(tmp_path / str(n), varied(0.01)).reproduce(shard=Shard(n, 3)) for n in (1, 2, 3)
    ]
    whole = pipeline.merge([open_session(folder) for folder in folders], tmp_path / "out")
    assert problems(whole.session) == []


def test_shards_that_were_planned_before_there_were_looks(tmp_path: Path) -> None:
    folder = Bench(tmp_path, varied(0.01)).reproduce(budget="15m", shard=Shard(1, 2))
    session = read_session(folder)
    limits = session.header.plan.limits
    have = Resources(limits.cpuset, limits.memory_bytes, limits.halves)
    made = make_plan(STUDY, "15m", (), 7, have, sizing=BY_PILOT)
    assert made.blocks != session.header.plan.blocks
    header = replace(session.header, plan=made, form=6)
    merged = replace(header, shard=None, shards=(make_merged(1, 2), make_merged(2, 2)))
    for each in (header, merged):
        assert list(plan.differences(replace(session, header=each), STUDY)) == []


@pytest.mark.parametrize("blocks", [None, 2])
def test_an_ablation(tmp_path: Path, blocks: int | None) -> None:
    bench = Bench(tmp_path, varied(0.01))
    folder = tmp_path / "explanation"
    ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder, blocks, blocks)
    assert problems(read_session(folder)) == []


@pytest.mark.parametrize("probe", [FakeProbe((T4,)), FakeProbe(missing=NO_DRIVER)])
def test_cuda_arms_that_could_and_could_not_be_run(tmp_path: Path, probe: FakeProbe) -> None:
    def script(request: RunRequest) -> RunOutcome:
        return works(request) if "KIT_SPEC" in request.env else SUCCESS

    bench = Bench(tmp_path, script)
    runtime = replace(bench.runtime(), probe=probe)
    request = pipeline.Request(
        "quick", (), 7, ResourceRequest(), tmp_path, BuildOptions(), gpu=True
    )
    folder = pipeline.reproduce(runtime, STUDY, request)
    assert problems(read_session(folder)) == []


@pytest.mark.parametrize(
    "line",
    [
        "", "kit", "kit verify x", "rm -rf /", "kit reproduce --budget", "kit reproduce 'a",
        "kit reproduce --seed 1 --seed 2", "kit reproduce --bud=quick", "kit reproduce quick",
    ],
)  # fmt: skip
def test_a_line_that_kit_does_not_write_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        parse_command(line)


@pytest.mark.parametrize("value", ["x", "", "1.5", "²", "10001", "9" * 30])
def test_a_number_that_is_none_is_refused_by_its_option(value: str) -> None:
    command = parse_command(f"kit reproduce --blocks '{value}'")
    with pytest.raises(InputError, match="--blocks"):
        command.number("--blocks", 10_000)


@pytest.mark.parametrize(
    "feed",
    ["--nuget-source 'my feed'", "--set 'nuget_source=my feed'", "--set nuget_source=a --set b=c"],
)
def test_a_recorded_feed_is_read_as_earlier_kits_wrote_it_and_as_this_one_does(feed: str) -> None:
    command = parse_command(f"kit reproduce --budget quick {feed} --seed 7")
    assert command.text("--budget") == "quick" and command.number("--seed") == 7
    assert without_option(f"kit reproduce {feed} --shard 1/2", "--shard") == f"kit reproduce {feed}"


def test_a_command_without_an_option_is_the_same_line_otherwise() -> None:
    line = "kit reproduce --budget quick --study 'my --shard study' --shard 1/2 --gpu"
    assert (
        without_option(line, "--shard")
        == "kit reproduce --budget quick --study 'my --shard study' --gpu"
    )
    named = "kit reproduce --gpu --study --shard --blocks 2"
    assert without_option(f"{named} --shard 1/2", "--shard") == named, "a folder may be called so"
    with pytest.raises(InputError):
        without_option("kit 'reproduce", "--shard")


def test_a_command_is_split_only_as_long_as_kit_writes_them() -> None:
    with pytest.raises(InputError, match="letters"):
        parse_command("kit reproduce " + "'a' " * 10_000)
