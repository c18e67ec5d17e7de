"""Judging a session, purely: statistics, same work, verdicts, costs."""
