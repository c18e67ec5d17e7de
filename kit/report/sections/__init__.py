"""Sections of a report: each takes the model and returns blocks, none where it has no content."""
