"""Setup on made-up machines: what it installs, starts, records and ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.engine import FakeEngine
from fakes.machine import BOOT, UBUNTU, FakeMachine

from kit.errors import HostError
from kit.host.facts import parse_os_release
from kit.host.process import CommandResult
from kit.host.setup import daemon, ensure_bootstrap_tools
from kit.host.setup import setup as set_up
from kit.host.setup.apt import distro_of, install_remedy, reason
from kit.host.setup.machine import RealMachine

RECORD = Path("/state/kit/engine.json")
NO_CANDIDATE = CommandResult(0, "docker.io:\n  Candidate: (none)\n")


@dataclass
class Find:
    """No engine for the first ``after`` looks; on a machine, only while dockerd lives."""

    after: int = 1
    machine: FakeMachine | None = None
    looks: int = 0
    said: list[str] = field(default_factory=list)

    def __call__(self) -> FakeEngine:
        self.looks += 1
        if self.looks <= self.after or (self.machine is not None and not self.machine.alive):
            raise HostError("no container engine answers: none", "run `kit setup`")
        return FakeEngine()


def go(machine: FakeMachine, find: Any = None, **options: Any) -> list[str]:
    said: list[str] = []
    find = Find(machine=machine) if find is None else find
    set_up(said.append, machine=machine, find=find, **options)
    return said


def installs(machine: FakeMachine) -> list[str]:
    return [line for line in machine.commands if " install " in line]


def test_an_engine_that_answers_is_left_alone() -> None:
    machine = FakeMachine()
    assert go(machine, Find(after=0)) == ["an engine answers at unix:///fake.sock: nothing to do"]
    assert machine.commands == [] and machine.spawned == [] and RECORD not in machine.files


def test_bare_machine_gets_an_engine() -> None:
    machine = FakeMachine()
    said = go(machine)
    (line,) = installs(machine)
    assert line.endswith("install --no-install-recommends -y docker.io iptables")
    assert not any("update" in command for command in machine.commands), "lists are there"
    environment = machine.environments[machine.commands.index(line)]
    assert environment["DEBIAN_FRONTEND"] == "noninteractive" and environment["RUNLEVEL"] == "1"
    assert machine.spawned == ["dockerd"]
    record = json.loads(machine.files[RECORD])
    assert record == {
        "method": "dockerd",
        "process": {"pid": 100, "started": 5100, "boot": BOOT},
    }
    assert said[-1] == "an engine answers at unix:///fake.sock"


def test_package_lists_are_refreshed_only_if_needed() -> None:
    machine = FakeMachine(answers={"apt-cache policy docker.io": NO_CANDIDATE})
    go(machine)
    assert sum("update" in command for command in machine.commands) == 1


def test_stale_lists_are_refreshed_once() -> None:
    results = [CommandResult(100, "Err:1 http://x\n  404  Not Found\nE: Failed to fetch http://x")]
    machine = FakeMachine(programs={"iptables"})

    def install() -> CommandResult:
        if results:
            return results.pop(0)
        machine.programs.add("dockerd")
        return CommandResult(0, "")

    machine.answers["-y docker.io"] = install
    go(machine)
    assert len(installs(machine)) == 2
    assert sum("update" in command for command in machine.commands) == 1


def test_failed_installation_names_the_reason() -> None:
    failure = CommandResult(
        100, "Reading...\nE: Unable to correct problems, you have held broken packages."
    )
    with pytest.raises(HostError) as caught:
        go(FakeMachine(answers={" install ": failure}))
    assert "held broken packages" in caught.value.problem
    assert "apt-get install docker.io" in caught.value.remedy
    with pytest.raises(HostError, match="package lists could not be refreshed: E: no net"):
        go(
            FakeMachine(
                answers={
                    "apt-cache policy": NO_CANDIDATE,
                    "update": CommandResult(100, "E: no net"),
                }
            )
        )


def test_installed_but_stopped_is_only_started() -> None:
    machine = FakeMachine(programs={"dockerd", "iptables"})
    go(machine)
    assert installs(machine) == [] and machine.spawned == ["dockerd"]


def test_systemd_starts_it_where_it_runs() -> None:
    machine = FakeMachine(systemd=True, programs={"dockerd", "iptables"})
    find = Find(after=2)
    go(machine, find)
    assert machine.commands == ["systemctl start docker"] and machine.spawned == []
    assert json.loads(machine.files[RECORD]) == {"method": "systemd"}
    assert go(machine, stop=True) == ["stopped docker by systemd"]
    assert machine.commands[-1] == "systemctl stop docker.service docker.socket"
    assert RECORD not in machine.files


def test_a_service_that_apt_started_is_not_ours() -> None:
    machine = FakeMachine(systemd=True)
    go(machine, Find(after=1))
    assert "RUNLEVEL" not in machine.environments[-1]
    assert RECORD not in machine.files and machine.spawned == []
    assert "nothing to do" in go(machine, stop=True)[-1]


def test_systemd_failure_shows_the_journal() -> None:
    machine = FakeMachine(
        systemd=True,
        programs={"dockerd", "iptables"},
        answers={
            "systemctl start": CommandResult(1, "Job failed"),
            "journalctl": CommandResult(0, "x\ndockerd: failed to start daemon: no iptables\ny"),
        },
    )
    with pytest.raises(HostError, match="failed to start daemon: no iptables"):
        go(machine, Find(after=9))


def test_dockerd_that_dies_shows_its_log() -> None:
    log = "starting\nfailed to start daemon: Error initializing network controller: iptables\n"
    machine = FakeMachine(
        programs={"dockerd", "iptables"}, daemon_lives=False, daemon_log=log + "bye\n"
    )
    with pytest.raises(HostError, match="network controller: iptables") as caught:
        go(machine)
    assert "/state/kit/dockerd.log" in caught.value.remedy
    assert RECORD not in machine.files


def test_dockerd_that_never_answers_is_ended() -> None:
    machine = FakeMachine(programs={"dockerd", "iptables"}, daemon_log="waiting for containerd\n")
    with pytest.raises(HostError, match="did not answer within 60 s: waiting for containerd"):
        go(machine, Find(after=10**6))
    assert machine.signals == [(100, signal.SIGTERM)] and machine.alive == {}
    assert machine.clock < 70


def test_dead_docker_host_installs_nothing() -> None:
    machine = FakeMachine(environment={"DOCKER_HOST": "tcp://far:2376"})
    with pytest.raises(HostError, match="nothing was installed here"):
        go(machine)
    assert machine.commands == [] and machine.spawned == []


@pytest.mark.parametrize(
    ("machine", "remedy"),
    [
        (FakeMachine(root=False), "sudo kit setup"),
        (FakeMachine(os_release="ID=fedora\n"), "run: dnf install moby-engine"),
        (FakeMachine(os_release="ID=rocky\nID_LIKE='rhel centos fedora'\n"), "dnf install"),
        (FakeMachine(os_release="ID=fedora\n", root=False), "sudo dnf install moby-engine && sudo"),
        (FakeMachine(os_release="ID=arch\n"), "pacman -S docker"),
        (FakeMachine(os_release='ID="opensuse-leap"\nID_LIKE="suse opensuse"\n'), "zypper"),
        (FakeMachine(os_release="ID=alpine\n"), "apk add docker"),
        (FakeMachine(os_release="ID=unheard-of\n"), "install Docker"),
        (FakeMachine(os_release=""), "install Docker"),
        (FakeMachine(kernel="Darwin"), "Docker Desktop"),
    ],
)
def test_other_systems_are_told_what_to_install(machine: FakeMachine, remedy: str) -> None:
    with pytest.raises(HostError) as caught:
        go(machine)
    assert remedy in caught.value.remedy
    assert "no container engine answers" in caught.value.problem
    assert machine.commands == [] and machine.spawned == []


def test_stop_ends_what_was_started_and_its_containerd() -> None:
    machine = FakeMachine()
    go(machine)
    machine.alive[101] = 9
    machine.family[100] = {101: "containerd", 102: "docker-proxy"}
    assert go(machine, stop=True) == ["ended dockerd (pid 100)"]
    assert machine.signals == [(100, signal.SIGTERM)] and machine.alive == {}
    assert RECORD not in machine.files
    assert go(machine, stop=True) == ["no engine that kit started is running: nothing to do"]


def test_stop_of_a_stubborn_one_kills_it_and_its_containerd() -> None:
    machine = FakeMachine()
    go(machine)
    machine.alive[101] = 9
    machine.family[100] = {101: "containerd"}
    machine.ignores_term = {100, 101}
    go(machine, stop=True)
    assert machine.signals == [
        (100, signal.SIGTERM),
        (100, signal.SIGKILL),
        (101, signal.SIGKILL),
    ]


@pytest.mark.parametrize(
    "process",
    [
        {"pid": 100, "started": 4, "boot": BOOT},
        {"pid": 100, "started": 5100, "boot": "another boot"},
    ],
)
def test_a_recycled_pid_is_never_killed(process: dict[str, object]) -> None:
    machine = FakeMachine()
    machine.alive[100] = 5100
    machine.files[RECORD] = json.dumps({"method": "dockerd", "process": process})
    go(machine, stop=True)
    assert machine.signals == [] and RECORD not in machine.files


@pytest.mark.parametrize("text", ["", "{", "[]", '{"method": "dockerd", "process": {"pid": 1}}'])
def test_a_broken_record_ends_nothing(text: str) -> None:
    machine = FakeMachine()
    machine.alive[1] = 1
    machine.files[RECORD] = text
    go(machine, stop=True)
    assert machine.signals == []


def bootstrap(machine: FakeMachine) -> list[str]:
    ensure_bootstrap_tools(lambda _: None, machine=machine)
    return installs(machine)


def test_bootstrap_tools() -> None:
    assert bootstrap(FakeMachine(programs={"mmdebstrap"})) == []
    (line,) = bootstrap(FakeMachine())
    assert line.endswith("-y mmdebstrap")
    (line,) = bootstrap(FakeMachine(os_release=UBUNTU))
    assert line.endswith("-y mmdebstrap debian-archive-keyring")
    has_keys = {"dpkg-query": CommandResult(0, "install ok installed")}
    assert bootstrap(FakeMachine(UBUNTU, programs={"mmdebstrap"}, answers=has_keys)) == []
    with pytest.raises(HostError) as caught:
        bootstrap(FakeMachine(root=False))
    assert caught.value.remedy.startswith("run: sudo apt-get install")
    with pytest.raises(HostError, match="Fedora"):
        bootstrap(FakeMachine(os_release="ID=fedora\nPRETTY_NAME=Fedora\n"))


def test_os_release_lines() -> None:
    assert parse_os_release("#c\nA=b\nC='d e'\nbroken\nX='open\n") == {"A": "b", "C": "d e"}
    assert distro_of(FakeMachine(os_release=UBUNTU)).family == "debian"
    remedy = install_remedy(distro_of(FakeMachine()), is_root=False)
    assert "sudo apt-get update && sudo apt-get install" in remedy


def test_reasons() -> None:
    assert reason("a\nE: one\nb\nE: two\n") == "E: one; E: two"
    assert reason("") == "no output"
    assert daemon.why_it_failed("") == "its log is empty"
    assert daemon.why_it_failed("a\nb\nc\nd") == "b | c | d"


@pytest.mark.slow
def test_real_machine_ends_exactly_one_process(tmp_path: Path) -> None:
    machine = RealMachine()
    pid = machine.spawn([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log")
    process = daemon.identify(machine, pid)
    assert process is not None and process.boot and daemon.is_alive(machine, process)
    assert os.getsid(pid) == pid, "in a session of its own"
    other = daemon.DaemonProcess(pid, process.started + 1, process.boot)
    assert not daemon.end(machine, other) and daemon.is_alive(machine, process)
    start = time.monotonic()
    assert daemon.end(machine, process) and not daemon.end(machine, process)
    assert time.monotonic() - start < 5


def test_real_machine_commands_and_files(tmp_path: Path) -> None:
    machine = RealMachine()
    assert machine.run(["sh", "-c", "echo $X; echo e >&2; exit 3"], 5, {"X": "y"}) == CommandResult(
        3, "y\ne\n"
    )
    assert machine.run(["no-such-program"], 5, {}).code == 127
    assert machine.run(["sleep", "5"], 0.1, {}).code == 124
    path = tmp_path / "a" / "b"
    machine.write(path, "text")
    assert machine.read(path) == "text" and list(path.parent.iterdir()) == [path]
    machine.remove(path)
    machine.remove(path)
    assert machine.read(path) is None and not machine.exists(path)
    machine.kill(2**22 - 1, signal.SIGTERM)
    assert machine.which("sh") and machine.which("no-such-program") is None
