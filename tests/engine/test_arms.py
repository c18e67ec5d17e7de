"""Both arms for real: built, run end to end on a small plan, and what their images hold."""

from __future__ import annotations

import copy
import json
import math
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from support.bench import reported

from kit.app import pipeline
from kit.cli.progress import PlainProgress
from kit.engine.docker import DockerEngine
from kit.engine.protocol import LABEL, RunOutcome, RunRequest
from kit.host.facts import LocalHost
from kit.host.network import HostNetwork, read_network
from kit.images.build.arms import Builder, BuildOptions, Images
from kit.images.build.recipe import Tools
from kit.images.inspect.content import read_content
from kit.images.inspect.describe import DescriptionCache, describe
from kit.judge.samework import same_work
from kit.pins.load import shipped_pins
from kit.plan.model import PlannedRun
from kit.plan.resources import ResourceRequest
from kit.plan.spec import spec_json
from kit.records.record import parse_record
from kit.records.session import Session
from kit.report.model import ReportModel
from kit.results.runlog import read_session
from kit.schemas import problems
from kit.study.load import shipped_study
from kit.study.model import Tier

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]

STUDY = replace(
    shipped_study(),
    protocol=replace(shipped_study().protocol, tiers={"tiny": Tier("tiny", blocks=1, repeats=2)}),
)
ARMS = ("python-cpu", "dotnet-cpu")
BAD_SPEC = 64
COMPILERS = {"gcc", "cc", "g++", "c++", "clang", "cpp", "ld", "as", "make"}


@pytest.fixture(scope="session")
def net() -> HostNetwork:
    return read_network()


@pytest.fixture(scope="session")
def images(engine: DockerEngine, net: HostNetwork, built: None) -> Images:
    return Builder(Tools(engine, shipped_pins(), net, print), BuildOptions()).build(STUDY, ARMS)


@dataclass(frozen=True)
class Made:
    folder: Path
    session: Session
    model: ReportModel


