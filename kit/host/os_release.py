"""The os-release file of this machine, or of an image."""

from __future__ import annotations

import shlex


def parse_os_release(text: str) -> dict[str, str]:
    """Return the unquoted values by NAME; malformed lines are skipped."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            fields[name] = " ".join(shlex.split(value))
        except ValueError:
            continue
    return fields
