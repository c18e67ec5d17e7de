"""The contender: the built-in sum over a comprehension."""

import record


def work(workload):
    """Return the sum of the squares, added by ``sum``."""
    return sum([number * number for number in range(workload["numbers"])])


record.main(work)
