"""Reports of a judged session, purely: one model, every format from it."""
