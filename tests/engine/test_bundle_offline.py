"""A bundle, loaded where there is no network at all: a namespace without a route.

A second engine runs inside the namespace, with a store of its own, so that nothing
of the first one's can be found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundled import Saved

from kit.results.runlog import read_session

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1800)]

# $1 is the folder of the second engine, $2 the Python, $3 the bundle. The session ends as soon as
# a run in those images is over.
OFFLINE = r"""
set -eu
ip link set lo up
test -z "$(ip route)"
dockerd --data-root "$1/docker" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/sock" \
  --bridge none --iptables=false > "$1/log" 2>&1 &
engine=$!
trap 'kill $engine; wait $engine || true' EXIT
export DOCKER_HOST="unix://$1/sock"
for _ in $(seq 60); do
  "$2" -c "import docker; docker.from_env(timeout=5).ping()" 2>/dev/null && break
  sleep 1
done
"$2" -m kit bundle load "$3"
"$2" -m kit reproduce --allow-busy-host --arms python-cpu --seed 7 --out "$1/results" \
  2> "$1/session" &
session=$!
until grep "runs: block 1" "$1/session"; do kill -0 $session || cat "$1/session"; sleep 1; done
kill -TERM $session
wait $session && false || test $? = 130
"$2" -m kit build
"""


def _skip_unless_possible() -> None:
    missing = [name for name in ("unshare", "ip", "dockerd") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("a network namespace with an engine in it needs root")


@pytest.fixture
def offline() -> Iterator[Path]:
    """A folder for the second engine, with no overlay of it left mounted.

    A short path: the name of a socket below it may have 107 characters.
    """
    folder = Path(tempfile.mkdtemp(prefix="kit-"))
    yield folder
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((m for m in mounts if m.startswith(str(folder))), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def test_without_any_network_a_bundle_gives_the_same_images(offline: Path, bundle: Saved) -> None:
    _skip_unless_possible()
    home = {
        name: str(offline / name.lower()) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    }
    hidden = {"PYENV_ROOT": "/nonexistent", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "UV"))}
    for folder in home.values():
        Path(folder).mkdir()
    arguments = ["bash", str(offline), sys.executable, str(bundle.file)]
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", OFFLINE, *arguments],
        capture_output=True, text=True, check=False, env={**kept, **home, **hidden},
    )  # fmt: skip
    log = (offline / "log").read_text()[-2000:] if (offline / "log").exists() else ""
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log}"

    (results,) = (offline / "results").iterdir()
    session = read_session(results)
    assert [(entry.kind, entry.failure) for entry in session.entries] == [("identity", None)]
    header = session.header
    document = json.loads(subprocess.check_output(["tar", "-xOf", str(bundle.file), "bundle.json"]))
    assert len(document["images"]) > len(document["arms"])  # their bases too
    assert header.images["python-cpu"].image_id == document["arms"]["python-cpu"]
    python = next(row for row in header.fidelity if row.name == "python")
    assert "from a bundle made on" in python.why
    for image_id in document["arms"].values():
        assert image_id[:19] in done.stdout
