"""What the simulations of `tests/method` compute for many sessions is what the judge computes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support import rows

from kit.judge import sensitivity
from kit.judge.statistics import estimate


@pytest.mark.parametrize("blocks", [2, 6, 17])
def test_rows_have_the_numbers_of_the_judge(blocks):
    logs = np.random.default_rng(blocks).normal(0.01, 0.02, (4, blocks))
    found = zip(
        logs.tolist(),
        *rows.intervals(logs),
        rows.paired_t_pvalues(logs),
        rows.tost_pvalues(logs),
        strict=True,
    )
    for row, low, high, t_pvalue, tost_pvalue in found:
        bounds = estimate("mean", [(math.exp(log), 1.0) for log in row]).ratio_interval
        assert (low, high) == pytest.approx((math.log(bounds.low), math.log(bounds.high)))
        assert t_pvalue == pytest.approx(sensitivity.paired_t_pvalue(row))
        assert tost_pvalue == pytest.approx(sensitivity.tost_pvalue(row))
