"""The name of every file and folder in a results folder."""

from __future__ import annotations

RUN_LOG = "runlog.jsonl"
REPORT, PAGE, RESULTS = "report.md", "report.html", "results.json"
PLOTS, EXPORTS = "plots", "formats"
CRATE = "ro-crate-metadata.json"
APPENDIX, APPENDIX_LATEX = "appendix.md", "appendix.tex"
ABLATION_REPORT, ABLATION_RESULTS = "explanation.md", "explanation.json"
SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
"""Of the sums, by somebody who vouches for them; it is not one of the files summed."""
GIT_ATTRIBUTES = ".gitattributes"
"""Keeps git from changing line ends: a clone would no longer match the sums. It is not one of
the files summed, for what copies a folder may leave hidden files out."""
STUDY = "study"
"""The copy of the study."""
SBOMS = "sbom"
"""The bills of materials of the images."""
ABLATION = "explain"
"""A session beside the one of the folder, which it explains."""


def sbom_name(arm: str) -> str:
    """Return the file name of an arm's bill of materials, below ``SBOMS``."""
    return f"{arm}.cdx.json"
