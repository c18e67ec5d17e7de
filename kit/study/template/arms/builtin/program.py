"""The contender: the built-in sum over a comprehension."""

import record


def work(workload):
    """Sum of the squares, all at once."""
    return sum([number * number for number in range(workload["numbers"])])


record.main(work)
