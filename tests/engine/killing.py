"""Sessions of a tiny study that are killed at random moments and resumed.

    python tests/engine/killing.py --count 100 --seed 1

prints one line per session and the sums: sessions that are complete after resuming, runs
lost or made twice, containers and volumes left in the engine. It needs an engine.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kit.engine.discover import discover
from kit.engine.docker import DockerEngine
from kit.engine.protocol import LOCK_LABEL
from kit.host.locks import lock_namespace_id
from kit.results import RUN_LOG
from kit.results.runlog import read_session

KILLS_AT_MOST = 4
LIMIT_S = 600
CREATE_LATE_S = 1.0
"""A call that creates a container may come to its end so long after its caller."""


@dataclass(frozen=True)
class Killed:
    """What became of one session. ``left`` counts what killed commands left in between."""

    session: str
    kills: int
    left_between: int
    complete: bool
    lost: int
    doubled: int
    left: int
    verified: bool
    said: str

    @property
    def good(self) -> bool:
        """Whether nothing was lost, made twice or left."""
        return (self.complete, self.lost, self.doubled, self.left, self.verified) == (
            True, 0, 0, 0, True,
        )  # fmt: skip


def kit(*arguments: str) -> list[str]:
    """The command line of a kit command."""
    return [sys.executable, "-m", "kit", *arguments]


def remains(engine: DockerEngine) -> list[str]:
    """Containers and volumes of this machine's kits: of every session made here."""
    filters = {"label": f"{LOCK_LABEL}={lock_namespace_id()}"}
    client = engine._link.client
    containers = client.containers(all=True, quiet=True, filters=filters)
    volumes = client.volumes(filters=filters).get("Volumes") or ()
    return [*(c["Id"] for c in containers), *(v["Name"] for v in volumes)]


def killed_session(
    engine: DockerEngine, study: Path, out: Path, chance: random.Random, span_s: float
) -> Killed:
    """Start a session, kill it within ``span_s`` seconds, kill what resumes it, then let it end."""
    start = kit(
        "reproduce", "--study", str(study), "--out", str(out), "--allow-busy-host", "--quiet",
        "--blocks", "1", "--seed", str(chance.randrange(1000)),
    )  # fmt: skip
    kills = left_between = lost = 0
    folder: Path | None = None
    logged: tuple[str, ...] = ()
    said = ""
    while True:
        command = start if folder is None else kit(*_resume(folder))
        kill = kills < KILLS_AT_MOST and (kills == 0 or chance.random() < 0.5)
        code, said = _ended(command, chance.uniform(0.3, span_s) if kill else None)
        if code == -signal.SIGKILL:
            kills += 1
            time.sleep(CREATE_LATE_S)
            left_between += len(remains(engine))
        begun = [path.parent for path in out.glob(f"*/{RUN_LOG}") if b"\n" in path.read_bytes()]
        folder = begun[0] if begun else None
        if folder is not None:
            ids = tuple(entry.run_id for entry in read_session(folder).entries)
            lost += ids[: len(logged)] != logged
            logged = ids
        if code != -signal.SIGKILL:
            break
    assert folder is not None, said
    session = read_session(folder)
    planned = {run.run_id for run in session.header.plan.runs}
    made = Counter(entry.run_id for entry in session.entries)
    verified = subprocess.run(kit("verify", str(folder)), capture_output=True, check=False)
    return Killed(
        session=folder.name,
        kills=kills,
        left_between=left_between,
        complete=code == 0 and session.completed_run_ids() == planned,
        lost=lost + len(planned - session.completed_run_ids()),
        doubled=sum(count - 1 for count in made.values()),
        left=len(remains(engine)),
        verified=verified.returncode == 0,
        said=said if code else verified.stdout.decode(),
    )


def _resume(folder: Path) -> tuple[str, ...]:
    return "reproduce", "--resume", str(folder), "--allow-busy-host", "--quiet"


def _ended(command: list[str], after_s: float | None) -> tuple[int, str]:
    """The exit code and the output; killed after so many seconds if it has not ended by then."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            process.wait(LIMIT_S if after_s is None else after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            assert after_s is not None, f"{command}: not done within {LIMIT_S} s"
        said.seek(0)
        return process.returncode, said.read()


def main() -> None:
    """Kill so many sessions; one JSON line each, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    engine = discover()
    chance = random.Random(asked.seed)
    made: list[Killed] = []
    with tempfile.TemporaryDirectory() as scratch:
        study = Path(scratch) / "squares"
        subprocess.run(kit("new-study", str(study)), check=True, capture_output=True)
        begin = time.monotonic()
        whole = kit("reproduce", "--study", str(study), "--out", f"{scratch}/first",
                    "--allow-busy-host", "--quiet", "--blocks", "1")  # fmt: skip
        subprocess.run(whole, check=True, capture_output=True)
        begin = time.monotonic()
        subprocess.run(whole, check=True, capture_output=True)
        span_s = time.monotonic() - begin
        _print({"count": asked.count, "seed": asked.seed, "seconds of one": round(span_s, 1)})
        number = 0
        while len(made) < asked.count:
            number += 1
            begin = time.monotonic()
            one = killed_session(engine, study, Path(scratch) / str(number), chance, span_s)
            if not one.kills:
                # It was done before its moment came: the machine is quieter than it was.
                span_s = time.monotonic() - begin
                continue
            made.append(one)
            _print(vars(made[-1]) | {"said": "" if made[-1].good else made[-1].said[-2000:]})
    _print({
        "sessions": len(made),
        "kills": sum(one.kills for one in made),
        "left by kills": sum(one.left_between for one in made),
        "complete and verified": sum(one.complete and one.verified for one in made),
        "runs lost": sum(one.lost for one in made),
        "runs doubled": sum(one.doubled for one in made),
        "containers or volumes left": sum(one.left for one in made),
    })  # fmt: skip
    sys.exit(0 if all(one.good for one in made) else 1)


def _print(document: object) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main()
