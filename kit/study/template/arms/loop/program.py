"""The baseline: a loop."""

import record


def work(workload):
    """Return the sum of the squares, added one by one in a loop."""
    total = 0
    for number in range(workload["numbers"]):
        total += number * number
    return total


record.main(work)
