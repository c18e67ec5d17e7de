"""Write the generated pages of the reference to docs/: ``python -m tests.lint.reference``."""

from pathlib import Path

from . import PAGES

for name, page in PAGES.items():
    (Path(__file__).parents[3] / "docs" / name).write_text(page(), encoding="utf-8")
