"""The results folder of a session.

Here are the names of the files and folders in it.
"""

from __future__ import annotations

RUN_LOG = "runlog.jsonl"
REPORT, PAGE, RESULTS = "report.md", "report.html", "results.json"
PLOTS, EXPORTS = "plots", "formats"
CRATE = "ro-crate-metadata.json"
APPENDIX, APPENDIX_LATEX = "appendix.md", "appendix.tex"
ABLATION_REPORT, ABLATION_RESULTS = "explanation.md", "explanation.json"
SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
"""The signature of the sums, by somebody who vouches for them; the sums do not list it."""
GIT_ATTRIBUTES = ".gitattributes"
"""Keeps git from changing line ends, which would break the sums in a clone. The sums do not
list it, because programs that copy a folder may leave out hidden files."""
STUDY = "study"
"""The copy of the study."""
SBOMS = "sbom"
"""The bills of materials of the images."""
ABLATION = "explain"
"""The folder of the ablation session that explains the folder's session."""


def sbom_name(arm: str) -> str:
    """Return the file name of the bill of materials of an arm's image, in the folder ``SBOMS``."""
    return f"{arm}.cdx.json"
