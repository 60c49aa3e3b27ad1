"""Every layer of module 2 keeps the layer contract."""

import inspect

import keras
import pytest

from course import m02_transformer
from tests.contract import assert_layer_contract
from tests.m02_transformer.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_layer_keeps_the_contract(name):
    """Values, shapes, config, saving, precision, masks, causality, gradients, dropout."""
    assert_layer_contract(CASES[name])


def test_every_layer_has_a_case():
    """A layer without a case would go untested."""
    exported = [getattr(m02_transformer, name) for name in m02_transformer.__all__]
    layers = {x for x in exported if inspect.isclass(x) and issubclass(x, keras.layers.Layer)}
    assert layers == {case.layer for case in CASES.values()}
