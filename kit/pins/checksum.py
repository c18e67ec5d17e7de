"""The seal of a generated file: a hash over its own content, so that edits are seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FIELD = "content_sha256"


def seal_of(document: Mapping[str, Any]) -> str:
    """sha256 of the document without its seal, as canonical JSON (sorted, compact)."""
    content = {key: value for key, value in document.items() if key != FIELD}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its seal."""
    return {**document, FIELD: seal_of(document)}


def is_whole(document: Mapping[str, Any]) -> bool:
    """Whether the seal fits the content."""
    return document.get(FIELD) == seal_of(document)
