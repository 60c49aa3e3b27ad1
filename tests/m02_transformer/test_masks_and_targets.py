"""Masks and the shifted target, on paper."""

import numpy as np

from course.m02_transformer import (
    causal_mask,
    combine_masks,
    cross_mask,
    decoder_mask,
    padding_mask,
    shift_right,
)
from tests.contract import numpy

ids = np.array([[7, 3, 0], [2, 0, 5]])


def same(got, expected):
    """Equal values, and boolean where the expected values are."""
    got, expected = numpy(got), np.array(expected)
    assert got.dtype.kind == expected.dtype.kind
    np.testing.assert_array_equal(got, expected)


def test_padding_mask_is_true_at_tokens():
    """Id 0 is padding wherever it stands."""
    same(padding_mask(ids), [[True, True, False], [True, False, True]])


def test_causal_mask_is_a_lower_triangle():
    """Row i allows columns 0 to i, its own included."""
    same(causal_mask(3), [[True, False, False], [True, True, False], [True, True, True]])


def test_decoder_mask_is_causal_and_hides_padding():
    """Padding hides a column, not a row."""
    first = [[True, False, False], [True, True, False], [True, True, False]]
    second = [[True, False, False], [True, False, False], [True, False, True]]
    same(decoder_mask(ids), [first, second])


def test_cross_mask_has_one_row_for_every_query():
    """Its query axis broadcasts."""
    same(cross_mask(ids), [[[True, True, False]], [[True, False, True]]])


def test_combined_masks_allow_what_all_allow():
    """None counts as True everywhere, and ints as booleans."""
    got = combine_masks(None, np.array([1, 0, 1]), np.array([[True], [False]]))
    same(got, [[True, False, True], [False, False, False]])
    same(combine_masks(np.array([1, 0, 2])), [True, False, True])
    assert combine_masks(None, None) is None


def test_shift_right_puts_the_start_first_and_drops_the_last():
    """The length and the dtype stay."""
    shifted = numpy(shift_right(ids.astype("int32"), 9))
    np.testing.assert_array_equal(shifted, [[9, 7, 3], [9, 2, 0]])
    assert shifted.dtype == np.int32
