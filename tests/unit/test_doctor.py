"""The doctor: every problem at once, on made-up machines."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fakes.engine import INFO, FakeEngine, image
from fakes.gpu import H100, NO_DRIVER, OLD_DRIVER, T4, FakeProbe

from kit import __version__
from kit.engine.protocol import EngineInfo
from kit.errors import HostError
from kit.host.doctor import (
    DoctorFacts,
    Needs,
    Requirement,
    Status,
    check,
    find_facts,
    ready,
    table,
    to_json,
)
from kit.host.doctor import probe as probes
from kit.host.doctor.probe import reachability
from kit.host.network import CA_VARIABLES, PROXY_VARIABLES
from kit.images.stored import images_there
from kit.records.gpu import DetectedGpus
from kit.study.load import shipped_study

GIB = 2**30
NEEDS = Needs(memory_bytes=2 * GIB, disk_bytes=5 * GIB)
GOOD = DoctorFacts(
    engine=INFO,
    governors=("performance",),
    available_memory=8 * GIB,
    free_disk=50 * GIB,
    registries={"docker.io": "", "mcr.microsoft.com": ""},
    sources={"python": ("docker.io",), "dotnet-sdk": ("mcr.microsoft.com",)},
    mmdebstrap="/usr/bin/mmdebstrap",
    host_python="/opt/python3.8",
)
DOWN = {"docker.io": "Name or service not known"}
MIRRORED = replace(
    GOOD,
    sources={"python": ("dead.lan", "docker.io"), "dotnet-sdk": ("dead.lan", "mcr.microsoft.com")},
)
DEAD_MIRROR = {**GOOD.registries, "dead.lan": "Connection refused"}


def row(name: str, facts: DoctorFacts, needs: Needs = NEEDS) -> Requirement:
    return next(found for found in check(facts, needs) if found.name == name)


def test_a_good_machine_is_ready() -> None:
    rows = check(GOOD, NEEDS)
    assert {found.status for found in rows} == {Status.OK} and ready(rows)
    assert all(found.remedy == "" for found in rows)


def test_all_problems_at_once() -> None:
    rows = check(
        DoctorFacts(
            engine=replace(INFO, api_version="1.24", architecture="aarch64", cpus=1),
            available_memory=GIB,
            free_disk=GIB,
            registries=DOWN,
            sources=GOOD.sources,
            ca_files={"PIP_CERT": ("/gone", False)},
        ),
        NEEDS,
    )
    failing = {found.name for found in rows if found.status is Status.FAIL}
    assert failing == {"engine", "architecture", "memory", "disk", "mmdebstrap", "CA bundle"}
    assert not ready(rows)
    assert all(found.remedy for found in rows if found.status is not Status.OK)


def test_no_engine_leaves_the_rest_readable() -> None:
    facts = DoctorFacts(engine=None, engine_problem="none answers", engine_remedy="run `kit setup`")
    rows = check(facts, NEEDS)
    assert row("engine", facts) == Requirement(
        "engine", Status.FAIL, "none answers", "run `kit setup`"
    )
    assert [found.name for found in rows if found.status is Status.FAIL] == ["engine"]


@pytest.mark.parametrize(
    ("name", "facts", "status"),
    [
        ("cgroup", replace(GOOD, engine=replace(INFO, cgroup_version="1")), Status.OK),
        (
            "cgroup",
            replace(GOOD, engine=replace(INFO, name="Podman", cgroup_version="1")),
            Status.WARN,
        ),
        ("CPUs", replace(GOOD, engine=replace(INFO, cpus=1)), Status.WARN),
        ("CPU governor", replace(GOOD, governors=("performance", "powersave")), Status.WARN),
        ("CPU governor", replace(GOOD, governors=()), Status.OK),
        ("CPU governor", replace(GOOD, engine_local=False), Status.OK),
        ("memory", replace(GOOD, available_memory=2 * GIB), Status.OK),
        ("memory", replace(GOOD, available_memory=2 * GIB - 1), Status.FAIL),
        ("memory", replace(GOOD, available_memory=None), Status.WARN),
        ("disk", replace(GOOD, free_disk=GIB), Status.FAIL),
        ("disk", replace(GOOD, free_disk=None, engine_local=False), Status.WARN),
        ("registries", replace(GOOD, registries=DOWN), Status.WARN),
        ("registries", replace(GOOD, registries={}), Status.OK),
        ("mmdebstrap", replace(GOOD, mmdebstrap=None), Status.OK),
        ("mmdebstrap", replace(GOOD, scratch_problem="noexec"), Status.WARN),
        ("mmdebstrap", replace(GOOD, registries=DOWN, scratch_problem="noexec"), Status.FAIL),
        ("mmdebstrap", replace(GOOD, registries=DOWN), Status.OK),
        ("mmdebstrap", replace(GOOD, registries=DOWN, mmdebstrap=None), Status.FAIL),
        ("mmdebstrap", replace(MIRRORED, registries=DEAD_MIRROR, mmdebstrap=None), Status.OK),
        ("registries", replace(MIRRORED, registries=DEAD_MIRROR), Status.WARN),
        (
            "mmdebstrap",
            replace(MIRRORED, registries={**DEAD_MIRROR, "docker.io": "down"}, mmdebstrap=None),
            Status.FAIL,
        ),
        ("CPython 3.8", replace(GOOD, host_python=None), Status.OK),
        ("CPython 3.8", replace(GOOD, registries=DOWN, host_python=None), Status.WARN),
        ("GPU", GOOD, Status.OK),
        ("GPU", replace(GOOD, gpu_driver="550.1"), Status.OK),
        ("CUDA arms", replace(GOOD, gpu_driver="550.1"), Status.WARN),
        (
            "GPU",
            replace(GOOD, gpu_driver="550.1", engine=replace(INFO, runtimes=("nvidia", "runc"))),
            Status.OK,
        ),
        ("proxy", replace(GOOD, proxies={"https_proxy": "http://p:1"}), Status.OK),
        ("CA bundle", replace(GOOD, ca_files={"PIP_CERT": ("/ca.pem", True)}), Status.OK),
        ("CA bundle", replace(GOOD, ca_files={"PIP_CERT": ("/ca.pem", False)}), Status.FAIL),
    ],
)
def test_rows(name: str, facts: DoctorFacts, status: Status) -> None:
    assert row(name, facts).status is status


NVIDIA = replace(INFO, runtimes=("nvidia", "runc"))


def gpu_rows(facts: DoctorFacts) -> list[Requirement]:
    return [found for found in check(facts, NEEDS) if found.name in ("GPU", "CUDA arms")]


def test_a_good_gpu_is_one_row() -> None:
    facts = replace(GOOD, gpu_driver=T4.driver, gpus=DetectedGpus((T4,)), engine=NVIDIA)
    assert gpu_rows(facts) == [Requirement("GPU", Status.OK, "Tesla T4, driver 535.161.08")]


@pytest.mark.parametrize(
    ("gpus", "engine", "words"),
    [
        (DetectedGpus((OLD_DRIVER,)), NVIDIA, ["440.33.01 is too old"]),
        (DetectedGpus((H100,)), NVIDIA, ["30 minutes or longer"]),
        (DetectedGpus((T4,)), INFO, ["no nvidia runtime"]),
        (DetectedGpus((T4,)), replace(INFO, cdi_devices=("nvidia.com/gpu=0",)), []),
        (DetectedGpus((T4,)), replace(INFO, gpu_drivers=()), ["ignores a GPU request"]),
        (DetectedGpus(missing=NO_DRIVER), NVIDIA, ["no NVIDIA driver is here"]),
    ],
)
def test_what_the_cuda_arms_would_meet_is_said_and_is_no_failure(
    gpus: DetectedGpus, engine: EngineInfo, words: list[str]
) -> None:
    rows = gpu_rows(replace(GOOD, gpu_driver="535", gpus=gpus, engine=engine))
    assert [found.status for found in rows] == [Status.OK] + [Status.WARN] * len(words)
    for found, expected in zip(rows[1:], words, strict=True):
        assert expected in found.found
        assert found.remedy
    assert ready(rows)


def test_a_gpu_without_an_engine_is_left_open() -> None:
    facts = replace(GOOD, engine=None, gpus=DetectedGpus((T4,)))
    assert gpu_rows(facts) == [
        Requirement("GPU", Status.WARN, "not known without an engine", "see the row engine")
    ]


def test_no_gpu_is_no_matter_whatever_the_probe_lacks() -> None:
    (found,) = gpu_rows(replace(GOOD, gpus=DetectedGpus(missing=NO_DRIVER)))
    assert (found.status, found.found) == (Status.OK, "none: CPU arms only")


def test_gather_asks_the_probe() -> None:
    facts = find_facts(
        {}, lambda: None, find_engine=FakeEngine, reach=_no_reach, probe=FakeProbe((T4,))
    )
    assert facts.gpus == DetectedGpus((T4,))


def _no_reach(hosts: object) -> dict[str, str]:
    return {}


def test_present_images_need_no_registry() -> None:
    facts = replace(GOOD, registries=DOWN, mmdebstrap=None, host_python=None)
    assert not ready(check(facts, NEEDS))
    assert ready(check(replace(facts, images_there=True), NEEDS))


def test_present_images_need_no_more_room() -> None:
    full = replace(GOOD, free_disk=GIB)
    assert row("disk", full).status is Status.FAIL
    assert row("disk", replace(full, images_there=True)) == Requirement(
        "disk", Status.OK, "1.1 GB free, the images are here"
    )
    assert row("disk", replace(GOOD, free_disk=None, images_there=True)).status is Status.OK


def test_images_are_there_when_every_arm_has_one_of_either_binding() -> None:
    engine = FakeEngine()
    study = shipped_study()
    arms = ("python-cpu", "dotnet-cpu")
    names = [f"kit/{name}:{__version__}" for name in ("python-cpu", "dotnet-cpu-pythonnet")]
    for name in names:
        assert not images_there(engine, study, arms)
        engine.images[name] = image(name)
    facts = find_facts(
        {}, lambda: None, find_engine=lambda: engine, reach=_no_reach, probe=FakeProbe(()),
        images_there=lambda found: images_there(found, study, arms),
    )  # fmt: skip
    assert facts.images_there


def test_json_is_plain() -> None:
    data = json.loads(json.dumps(to_json(check(replace(GOOD, free_disk=0), NEEDS))))
    assert data["ready"] is False and data["counts"]["fail"] == 1
    assert {"name", "status", "found", "remedy"} == set(data["rows"][0])


def test_memory_counts_as_the_plan_counts_it() -> None:
    needs = replace(NEEDS, kept_for_host=0.1)
    enough = int(NEEDS.memory_bytes / 0.9) + 1
    assert row("memory", replace(GOOD, available_memory=enough), needs).status is Status.OK
    assert row("memory", replace(GOOD, available_memory=enough - 2), needs).status is Status.FAIL


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits(width: int) -> None:
    host = "a" * 90
    down, sources = {host: "reason " * 20}, {"python": (host,)}
    facts = replace(GOOD, registries=down, sources=sources, mmdebstrap=None)
    text = table(check(facts, NEEDS), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "fail" in text and "mmdebstrap" in text and "\x1b" not in text


def test_gather_takes_facts_from_the_engine() -> None:
    engine = FakeEngine(
        engine_info=replace(INFO, registry_mirrors=("https://mirror.lan:5000/",), memory_bytes=1)
    )
    asked: list[str] = []

    def reach(hosts: object) -> dict[str, str]:
        asked.extend(hosts)  # type: ignore[call-overload]
        return {}

    facts = find_facts(
        {"a": ["docker.io"], "b": ["docker.io"]},
        lambda: "/p",
        find_engine=lambda: engine,
        env={},
        reach=reach,
    )
    assert asked == ["docker.io", "mirror.lan:5000"]
    assert facts.engine_local and facts.available_memory == 1 and facts.host_python == "/p"


def test_gather_of_a_remote_engine_looks_at_no_local_disk() -> None:
    engine = FakeEngine(engine_info=replace(INFO, endpoint="ssh://far", root_dir="/"))
    facts = find_facts({}, lambda: None, find_engine=lambda: engine, env={}, reach=lambda _: {})
    assert not facts.engine_local and facts.free_disk is None and facts.governors == ()
    assert facts.available_memory == INFO.memory_bytes


def test_gather_without_an_engine() -> None:
    def nowhere() -> FakeEngine:
        raise HostError("none answers", "start one")

    facts = find_facts({}, lambda: None, find_engine=nowhere, env={}, reach=lambda _: {})
    assert facts.engine is None and facts.engine_remedy == "start one"
    assert not ready(check(facts, NEEDS))


def test_passwords_in_proxies_are_hidden() -> None:
    found = probes.proxies(
        {"https_proxy": "http://me:secret@p:1", "NO_PROXY": "a,b", "HTTP_PROXY": "", "X": "y"}
    )
    assert found == {"NO_PROXY": "a,b", "https_proxy": "http://***@p:1"}
    assert probes.proxies({"ALL_PROXY": "me:secret@p:1"}) == {"ALL_PROXY": "***@p:1"}
    every = dict.fromkeys((*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES)), "http://p:1")
    assert set(probes.proxies(every)) == set(every), "those that a build takes are all shown"


def test_ca_files(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("")
    own = str(tmp_path / "ca")
    env = {"PIP_CERT": own, "SSL_CERT_FILE": "/gone", "REQUESTS_CA_BUNDLE": "", "OTHER": own}
    assert list(probes.ca_files(dict.fromkeys(CA_VARIABLES, own))) == list(CA_VARIABLES)
    assert probes.ca_files(env) == {
        "SSL_CERT_FILE": ("/gone", False),
        "PIP_CERT": (own, True),
    }


def test_host_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = tmp_path / "version"
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\nGCC 12\n")
    assert probes.gpu_driver(version) == "550.54.15"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probes.gpu_driver(tmp_path / "none") is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 535.1.2\n")
    program.chmod(0o755)
    assert probes.gpu_driver(tmp_path / "none") == "535.1.2"
    assert probes.free_disk(str(tmp_path)) and probes.free_disk("/no/such/folder") is None


class Unauthorised(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_reachability(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = HTTPServer(("127.0.0.1", 0), Unauthorised)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    good = f"127.0.0.1:{server.server_port}"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        quiet = f"127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        found = reachability([good, "127.0.0.1:9", quiet], timeout_s=0.4)
        assert time.monotonic() - start < 5
    server.shutdown()
    server.server_close()
    assert found == {
        good: "",
        "127.0.0.1:9": "Connection refused",
        quiet: "no answer within 0.4 s",
    }
    assert reachability([]) == {}
