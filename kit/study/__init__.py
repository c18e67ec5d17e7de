"""The study that kit checks: its files, their typed form and their checks."""