@pytest.fixture(scope="session")
def made(
    engine: DockerEngine, net: HostNetwork, images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """A whole session: an identity run of each arm, then one block of two fits each."""
    cache = DescriptionCache(Path(tmp_path_factory.mktemp("cache")))
    runtime = pipeline.Runtime(
        engine, LocalHost(), net, lambda: datetime.now(timezone.utc), PlainProgress(),
        describe=lambda image_id: describe(engine, image_id, cache), allow_busy_host=True,
    )  # fmt: skip
    out = Path(tmp_path_factory.mktemp("out"))
    request = pipeline.Request("tiny", ARMS, 5, ResourceRequest(), out, BuildOptions())
    folder = pipeline.reproduce(runtime, STUDY, request)
    model = reported(folder, STUDY)
    return Made(folder, read_session(folder), model)


def test_the_session_names_the_content_of_its_images(made: Made, engine: DockerEngine) -> None:
    recorded = made.session.header.images["python-cpu"]
    assert read_content(engine, recorded.image_id).sha256 == recorded.content_sha256
    assert recorded.content_sha256 in (made.folder / "report.md").read_text()


def test_the_bill_of_materials_is_valid_and_names_what_is_inside(made: Made) -> None:
    for arm in ARMS:
        text = (made.folder / "sbom" / f"{arm}.cdx.json").read_text()
        assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
        found = {c["name"]: c.get("version") for c in json.loads(text)["components"]}
        assert found["tensorflow-cpu"] == "2.10.1"
        assert found["numpy"] == "1.23.5"
        assert "libc6" in found
        assert "fashion-mnist/train-images-idx3-ubyte.gz" in found
        assert ("Microsoft.NETCore.App" in found) == arm.startswith("dotnet")


def test_every_planned_run_left_a_whole_record(made: Made) -> None:
    runs = {run.run_id: run for run in made.session.header.plan.runs}
    assert [e.failure for e in made.session.entries] == [None] * 4
    assert [e.run_id for e in made.session.entries] == list(runs)
    for entry in made.session.entries:
        assert entry.record is not None
        assert len(entry.record.fits) == runs[entry.run_id].repeats
        for fit in entry.record.fits:
            assert len(fit.losses) == len(fit.accuracies) == STUDY.workload["epochs"]
            assert all(math.isfinite(value) for value in (*fit.losses, *fit.accuracies))
            assert fit.losses[-1] < fit.losses[0]
            assert 0.5 < fit.accuracies[-1] < 1
            # Two clocks around one fit; the inner one cannot show more than a moment less.
            assert abs(fit.paper_clock_s - fit.wall_ns / 1e9) < 0.1
            assert fit.user_ns > 0
            assert fit.rss_after_bytes > 100e6


def test_the_log_holds_records_that_honour_the_published_schema(made: Made) -> None:
    text = (made.folder / "runlog.jsonl").read_text()
    documents = [json.loads(line) for line in text.splitlines()]
    assert [d["type"] for d in documents] == ["header", "executable", *["run"] * 4]
    for document in documents[2:]:
        assert problems("record", document["record"]) == []


def test_the_executable_was_run_and_its_claim_judged(made: Made) -> None:
    found = made.session.executable
    assert found is not None
    assert found.started and not found.trained
    (verdict,) = made.model.judged.executable
    assert verdict.word == "OPPOSITE"
    assert found.missing in (made.folder / "report.md").read_text()


def test_both_arms_did_the_same_work(made: Made) -> None:
    work = same_work(made.session, ARMS, STUDY.protocol.same_work)
    assert work.held, work.broken()
    assert work.applicable
    libraries = [made.session.identity()[arm].record.identity.libraries for arm in ARMS]
    assert any("libtensorflow" in path or "_pywrap" in path for path in libraries[0])
    assert any("libcoreclr" in path for path in libraries[1])


def test_the_session_ends_in_a_report_that_the_log_alone_gives_again(made: Made) -> None:
    first = {name: (made.folder / name).read_bytes() for name in ("report.md", "results.json")}
    assert made.model.same_work_held
    assert not made.model.failures
    assert b"Same work: passed" in first["report.md"]
    assert problems("results", json.loads(first["results.json"])) == []
    reported(made.folder, STUDY)
    assert {name: (made.folder / name).read_bytes() for name in first} == first


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_runs_as_an_unprivileged_user(engine: DockerEngine, images: Images, arm: str):
    config = engine._link.client.inspect_image(images.arms[arm].image_id)["Config"]
    assert config["User"] == "10001:10001"
    outcome = engine.run(RunRequest(images.arms[arm].image_id, ("id", "-u")))
    assert outcome.logs.strip() == "10001"


@pytest.mark.parametrize("arm", ARMS)
def test_no_setting_of_the_host_is_in_an_image_s_environment(
    engine: DockerEngine, images: Images, arm: str
) -> None:
    config = engine._link.client.inspect_image(images.arms[arm].image_id)["Config"]
    names = [word.partition("=")[0].lower() for word in config["Env"]]
    assert not [n for n in names if "proxy" in n or n.startswith(("pip_", "ssl_", "npm_"))]


def test_python_image_is_not_bloated(images: Images) -> None:
    size = images.arms["python-cpu"].size_bytes
    print(f"python-cpu: {size / 1e9:.2f} GB")
    assert 0.5e9 < size < 2e9


@pytest.fixture(scope="session")
def content(engine: DockerEngine, images: Images, net: HostNetwork) -> Mapping[str, bytes | None]:
    """Every file of the dotnet image, which rests on the python image.

    With the content of those as long as one of the host's own files, else None.
    """
    lengths = {len(text) for text in host_files(net)}
    client = engine._link.client
    container = client.create_container(images.arms["dotnet-cpu"].image_id, labels={LABEL: "kit"})
    try:
        raw = client.get(client._url("/containers/{0}/export", container["Id"]), stream=True).raw
        found: dict[str, bytes | None] = {}
        with tarfile.open(fileobj=raw, mode="r|") as archive:
            for member in archive:
                reader = archive.extractfile(member) if member.size in lengths else None
                found[member.name] = reader.read() if reader else None
        return found
    finally:
        client.remove_container(container["Id"], v=True, force=True)


def host_files(net: HostNetwork) -> list[bytes]:
    texts = (net.ca_bundle, net.pip_conf.encode(), net.npmrc.encode())
    return [text for text in texts if text]


def test_an_image_holds_nothing_of_the_host_and_no_build_tools(
    content: Mapping[str, bytes | None], net: HostNetwork
) -> None:
    assert "opt/kit/program/workload.py" in content
    assert "opt/kit/dotnet/Workload.dll" in content
    assert [n for n in content if n.split("/")[0] in {"host", "src", "fetch", "locks"}] == []
    assert [n for n in content if "/.cache/" in n or n.startswith("opt/pip")] == []
    assert [n for n in content if "/bin/" in f"/{n}" and Path(n).name in COMPILERS] == []
    assert [n for n in content if n.startswith("usr/share/dotnet/sdk")] == []
    secrets = host_files(net)
    assert [n for n, text in content.items() if text in secrets] == []


def good_spec(arm: str) -> dict[str, Any]:
    run = PlannedRun("r1", 0, 0, arm, "timed", 1, None)
    spec: dict[str, Any] = json.loads(spec_json(run, STUDY))
    return spec


def bad(arm: str, change: Mapping[str, Any]) -> str:
    """The good spec with values put at dotted paths."""
    spec = copy.deepcopy(good_spec(arm))
    for path, value in change.items():
        *parents, last = path.split(".")
        place: Any = spec
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return json.dumps(spec)


def run_spec(engine: DockerEngine, images: Images, arm: str, spec: str) -> RunOutcome:
    return engine.run(RunRequest(images.arms[arm].image_id, env={"KIT_SPEC": spec}, timeout_s=120))


BAD_SPECS = {
    "schema": {"schema": 2},
    "seed": {"kind": "identity"},
    "kind": {"kind": "warm"},
    "repeats": {"repeats": 0},
    "workload.dataset": {"workload.dataset": "cifar10"},
    "workload.layers": {"workload.layers.0.type": "conv2d"},
    "workload": {"workload": ...},
    "conditions.slowdown_percent": {"conditions.slowdown_percent": -1},
    "conditions.probe": {"conditions.probe": "yes"},
    "conditions": {"conditions": ...},
}


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_different_about_a_run_is_done(
    engine: DockerEngine, images: Images, arm: str
) -> None:
    run = PlannedRun("r1", 0, 0, arm, "timed", 2, None)
    spec = json.loads(spec_json(run, STUDY))
    spec["conditions"] = {
        "slowdown_percent": 60.0, "progress": False, "probe": True, "keep": True,
    }  # fmt: skip
    outcome = run_spec(engine, images, arm, json.dumps(spec))
    assert outcome.exit_code == 0, outcome.logs
    assert "Epoch" not in outcome.logs
    for fit in parse_record(outcome.files["record.json"], arm).fits:
        # The wait is 60 % of the fit and of the binding around it.
        assert fit.inner_ns is not None
        assert fit.wall_ns >= 1.6 * fit.inner_ns
        assert fit.inner_ns > 0.3 * fit.wall_ns


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("field", BAD_SPECS)
def test_a_bad_spec_is_refused_in_one_line_that_names_the_field(
    engine: DockerEngine, images: Images, arm: str, field: str
) -> None:
    outcome = run_spec(engine, images, arm, bad(arm, BAD_SPECS[field]))
    assert outcome.exit_code == BAD_SPEC, outcome.logs
    (line,) = outcome.logs.splitlines()
    assert line.startswith("spec: not usable: ")
    assert field in line
    assert outcome.files == {}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("text", ["", "{not json", "[]"])
def test_a_spec_that_is_no_object_is_refused_in_one_line(
    engine: DockerEngine, images: Images, arm: str, text: str
) -> None:
    outcome = run_spec(engine, images, arm, text)
    assert outcome.exit_code == BAD_SPEC, outcome.logs
    (line,) = outcome.logs.splitlines()
    assert line.startswith("spec: not usable: ")


LATE = {
    "run_id": {"run_id": ...},
    "workload.epochs": {"workload.epochs": "five"},
    "workload.batch_size": {"workload.batch_size": ...},
    "workload.dataset": {"workload.dataset": "mnist"},
}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("field", LATE)
def test_a_field_that_is_used_late_is_checked_before_any_work(
    engine: DockerEngine, images: Images, arm: str, field: str
) -> None:
    outcome = run_spec(engine, images, arm, bad(arm, LATE[field]))
    assert outcome.exit_code == BAD_SPEC, outcome.logs[-300:]
    (line,) = outcome.logs.splitlines()
    assert field in line
