"""Renderers of documents (``kit.report.document``), one per format.

Each cleans every string (``kit.report.text``) and escapes it for its format.
"""
