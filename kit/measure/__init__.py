"""Measuring: the engine runs the plan, the run log grows."""
