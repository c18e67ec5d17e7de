"""Prints the verdicts of a results.json: claim, variant and words of each, separated by tabs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OTHERS = ("training_claims", "executable", "consistency")


def rows(results: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield claim, variant ("-" for a claim on none) and words of each verdict, in its order."""
    for measured in results["variants"]:
        for verdict in measured["verdicts"]:
            yield verdict["claim"], measured["variant"], verdict["printed"]
    for kind in OTHERS:
        for verdict in results[kind]:
            words = verdict.get("printed", verdict["word"])  # arithmetic is never indicative
            yield verdict["claim"], "-", words


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.writelines("\t".join(row) + "\n" for row in rows(found))
