"""Every command that the documentation shows, run in its order by a user of an empty folder.

Most run for real, with a small study. Those that differ by an option alone run as they are shown,
with the shipped study, on a made-up engine: ``fakes.command``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.bundled import Saved
from support.documented import BUNDLE, GPU, SHOWN, copy_checkout
from support.packages import install

from kit.engine.docker import DockerEngine

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1800)]
TESTS = str(Path(__file__).parents[1])
LIGHT = "--study squares --allow-busy-host --blocks 1"
"""The small study that `kit new-study` makes, and little of it, whatever else the machine does."""


SHARD = "--study squares --allow-busy-host"
MADE_UP = "--allow-busy-host --out made_up"
PROGRAM = """
import sys
from pathlib import Path
from fakes.command import main
Path("gate").touch()
sys.exit(main(Path(), Path("gate"), sys.argv[2:]))
"""
"""``kit`` on an engine that is made up."""


@dataclass(frozen=True)
class Step:
    """A command as it is shown, and what the test adds to it."""

    shown: str
    more: str = ""
    exits: tuple[int, ...] = (0,)
    says: str = ""
    checkout: bool = False
    """Run in a copy of this checkout, whose pins it may change."""
    made_up: bool = False
    """Run on a made-up engine, as it is shown."""


STEPS = (
    Step("kit setup"),
    Step("kit doctor", says="engine"),
    Step("kit new-study FOLDER"),
    Step("kit new-study squares"),
    Step("kit reproduce --study squares --budget quick", "--allow-busy-host", says="built-in sum"),
    Step(
        "kit reproduce --study FOLDER",
        "--allow-busy-host --blocks 2 --out other",
        says="built-in sum",
    ),
    Step("kit reproduce", f"{LIGHT} --out plain", says="Same work: passed"),
    Step("kit reproduce --budget quick", MADE_UP, says="over 3 blocks", made_up=True),
    Step("kit reproduce --budget standard", MADE_UP, says="6 of at most 25", made_up=True),
    Step("kit reproduce --mirror registry.example/hub", MADE_UP, says="Holds", made_up=True),
    Step("kit reproduce --set nuget_source=packages", MADE_UP, says="Holds", made_up=True),
    Step("kit judge DIR", says="C1"),
    Step("kit report DIR", says="report.md"),
    Step("kit verify DIR"),
    Step("kit diff A B", says="C1"),
    Step("kit verify-image DIR"),
    Step("kit verify-image results/SESSION"),
    Step("kit ablate DIR", "--blocks 2 --allow-busy-host"),
    Step("kit appendix DIR", says="appendix"),
    Step("kit sign DIR --key KEY", says="SHA256SUMS.sig"),
    Step(
        "kit verify DIR --signer alice@example.org --allowed-signers SIGNERS",
        says="signed by alice@example.org",
    ),
    Step("kit matrix --runner ubuntu-24.04 --shards 2 --blocks 6", says='"shard": "2/2"'),
    Step("kit matrix --gpu-runner LABEL", says="LABEL"),
    Step("kit reproduce --blocks 6 --seed 7 --shard 1/2", f"{SHARD} --out shards/1"),
    Step("kit reproduce --blocks 6 --seed 7 --shard 2/2", f"{SHARD} --out shards/2"),
    Step("kit merge SHARD SHARD", "--out gathered", says="6 blocks"),
    Step("kit build", says="dotnet-cpu"),
    Step("kit bundle save FILE"),
    Step("kit bundle save kit.bundle"),
    Step("kit bundle load FILE"),
    Step("kit bundle load kit.bundle"),
    Step("kit lock --check", exits=(0, 4)),
    # All images would go, while other tests need them; test_clean_store.py removes some.
    Step("kit clean --dry-run"),
    # 4: no registry in reach, or an index that no longer has a wheel; pins stay as they were.
    Step("kit lock", exits=(0, 4), checkout=True),
    # There is such a file after an exact build only; tests/unit/test_pins_lock.py reads one.
    Step("kit lock --nuget-lock packages.lock.json", exits=(2,), checkout=True),
    # Of the two arms the one that holds what the other one holds, and more.
    Step("kit build --check-reproducible", "--arms dotnet-cpu", says="same"),
    Step(
        "kit reproduce --install-engine --budget quick",
        f"{SHARD} --out plain",
        says="Same work: passed",
    ),
)


@dataclass
class Place:
    """An empty folder, with what the commands so far made in it."""

    folder: Path
    done: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def filled(self, shown: str) -> str:
        """The command with real names where the pages have a placeholder."""
        names = {
            "FOLDER": "squares", "FILE": "kit.bundle", "DIR": self._session("results"),
            "results/SESSION": self._session("results"), "A": self._session("results"),
            "B": self._session("other"), "KEY": "key", "SIGNERS": "signers",
        }  # fmt: skip
        shards = iter((self._session("shards/1"), self._session("shards/2")))
        words = [next(shards) if word == "SHARD" else word for word in shown.split()]
        return shlex.join(names.get(word, word) for word in words)

    def run(
        self, command: str, below: str = "", made_up: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run it once, though two pages show it."""
        if command not in self.done:
            program, path = (["-c", PROGRAM], {"PYTHONPATH": TESTS}) if made_up else (["-m"], {})
            self.done[command] = subprocess.run(
                [sys.executable, *program, *shlex.split(command)], cwd=self.folder / below,
                text=True, capture_output=True, check=False,
                env={**os.environ, "COLUMNS": "80", **path},
            )  # fmt: skip
        return self.done[command]

    def _session(self, where: str) -> str:
        made = sorted((self.folder / where).glob("*/runlog.jsonl"))
        return str(made[0].parent.relative_to(self.folder)) if made else f"no session in {where}"


