"""The steps of each command, in order; callers pass in the engine, host and pins."""
