"""The Dockerfiles as text: every image that the builder leaves behind can be found."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from kit.engine.protocol import LABEL
from kit.images.build.recipe import recipes

DOCKERFILES = sorted(recipes().rglob("*Dockerfile"))
_FROM = re.compile(r"FROM (\S+)(?: AS (\S+))?$")


def stages(text: str) -> list[tuple[str, str | None, str]]:
    """Base, name and first instruction of every stage."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        match = _FROM.match(line)
        if match:
            found.append((match[1], match[2], following))
    return found


def test_there_are_stages_to_look_at() -> None:
    assert len(DOCKERFILES) == 5
    assert sum(len(stages(path.read_text())) for path in DOCKERFILES) > 10


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_every_stage_begins_with_the_kits_label_or_inherits_it(path, variant: str) -> None:
    labelled: set[str | None] = set()
    for base, name, first in stages(path.read_text()):
        inherits = base.replace("${VARIANT}", variant) in labelled
        assert inherits or first == f"LABEL {LABEL}=kit", f"FROM {base}"
        labelled.add(name)


def step_of(stage: str, text: str) -> str:
    """The shell command of the only RUN in a stage."""
    _, _, after = text.partition(f" AS {stage}\n")
    (command,) = re.findall(r"^RUN ((?:.*\\\n)*.*)$", after.partition("\nFROM ")[0], re.MULTILINE)
    return command


DOTNET = """#!/bin/sh
mkdir -p {top}/executable
echo "$SAID"
[ -z "$SAID" ]
"""


@pytest.mark.parametrize(
    "said, kind",
    [
        ("", "self-contained"),
        ("error NU1101: Unable to find package Microsoft.NETCore.App.Runtime", "apphost"),
        ("Program.cs(1,1): error CS0103: no such name", None),
        ("error NETSDK1045: the SDK does not know it", None),
        ("error NU1005: a lock file without its property", None),
        ("error NU1403: Package content hash validation failed for Keras.NET.3.8.5", None),
        ("error NU3008: The package integrity check failed", None),
    ],
)
def test_only_a_missing_package_makes_the_executable_another_kind(
    tmp_path: Path, said: str, kind: str | None
) -> None:
    top = tmp_path
    command = step_of("published", (recipes() / "dotnet" / "Dockerfile").read_text())
    command = re.sub(r"(?<=[ =])/(?=src|said|executable|beside|program|usr)", f"{top}/", command)
    for folder in ("bin", "program", "usr/share/dotnet/host"):
        (top / folder).mkdir(parents=True)
    (top / "usr/share/dotnet/shared/Microsoft.NETCore.App").mkdir(parents=True)
    (top / "bin" / "dotnet").write_text(DOTNET.format(top=top))
    (top / "bin" / "dotnet").chmod(0o755)
    env = {"PATH": f"{top}/bin:{os.environ['PATH']}", "SAID": said}
    done = subprocess.run(
        ["sh", "-c", command], env=env, capture_output=True, text=True, check=False
    )
    assert said in done.stdout
    assert (done.returncode == 0) is (kind is not None), done.stderr
    if kind is not None:
        assert (top / "executable" / "KIND").read_text() == f"{kind}\n"
