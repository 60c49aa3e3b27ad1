"""Every layer of module 3 keeps the layer contract."""

import inspect

import keras
import pytest

from course import m03_attention
from tests.contract import assert_layer_contract
from tests.m03_attention.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_layer_keeps_the_contract(name):
    """Values, shapes, config, saving, precision, masks, causality, gradients, dropout."""
    assert_layer_contract(CASES[name])


def test_every_layer_has_a_case():
    """A layer without a case would go untested."""
    exported = [getattr(m03_attention, name) for name in m03_attention.__all__]
    layers = {x for x in exported if inspect.isclass(x) and issubclass(x, keras.layers.Layer)}
    assert layers == {case.layer for case in CASES.values()}
