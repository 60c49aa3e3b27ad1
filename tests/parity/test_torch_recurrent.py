"""The same weights in PyTorch's recurrent layers give the same output, to 1e-5."""

import keras
import numpy as np
import pytest

from course import m01_sequence_models as m01
from tests.contract import close, fill, numpy

pytestmark = pytest.mark.parity

B, T, E, H = 2, 5, 7, 11
x = np.random.default_rng(0).normal(size=(B, T, E)).astype("float32")


@pytest.fixture(scope="module")
def torch():
    """Import here: a missing PyTorch is an error of these tests, not a skip."""
    import torch

    with torch.no_grad():
        yield torch


def cut(array, order):
    """Put the gates on the last axis in another order."""
    gates = np.split(array, len(order), axis=-1)
    return np.concatenate([gates[i] for i in order], axis=-1)


@pytest.mark.parametrize(
    ("cell", "name", "order"),
    [
        (m01.SimpleRNNCell, "RNN", (0,)),
        (m01.LSTMCell, "LSTM", (0, 1, 2, 3)),
        (m01.GRUCell, "GRU", (1, 0, 2)),  # reset before update
    ],
)
def test_recurrent_layer(torch, cell, name, order):
    """PyTorch keeps two biases for every cell, and kernels as (outputs, inputs)."""
    ours = keras.layers.RNN(cell(H), return_sequences=True, return_state=True)
    ours(x)
    fill(ours)
    kernel, recurrent_kernel, bias = ours.cell.get_weights()
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    theirs = getattr(torch.nn, name)(E, H, batch_first=True)
    theirs.weight_ih_l0.copy_(torch.tensor(cut(kernel, order).T.copy()))
    theirs.weight_hh_l0.copy_(torch.tensor(cut(recurrent_kernel, order).T.copy()))
    theirs.bias_ih_l0.copy_(torch.tensor(cut(biases[0], order)))
    theirs.bias_hh_l0.copy_(torch.tensor(cut(biases[1], order)))
    expected, last = theirs(torch.tensor(x))
    output, *states = ours(x)
    close(numpy(output), expected.numpy())
    last = last if isinstance(last, tuple) else (last,)
    for state, expected_state in zip(states, last, strict=True):
        close(numpy(state), expected_state[0].numpy())
