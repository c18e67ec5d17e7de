"""Properties of the judge that `tests/unit` tries with a few examples, with hundreds."""

from __future__ import annotations

import pytest
from hypothesis import settings
from unit import test_judge_unrelated_data as unrelated
from unit import test_judge_words as words

PROPERTIES = {
    words.test_a_wider_interval_around_the_same_estimate_never_gives_a_better_word: 100,
    words.test_a_wider_interval_never_gives_a_better_word_to_a_claim_of_equality: 100,
    words.test_reproduced_is_said_only_where_the_whole_interval_lies_within_the_band: 100,
    unrelated.test_an_arm_of_another_stack_or_variant_changes_nothing: 30,
    unrelated.test_another_variant_changes_nothing: 30,
    unrelated.test_a_run_of_another_role_changes_nothing: 30,
    unrelated.test_a_try_that_failed_changes_nothing: 30,
    unrelated.test_a_block_without_its_partner_changes_nothing: 30,
}


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_it_holds_for_hundreds_of_sessions(holds):
    settings(max_examples=PROPERTIES[holds], derandomize=True)(holds)()
