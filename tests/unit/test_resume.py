"""Going on with a session: the same checks as at a start, the same content, nothing else lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.engine import INFO
from support.bench import STUDY, Bench, StopAt, described, reported, stopped, varied
from support.measured import FakeHost, TwoCores, works

import kit.cli
from kit.app import ablate, pipeline
from kit.errors import HostError, InputError
from kit.host.facts import HostReading
from kit.images.build.arms import BuildOptions
from kit.plan.budget import BY_PILOT
from kit.plan.make import make_plan, plan_sha256
from kit.plan.resources import Resources, cpus_of
from kit.results import RUN_LOG
from kit.results.opened import open_session
from kit.results.runlog import RunLog, read_session
from kit.verify import verify_folder
from kit.verify.plan import differences


class BusyHost(FakeHost):
    """Others keep almost every CPU busy, and leave so much memory."""

    def __init__(self, busy_cpus: float = 0.0, available_bytes: int = 14 * 2**30) -> None:
        super().__init__()
        self.reading = HostReading(0.5, available_bytes, 0, busy_cpus)

    def read(self) -> HostReading:
        return self.reading


def resume(bench: Bench, folder: Path, host: FakeHost, allow_busy_host: bool = False) -> Path:
    runtime = replace(bench.runtime(), host=host, allow_busy_host=allow_busy_host)
    return pipeline.resume(runtime, open_session(folder), BuildOptions()).folder


def test_a_machine_with_less_memory_than_the_plan_gives_is_refused(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    needed = read_session(folder).header.plan.limits.memory_bytes
    again = Bench(tmp_path)
    with pytest.raises(HostError) as caught:
        resume(again, folder, BusyHost(available_bytes=needed - 10**9))
    assert f"{needed / 1e9:.1f} GB" in caught.value.problem
    assert f"{needed / 1e9 - 1:.1f} GB" in caught.value.problem
    assert again.ran() == again.engine.named("build") == []
    resume(again, folder, BusyHost(available_bytes=needed))


def test_both_runs_of_a_duet_must_fit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, StopAt(4))
    with pytest.raises(KeyboardInterrupt):
        bench.reproduce(design="duet", blocks=2)
    folder = bench.one_folder()
    needed = read_session(folder).header.plan.limits.memory_bytes
    with pytest.raises(HostError, match=f"{2 * needed / 1e9:.1f} GB"):
        resume(Bench(tmp_path), folder, BusyHost(available_bytes=2 * needed - 10**9))


@pytest.mark.slow
def test_a_busy_machine_is_refused_unless_noise_is_taken(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    again = Bench(tmp_path)
    with pytest.raises(HostError, match="busy"):
        resume(again, folder, BusyHost(busy_cpus=3.9))
    assert again.ran() == []
    resume(again, folder, BusyHost(busy_cpus=3.9), allow_busy_host=True)
    done = Bench(tmp_path)
    resume(done, folder, BusyHost(busy_cpus=3.9, available_bytes=1))
    assert done.ran() == [], "a finished session asks for nothing"


def test_an_explanation_that_goes_on_is_checked_alike(tmp_path: Path) -> None:
    bench = Bench(tmp_path, StopAt(4))
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(bench.runtime(), STUDY, BuildOptions(), tmp_path / "x", 2, 3)
    runtime = replace(Bench(tmp_path).runtime(), host=BusyHost(busy_cpus=3.9))
    with pytest.raises(HostError, match="busy"):
        ablate.ablate(runtime, STUDY, BuildOptions(), tmp_path / "x", 2, 3)
    runtime = replace(runtime, allow_busy_host=True)
    ablate.ablate(runtime, STUDY, BuildOptions(), tmp_path / "x", 2, 3)


def test_cpus_that_are_gone_are_named(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    again = Bench(tmp_path)
    again.engine.engine_info = replace(INFO, cpus=2)
    with pytest.raises(HostError, match=r"CPU 3 .* 2 CPUs"):
        again.resume(folder)
    assert again.ran() == []


def test_a_set_of_cpus_is_read_as_it_is_written() -> None:
    assert cpus_of("0") == (0,)
    assert cpus_of("0-2,5,8-9") == (0, 1, 2, 5, 8, 9)


def test_another_machine_is_said(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    again = Bench(tmp_path)
    again.resume(folder)
    assert not [line for line in again.progress.lines if "machine" in line]
    folder = stopped(tmp_path / "b")
    log = folder / RUN_LOG
    machine = read_session(folder).entries[0].machine
    log.write_text(log.read_text().replace(machine, "0" * len(machine)))
    again = Bench(tmp_path)
    again.resume(folder)
    assert [line for line in again.progress.lines if "not the machine" in line]


class Rebuilt(Bench):
    """Every image was built again since: another id each; ``content`` gives its digest."""

    def runtime(self, content=described) -> pipeline.Runtime:
        build = self.engine.build
        self.content_of = {}

        def again(request, on_line):
            made = build(request, on_line)
            other = replace(made, id="sha256:" + made.id.removeprefix("sha256:")[::-1])
            self.content_of[other.id] = made.id
            self.engine.images[request.tag] = other
            return other

        self.engine.build = again
        return replace(super().runtime(), describe=lambda found: content(self.content_of[found]))


def test_an_image_built_again_with_the_same_content_goes_on(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    recorded = {image.image_id for image in read_session(folder).header.images.values()}
    again = Rebuilt(tmp_path)
    pipeline.resume(again.runtime(), open_session(folder), BuildOptions())
    ran_in = {request.image for request in again.engine.named("run")}
    assert ran_in and not ran_in & recorded, "the recorded ids are no longer there"
    session = read_session(folder)
    assert {entry.image_id for entry in session.entries} == recorded
    reported(folder)
    assert [found.what for found in verify_folder(folder) if found.wrong] == []


def test_an_image_built_again_with_other_content_is_refused(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    before = (folder / RUN_LOG).read_bytes()
    again = Rebuilt(tmp_path)
    runtime = again.runtime(lambda image_id: replace(described(image_id), content_sha256="0" * 64))
    with pytest.raises(InputError, match="content of the image of dotnet-cpu"):
        pipeline.resume(runtime, open_session(folder), BuildOptions())
    assert again.ran() == []
    assert (folder / RUN_LOG).read_bytes() == before


def test_a_log_without_digests_is_held_to_the_ids(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    log = folder / RUN_LOG
    text = log.read_text()
    for image in read_session(folder).header.images.values():
        text = text.replace(f'"content_sha256": "{image.content_sha256}"', '"content_sha256": ""')
    log.write_text(text)
    with pytest.raises(InputError, match="the image of dotnet-cpu"):
        pipeline.resume(Rebuilt(tmp_path).runtime(), open_session(folder), BuildOptions())


@pytest.mark.parametrize("log", [None, b"", b'{"type": "header", "sch'])
def test_a_session_that_never_began_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: bytes | None
) -> None:
    folder = stopped(tmp_path)
    (folder / RUN_LOG).unlink()
    if log is not None:
        (folder / RUN_LOG).write_bytes(log)
    before = sorted(path for path in tmp_path.rglob("*"))
    assert kit.cli.run(["reproduce", "--resume", str(folder)]) == 2
    said = capsys.readouterr().err
    assert str(folder) in said
    assert "nothing was measured" in said
    assert sorted(tmp_path.rglob("*")) == before, "nothing is lost"


def test_reporting_removes_what_an_interrupted_write_left(tmp_path: Path) -> None:
    folder = Bench(tmp_path, works).reproduce()
    reported(folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    for name in ("report.md.part", "plots/x.svg.part", "formats/.fits.csv.1a2b.part"):
        (folder / name).write_text("half of")
    (folder / "sbom" / "link.part").symlink_to(elsewhere)
    read = open_session(folder)
    kept = folder / "study" / "data.part"
    kept.write_text("the study's own")
    pipeline.report(read)
    assert [path for path in folder.rglob("*.part") if path != kept] == []
    assert elsewhere.read_text() == "precious"
    assert kept.exists()


@pytest.mark.slow
def test_a_piloted_session_of_an_older_log_goes_on_in_its_own_names(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(4), TwoCores()).reproduce(budget="standard", design="auto")
    (folder,) = tmp_path.iterdir()
    begun = read_session(folder)
    limits = begun.header.plan.limits
    have = Resources(limits.cpuset, 2 * limits.memory_bytes, limits.halves)
    plan = make_plan(STUDY, "standard", (), 7, have, design="auto", sizing=BY_PILOT)
    (folder / RUN_LOG).unlink()
    older = replace(begun.header, plan=plan, plan_sha256=plan_sha256(plan, 6), form=6)
    RunLog.create(folder, older).add_entries(begun.entries)
    Bench(tmp_path, varied(0.01)).resume(folder)
    lines = map(json.loads, (folder / RUN_LOG).read_text().splitlines())
    (fixed,) = (line for line in lines if line["type"] == "plan")
    names = {fixed["plan"]["design"], *(each["design"] for each in fixed["outlook"]["designs"])}
    assert names == {"sequential", "duet"}
    whole = read_session(folder)
    assert whole.header.plan_sha256 == fixed["plan_sha256"]
    assert list(differences(whole, STUDY)) == []
