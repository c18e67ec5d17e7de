"""Reports of a judged session, as pure functions: one model, and every format made from it."""
