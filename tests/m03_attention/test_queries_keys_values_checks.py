"""What the checks of lab 3 say where a score is wrong: the place is [query, key]."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks.m03_attention import lab3_queries_keys_values as checks
from autograder.exercise import find


@pytest.mark.parametrize("name", ["previous_token_kernels", "induction_kernels"])
def test_a_wrong_score_is_named_by_query_and_key(name):
    """Kernels without sharpness: the largest error stands where a place should find its match."""
    blunt = {
        "previous_token_kernels": checks.blunt,
        "induction_kernels": lambda *sizes: checks.induction_kernels(*sizes[:2], 1.0),
    }[name]
    lab = SimpleNamespace(**{name: blunt})
    case = find(f"m03_attention.{name}").cases[0]
    for wrong in case.function(lab, np.random.default_rng(0)):
        assert not wrong.passed
        query, key = re.fullmatch(r".* at \[(\d+), (\d+)\]", wrong.got).groups()
        assert int(key) <= int(query)
        assert "scores [query, key]" in wrong.problem
