"""Measuring: run the plan on the engine and append to the run log."""
