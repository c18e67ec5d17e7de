"""kit: a containerized reproducibility kit."""

__version__ = "0.1.0"
