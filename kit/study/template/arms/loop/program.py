"""The baseline: a loop."""

import record


def work(workload):
    """Sum of the squares, number by number."""
    total = 0
    for number in range(workload["numbers"]):
        total += number * number
    return total


record.main(work)
