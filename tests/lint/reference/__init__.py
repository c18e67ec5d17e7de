"""The pages of the reference, generated from the code: commands, formats, exit codes and errors."""

from __future__ import annotations

from .commands import commands
from .errors import errors
from .formats import formats

PAGES = {"cli.md": commands, "formats.md": formats, "errors.md": errors}
"""Name of each page in docs/ and the function that returns its text."""
