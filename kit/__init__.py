"""kit: a containerized reproducibility kit."""

__version__ = "0.2.0"
