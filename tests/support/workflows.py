"""The action, the workflows, and the one that the documentation shows."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def loaded(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def steps_of(path: Path) -> list[dict]:
    """The steps of an action, or of all jobs of a workflow."""
    document = loaded(path)
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


def step_of(path: Path, name: str) -> dict:
    """The one step of that name."""
    (found,) = (step for step in steps_of(path) if step.get("name") == name)
    return found


def matrix_to_copy() -> str:
    """The one whole workflow on the page about GitHub."""
    page = (ROOT / "docs" / "github.md").read_text()
    blocks = re.findall(r"^```yaml\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if block.startswith("name:"))
    return found
