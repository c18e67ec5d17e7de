"""Sections of a report, as functions from the model to blocks; none without content."""
