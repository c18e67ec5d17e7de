"""Pure judgement of a session: statistics, same work, verdicts, costs."""