@pytest.fixture(scope="module")
def place(
    engine: DockerEngine, bundle: Saved, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("user")
    (folder / "packages").mkdir()
    (folder / "packages" / "keras.net.3.8.5.nupkg").touch()
    if shutil.which("ssh-keygen") is None:
        install("openssh-client")
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (folder / "signers").write_text(f"alice@example.org {key.with_suffix('.pub').read_text()}")
    copy_checkout(folder / "checkout")
    os.link(bundle.file, folder / "kit.bundle")
    made = Place(folder)
    made.done[made.filled("kit bundle save FILE")] = bundle.saved
    yield made
    (folder / "kit.bundle").unlink(missing_ok=True)


def is_a_name(command: str) -> bool:
    """`kit verify` in a sentence names the command, whose use is shown elsewhere."""
    return any(other.startswith(f"{command} ") for other in (step.shown for step in STEPS))


def test_every_command_that_is_shown_is_a_step() -> None:
    steps = {GPU, *(step.shown for step in STEPS)}
    assert [c for _, c in SHOWN if c not in steps and not is_a_name(c)] == []
    # One is there for `kit merge`, which the pages show with both shards made.
    shown = {command for _, command in SHOWN} | {"kit reproduce --blocks 6 --seed 7 --shard 2/2"}
    assert steps - shown == set()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.shown)
def test_it_does_what_the_page_says(place: Place, step: Step) -> None:
    command = f"{place.filled(step.shown)} {step.more}".strip()
    # The interpreter takes the package `kit` from the folder it is started in.
    done = place.run(command, "checkout" if step.checkout else "", step.made_up)
    assert done.returncode in step.exits, f"{command}\n{done.stdout}{done.stderr}"
    # Where a line is broken depends on the numbers in it.
    assert step.says in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_a_bundle_installs_as_the_page_says(place: Place, tmp_path: Path) -> None:
    shutil.copy(place.folder / "kit.bundle", tmp_path)
    BUNDLE.run(tmp_path)
    (tmp_path / "kit.bundle").unlink()
