"""The Dockerfiles as text: every image that the builder leaves behind can be found."""

from __future__ import annotations

import re

import pytest

from kit.engine.protocol import LABEL
from kit.images.context import recipes

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
